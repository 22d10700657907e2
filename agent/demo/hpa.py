"""The HPA's arithmetic for one external metric of type AverageValue, with the default behavior.

Mirrors kubernetes pkg/controller/podautoscaler: `GetExternalPerPodMetricReplicas` of replica_calculator.go for what is
wanted, `normalizeDesiredReplicasWithBehaviors` of horizontal.go for what is done about it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class HpaRules:
    """What is set on an HPA. The defaults are Kubernetes's."""

    target: float  # AverageValue: metric units per replica, above 0
    minimum: int
    maximum: int
    tolerance: float = 0.1
    stabilization: timedelta = timedelta(seconds=300)  # of scaling down; scaling up has none
    up_ratio: int = 2  # per sync: at most to this multiple (100 %) ...
    up_pods: int = 4  # ... or by this many pods, whichever is more

    def __post_init__(self) -> None:
        if self.target <= 0 or not 1 <= self.minimum <= self.maximum:
            raise ValueError(f"an HPA needs a target above 0 and 1 <= minimum <= maximum, got {self}")


@dataclass(frozen=True, slots=True)
class Hpa:
    """An HPA between two syncs: its rules and what it recommended within the stabilization window."""

    rules: HpaRules
    recommendations: tuple[tuple[datetime, int], ...] = ()

    def sync(self, value: float | None, *, current: int, now: datetime) -> tuple[Hpa, int]:
        """Return the HPA after one sync, and the replicas it sets.

        Args:
            value: the metric, in the target's unit and not below 0; None is a failed read, which holds the replicas
                and is not remembered.
            current: replicas that exist, at least 1.
            now: the instant of the sync; syncs come in order of time.
        """
        if value is None:
            return self, current
        wanted = min(max(self.wanted(value, current), self.rules.minimum), self.rules.maximum)
        kept = tuple(row for row in self.recommendations if now - row[0] < self.rules.stabilization)
        after = replace(self, recommendations=(*kept, (now, wanted)))
        if wanted < current:
            return after, min(current, max(replicas for _, replicas in after.recommendations))
        return after, min(wanted, max(self.rules.up_ratio * current, current + self.rules.up_pods))

    def wanted(self, value: float, current: int) -> int:
        """Return the replicas that a metric's value asks for, before the behavior."""
        rules = self.rules
        ratio = value / (rules.target * current)
        if 1 - rules.tolerance <= ratio <= 1 + rules.tolerance:
            return current
        # Kubernetes counts in whole milli-units, so a rounding error of a float never adds a replica
        return -(-round(1000 * value) // round(1000 * rules.target))
