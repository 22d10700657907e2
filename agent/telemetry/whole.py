"""All of it for one agent; who needs a part of it is given that part."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable

from agent.snapshot import PolicySnapshot
from agent.telemetry.metrics import Metrics
from agent.telemetry.peers import PeersTelemetry
from agent.telemetry.policies import PolicyTelemetry
from agent.telemetry.server import ServerTelemetry
from agent.telemetry.work import WorkTelemetry
from scalers.policy import PolicyKey


class Telemetry:
    """The agent's counters and gauges; the parts are built in the order in which the exposition has them.

    Attributes:
        metrics: the registry under the parts, and what is declared on it.
        policies: what is decided.
        work: what that took.
        server: what KEDA's calls did.
        peers: what other agents are to this one.
    """

    def __init__(self, *, version: str) -> None:
        self.metrics = Metrics()
        self.policies = PolicyTelemetry(self.metrics)
        self.work = WorkTelemetry(self.metrics)
        self.server = ServerTelemetry(self.metrics)
        self.peers = PeersTelemetry(self.metrics)
        self._loop_failures = self.metrics.counter("loop_failures_total", "Unforeseen errors that a loop outlived.", ())
        self.metrics.gauge("build_info", "The running version.", ("version",)).labels(version).set(1)

    def snapshots_taken(self, snapshots: Iterable[PolicySnapshot]) -> None:
        """Show every policy's trust, coverage and conditions, and how many policies each namespace has."""
        taken = tuple(snapshots)
        self.policies.snapshots_taken(taken)
        self.work.policies_counted(Tally(snapshot.key.namespace for snapshot in taken))

    def loop_failed(self) -> None:
        """Count an error that nobody foresaw, caught at the outer edge of a loop; the log has it whole."""
        self._loop_failures.inc()

    def forget(self, key: PolicyKey) -> None:
        """Remove every series of a policy that is gone."""
        self.metrics.forget(key)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return self.metrics.exposition()
