"""Every metric that Foretide exports, declared once: a module for each of those who have something to tell.

A number that is not known has no series: an absent demand is not zero demand. Labels are bounded by what the operator
wrote (policies, signals) or by enums of ours; nothing that a caller of the gRPC server sends becomes a label. Methods
are named for what happened, and may be called from any thread. What is judged or decided does not belong here.
"""

from agent.telemetry.metrics import DeclaredMetric, Metrics
from agent.telemetry.peers import PeersTelemetry
from agent.telemetry.policies import PolicyTelemetry
from agent.telemetry.server import ServerTelemetry
from agent.telemetry.whole import Telemetry
from agent.telemetry.work import WorkTelemetry

__all__ = [
    "DeclaredMetric",
    "Metrics",
    "PeersTelemetry",
    "PolicyTelemetry",
    "ServerTelemetry",
    "Telemetry",
    "WorkTelemetry",
]
