"""What a way of scaling has cost and left unserved, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from scalers.decision import Replicas


@dataclass(frozen=True, slots=True)
class Result:
    """One way of scaling in four figures, named as `foretide demo --json` prints them."""

    replica_hours: float  # paid
    unserved_pct: float  # share of the requests
    short_pct: float  # share of the time
    actions_per_h: float  # changes of the number of replicas


@dataclass(frozen=True, slots=True)
class Tally:
    """What a workload has cost and left unserved so far; the same definitions for every way of scaling it."""

    steps: int = 0
    replica_seconds: float = 0.0  # paid
    demand: float = 0.0  # requests
    unserved: float = 0.0  # requests above what the ready replicas serve, step by step
    short_steps: int = 0  # in which some demand was unserved
    actions: int = 0  # steps in which the number of existing replicas differs from the step before
    existing: int | None = None  # in the newest step

    def after(self, pods: Replicas, demand: float, *, capacity: float, step: timedelta) -> Tally:
        """Return the tally with one more step.

        Args:
            pods: those that are there and those that serve during the step.
            demand: mean requests per second of the step.
            capacity: requests per second that one ready replica serves.
            step: length of the step, the same each time.
        """
        seconds = step.total_seconds()
        shortage = max(0.0, demand - pods.ready * capacity)
        return Tally(
            steps=self.steps + 1,
            replica_seconds=self.replica_seconds + pods.existing * seconds,
            demand=self.demand + demand * seconds,
            unserved=self.unserved + shortage * seconds,
            short_steps=self.short_steps + (shortage > 0),
            actions=self.actions + (self.existing is not None and pods.existing != self.existing),
            existing=pods.existing,
        )

    def result(self, step: timedelta) -> Result:
        """Return the figures that are compared.

        Raises:
            ValueError: no step was counted; an undefined score is not a good score.
        """
        if not self.steps:
            raise ValueError("no step was counted, so there is no result")
        return Result(
            replica_hours=self.replica_seconds / 3600,
            unserved_pct=100 * self.unserved / self.demand if self.demand else 0.0,
            short_pct=100 * self.short_steps / self.steps,
            actions_per_h=self.actions / (self.steps * step / timedelta(hours=1)),
        )
