"""A simulated workload: pods that start slowly, serve a demand, and are paid for from the moment they exist."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Starting:
    """Pods that were created together and are not ready yet."""

    ready_at: datetime
    pods: int


@dataclass(frozen=True, slots=True)
class Workload:
    """The pods of one scale target at one instant."""

    ready: int
    starting: tuple[Starting, ...] = ()  # oldest first

    @property
    def existing(self) -> int:
        """Pods that exist, ready or not: what is paid for, and what the HPA counts."""
        return self.ready + sum(batch.pods for batch in self.starting)

    def at(self, now: datetime) -> Workload:
        """Return the workload after the pods that are due by `now` have become ready."""
        due = sum(batch.pods for batch in self.starting if batch.ready_at <= now)
        if not due:
            return self
        return Workload(self.ready + due, tuple(batch for batch in self.starting if batch.ready_at > now))

    def scaled(self, replicas: int, *, now: datetime, start_up: timedelta) -> Workload:
        """Return the workload after its scale was set: new pods start, removed ones go at once, newest starting first.

        Raises:
            ValueError: replicas is below 0.
        """
        if replicas < 0:
            raise ValueError(f"replicas must not be below 0, got {replicas}")
        change = replicas - self.existing
        if change > 0:
            return replace(self, starting=(*self.starting, Starting(now + start_up, change))).at(now)
        return self._without(-change)

    def _without(self, pods: int) -> Workload:
        starting = list(self.starting)
        while pods and starting:
            newest = starting.pop()
            if newest.pods > pods:
                starting.append(replace(newest, pods=newest.pods - pods))
            pods -= min(pods, newest.pods)
        return Workload(self.ready - pods, tuple(starting))


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

    def after(self, workload: Workload, demand: float, *, capacity: float, step: timedelta) -> Tally:
        """Return the tally with one more step.

        Args:
            workload: as it is during the step.
            demand: mean requests per second of the step.
            capacity: requests per second that one ready replica serves.
            step: length of the step, the same each time.
        """
        seconds = step.total_seconds()
        shortage = max(0.0, demand - workload.ready * capacity)
        return Tally(
            steps=self.steps + 1,
            replica_seconds=self.replica_seconds + workload.existing * seconds,
            demand=self.demand + demand * seconds,
            unserved=self.unserved + shortage * seconds,
            short_steps=self.short_steps + (shortage > 0),
            actions=self.actions + (self.existing is not None and workload.existing != self.existing),
            existing=workload.existing,
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
