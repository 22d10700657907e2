"""Which observations say something about capacity, and of which load they speak.

A replica that has just become ready, a rollout, replicas nobody knows: what is seen then says nothing of capacity. And
an objective averages over a time, so it is put down to the mean load of that time, and to none where the load moved
much: a backlog left by a peak would else be blamed on the quiet after it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from scalers.capacity.objective import Limit
from scalers.decision import Replicas

_STEADY = 1.25  # highest over lowest load of a window
SPACING = timedelta(minutes=1)  # between samples that count: closer ones tell nearly the same


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of a scale target at one instant."""

    at: datetime
    demand: float | None  # demand units; None where it is not known
    replicas: Replicas | None  # None where nobody knows
    objective: float | None  # its value, in its own unit; None where it is not known
    is_rolling_out: bool = False  # replicas of two versions serve


class Taken(StrEnum):
    """What became of an observation."""

    COUNTED = "counted"
    TOO_CLOSE = "closer than a minute to the last that counted"
    NOT_NEWER = "not newer than the one before"
    UNKNOWN_DEMAND = "demand or objective is not known"
    UNKNOWN_REPLICAS = "replicas are not known, or none is ready"
    IDLE = "no demand"
    ROLLING_OUT = "a rollout is going on"
    STARTING = "replicas are starting or warming up"
    SETTLING = "the objective still averages over a time that does not count"
    MOVING = "the load moved by more than a quarter while the objective averaged over it"


@dataclass(frozen=True, slots=True)
class Sample:
    """An observation that counts."""

    load: float  # demand units per ready replica, above 0
    is_kept: bool


class Watch:
    """Takes observations in order and hands on those that count. Changes in place; for one thread."""

    def __init__(self, limit: Limit, *, window: timedelta, warm_up: timedelta) -> None:
        """Begin without a past.

        Args:
            limit: of the objective.
            window: over which the objective's value averages.
            warm_up: time after Ready in which a replica does not serve its whole capacity.
        """
        self._limit = limit
        self._window = window
        self._warm_up = warm_up
        self._loads: deque[tuple[datetime, float]] = deque()  # of the window, oldest first, at most one a second
        self._last: Observation | None = None
        self._counted_at: datetime | None = None
        self._quiet_until: datetime | None = None  # end of what does not count, and of the window after it
        self._warm_at: datetime | None = None  # when the newest replicas are warm

    def see(self, observation: Observation) -> Sample | Taken:
        """Return the sample, or why there is none."""
        last, self._last = self._last, observation
        if last is not None and observation.at <= last.at:
            self._last = last
            return Taken.NOT_NEWER
        if (trouble := self._trouble(observation, last)) is not None:
            self._quiet_until = observation.at + self._window
            self._loads.clear()
            return trouble
        load = self._load(observation)
        if load is None:
            return Taken.IDLE
        self._remember(observation.at, load)
        return self._sample(observation)

    def _trouble(self, observation: Observation, last: Observation | None) -> Taken | None:
        """Return why nothing can be told of this instant, nor of those whose window reaches back to it."""
        replicas = observation.replicas
        if replicas is None or replicas.ready < 1:
            return Taken.UNKNOWN_REPLICAS
        before = last.replicas.ready if last is not None and last.replicas is not None else None
        if before is None or replicas.ready > before:
            self._warm_at = observation.at + self._warm_up
        if observation.is_rolling_out:
            return Taken.ROLLING_OUT
        if replicas.existing > replicas.ready or (self._warm_at is not None and observation.at < self._warm_at):
            return Taken.STARTING
        if not _is_known(observation.demand) or not _is_known(observation.objective):
            return Taken.UNKNOWN_DEMAND
        return None

    def _load(self, observation: Observation) -> float | None:
        if observation.demand is None or observation.replicas is None or not observation.demand > 0.0:
            return None
        return observation.demand / observation.replicas.ready

    def _remember(self, at: datetime, load: float) -> None:
        if self._loads and at - self._loads[-1][0] < timedelta(seconds=1):
            self._loads.pop()
        self._loads.append((at, load))
        while self._loads[0][0] < at - self._window:
            self._loads.popleft()

    def _sample(self, observation: Observation) -> Sample | Taken:
        if self._quiet_until is not None and observation.at < self._quiet_until:
            return Taken.SETTLING
        if self._counted_at is not None and observation.at - self._counted_at < SPACING:
            return Taken.TOO_CLOSE
        if observation.objective is None:
            return Taken.UNKNOWN_DEMAND
        loads = [load for _, load in self._loads]
        if max(loads) > _STEADY * min(loads):
            return Taken.MOVING
        self._counted_at = observation.at
        return Sample(load=sum(loads) / len(loads), is_kept=self._limit.is_kept(observation.objective))


def _is_known(value: float | None) -> bool:
    return value is not None and bool(np.isfinite(value)) and value >= 0.0
