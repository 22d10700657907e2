"""What `foretide demo` plays: the policy as a user would write it, and the world that follows from it and a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from agent.clock import SimulatedClock
from agent.demo.comparison import ComparisonRecord
from agent.demo.load import LoadShape, SimulatedLoad
from agent.demo.simulation import Service, Simulation
from agent.policy import document_json, parse_policy, reserved_fields_used, to_scaling_policy
from agent.sources.simulator import SimulatorSource
from agent.watched import Assignment
from scalers.policy import ScalingPolicy

# A Monday after two whole weeks, so that the history holds each weekday twice; fixed, so that a seed says everything.
LIVE_SINCE = datetime(2026, 3, 2, tzinfo=UTC)

# At a risk of 0.2 % Foretide left less unserved than the HPA at 70 % on every seed and day tried, at about 0.85
# times its cost; at the default of 1 % it costs less still, and on some days leaves more unserved than the HPA.
POLICY = """
apiVersion: foretide.dev/v1alpha1
kind: ForecastPolicy
metadata: {name: chat, namespace: demo}
spec:
  mode: Active
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}
  demand:
    simulator: {}
    step: 15s
  capacity: {perReplica: 12}
  replicas: {min: 1, max: 40}
  risk: 0.2%
  leadTime: {declared: 2m}
  forecast: {history: 14d, horizon: 1h, models: [auto, holt-winters, arima]}
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """One demo: the world, and what the agent is given of it."""

    clock: SimulatedClock
    source: SimulatorSource
    assignment: Assignment
    simulation: Simulation
    record: ComparisonRecord


def scene(seed: int) -> Scene:
    """Build the world of one seed at the first live instant."""
    (document,) = parse_policy(POLICY, file="the demo's policy")
    policy = to_scaling_policy(document)
    load = SimulatedLoad(LoadShape(seed=seed, live_since=LIVE_SINCE))
    clock, source, workload = SimulatedClock(LIVE_SINCE), SimulatorSource(load), service(policy)
    return Scene(
        clock=clock,
        source=source,
        assignment=Assignment(
            policy=policy,
            document=document_json(document),
            reserved=reserved_fields_used(document),
            sources={signal.name: source for signal in policy.signals},
        ),
        simulation=Simulation(workload, load, clock=clock),
        record=ComparisonRecord(workload, load),
    )


def service(policy: ScalingPolicy) -> Service:
    """Return the workload that the demo's policy describes: its start-up is the one the policy declares."""
    return Service(
        key=policy.key,
        capacity=policy.signals[0].capacity,
        start_up=policy.lead_time,
        minimum=policy.bounds.minimum,
        maximum=policy.bounds.maximum,
    )
