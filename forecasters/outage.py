"""Demand that falls to near zero at once and for no known reason: an outage before the service, not idleness.

Whoever scales in on it has too few replicas at the return, when clients retry. The watch takes one value at a time and
says how long to hold; `find_outages` runs it over a past and tells those that ended by a return.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from forecasters.series import Series

_NEAR_ZERO = 0.05  # of the level before: less is nobody's daily low
_WAS_THERE = 0.5  # of the level: within the last minutes demand was at least this, so the fall was at once
_IS_BACK = 0.5
_USUAL = 0.25  # of the level: where demand is known to be this low at this time, the fall is explained
_OF_THE_MEAN = 0.2  # of the mean day: at a quieter hour a few clients make the load, and their leaving is no outage
_FALL = timedelta(minutes=3)  # a 1-min rate takes a minute to show a fall, and the scrapes may straddle it
SETTLE = timedelta(minutes=10)  # retries and queues of a return die down
LONGEST = timedelta(hours=2)  # from the fall, its return included; then what is there is the new load
_LEVEL = timedelta(minutes=30)  # time constant of the level before a fall
_MEAN = timedelta(days=1)  # time constant of the mean day
_LEARNED = timedelta(hours=6)  # of values before anything is called an outage
_HABIT = timedelta(days=7)  # half-life of the count of falls
_RARE = 2.0  # falls that are remembered: with more, falling is what this load does
_OFTEN = 0.01  # of the time near zero: as much is what this load does, too


class Outage(StrEnum):
    """What the newest value says."""

    NONE = "None"
    OUT = "Out"  # demand is gone: hold the replicas
    RETURNING = "Returning"  # it is back, with what had piled up: hold on


@dataclass(frozen=True, slots=True)
class OutageSpan:
    """One outage that ended by a return."""

    since: datetime
    until: datetime
    before: float  # level before, demand units
    during: float  # the least value


class OutageWatch:
    """Looks at one demand signal, value by value; a microsecond each."""

    def __init__(self, step: timedelta) -> None:
        """Watch a signal whose values come every `step`."""
        self.state = Outage.NONE
        self.level = 0.0  # of the last half hour; as it was before, in an outage
        self._recent: deque[float] = deque(maxlen=max(2, math.ceil(_FALL / step) + 1))
        self.noticed_within = (self._recent.maxlen or 0) * step  # after demand was last there
        self._mean = 0.0
        self._seen = 0
        self._falls = 0.0
        self._low = 0.0  # share of the time near zero
        self._steps = 0  # in this state
        self._gone = 0  # steps since the fall
        self._settle, self._give_up = math.ceil(SETTLE / step), math.ceil(LONGEST / step)
        self._learned = math.ceil(_LEARNED / step)
        self._keep_level, self._keep_mean = math.exp(-step / _LEVEL), math.exp(-step / _MEAN)
        self._keep_falls: float = 0.5 ** (step / _HABIT)

    def observe(self, value: float, usual: float | None = None, *, steps: int = 1) -> Outage:
        """Take in the next value and return whether to hold.

        Args:
            value: demand, not below 0; NaN is a gap, which says nothing of demand and ends nothing.
            usual: demand at this time as far as it recurs, such as the least of yesterday's and last week's; None
                where that is not known.
            steps: for which the value stands, where a past is known in longer ones.
        """
        if math.isnan(value):
            self.skip(steps)
            return self.state
        self._seen += steps
        self._steps += steps
        self._gone += steps
        self._falls *= self._keep_falls**steps
        if self.state is Outage.NONE:
            self._look_for_a_fall(value, usual)
        elif self._gone >= self._give_up:
            self._end(value)
        elif self.state is Outage.OUT:
            if value >= _IS_BACK * self.level:
                self._enter(Outage.RETURNING)
        elif value <= _NEAR_ZERO * self.level:
            self._fall_again(value)
        elif self._steps >= self._settle:
            self._enter(Outage.NONE)
        if self.state is Outage.NONE:
            self._learn(value, steps)
        self._recent.extend([value] * min(steps, self._recent.maxlen or 0))
        return self.state

    def skip(self, steps: int) -> None:
        """Let steps pass without a value: nobody knows when demand fell within them, and a hold's time runs on."""
        self._gone += steps
        self._recent.extend([0.0] * min(steps, self._recent.maxlen or 0))

    def is_odd(self, value: float) -> bool:
        """Whether the next value would be a fall that is not this load's habit: what is usual then decides."""
        return self._is_fall(value) and not self._is_habit()

    def encode(self) -> bytes:
        """Return what is known as bytes for the store."""
        numbers = [self.level, self._mean, self._falls, self._low, self._seen, self._steps, self._gone]
        body = {"version": 1, "state": self.state, "numbers": numbers, "recent": list(self._recent)}
        return json.dumps(body).encode()

    def restore(self, body: bytes) -> None:
        """Take up what was stored; what cannot be read is learned anew."""
        try:
            stored = json.loads(body)
            state = Outage(stored["state"])
            level, mean, falls, low, *counts = (float(number) for number in stored["numbers"])
            seen, steps, gone = (int(count) for count in counts)
            recent = [float(value) for value in stored["recent"]]
        except (ValueError, KeyError, TypeError):
            return
        self.state, self.level, self._mean, self._falls, self._low = state, level, mean, falls, low
        self._seen, self._steps, self._gone = seen, steps, gone
        self._recent.clear()
        self._recent.extend(recent)

    def _is_fall(self, value: float) -> bool:
        level = self.level
        return (
            self.state is Outage.NONE
            and value <= _NEAR_ZERO * level
            and max(self._recent, default=0.0) >= _WAS_THERE * level > 0.0
            and level >= _OF_THE_MEAN * self._mean
            and self._seen >= self._learned
        )

    def _is_habit(self) -> bool:
        return self._falls > _RARE or self._low > _OFTEN

    def _look_for_a_fall(self, value: float, usual: float | None) -> None:
        if not self._is_fall(value):
            return
        is_habit = self._is_habit()
        self._falls += 1.0
        self._recent.clear()  # one fall is counted once
        if not is_habit and (usual is None or usual > _USUAL * self.level):
            self._gone = 0
            self._enter(Outage.OUT)

    def _fall_again(self, value: float) -> None:
        self._falls += 1.0
        if self._falls > _RARE + 1:
            self._end(value)
        else:
            self._enter(Outage.OUT)

    def _end(self, value: float) -> None:
        """Take what is there for the load."""
        self.level = value
        self._enter(Outage.NONE)

    def _enter(self, state: Outage) -> None:
        self.state, self._steps = state, 0

    def _learn(self, value: float, steps: int) -> None:
        if self._seen == steps:
            self.level = self._mean = value
        of_mean = 1 - self._keep_mean**steps
        self._low += of_mean * ((value <= _NEAR_ZERO * self.level) - self._low)
        self.level += (1 - self._keep_level**steps) * (value - self.level)
        self._mean += of_mean * (value - self._mean)


def find_outages(series: Series) -> tuple[OutageSpan, ...]:
    """Return the outages of a past that ended by a return; one that did not is a change of the load.

    Demand at the same time a day and a week before says what is usual.
    """
    values: Sequence[float] = series.values.tolist()
    day, week = timedelta(days=1) // series.step, timedelta(days=7) // series.step
    watch = OutageWatch(series.step)
    states: list[Outage] = []
    levels: list[float] = []
    for row, value in enumerate(values):
        earlier = [values[row - back] for back in (day, week) if row >= back and not math.isnan(values[row - back])]
        states.append(watch.observe(value, min(earlier, default=None)))
        levels.append(watch.level)
    changes = [0, *(row for row in range(1, len(states)) if states[row] is not states[row - 1]), len(states)]
    return tuple(
        OutageSpan(
            since=series.start + begin * series.step,
            until=series.start + end * series.step,
            before=levels[begin],
            during=min(value for value in values[begin:end] if not math.isnan(value)),
        )
        for begin, end in pairwise(changes)
        if states[begin] is Outage.OUT and end < len(states) and states[end] is Outage.RETURNING
    )
