"""The watch over one live signal for demand that falls to near zero at once and for no known reason: an outage.

No I/O and no clock. What is usual at a time of the week comes from the history, and so does what the watch has learned
when it begins: nothing of it is stored.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.history.coarse import CoarseValues
from agent.history.grid import History
from agent.local_time import LocalTime
from agent.peak_sight import rows_of
from forecasters.outage import LONGEST, SETTLE, Outage, OutageWatch
from forecasters.past import Past
from forecasters.same_time import SameTimes, same_times
from forecasters.series import grid_index, grid_instant
from scalers.decision import Fall

# Jobs that switch a service off come within this of the time at which they came yesterday.
_ABOUT = timedelta(minutes=30)
_EXPLAINED = 0.0  # what is usual where any fall is


class FallWatch:
    """Says of each sample whether replicas are to be held because demand has fallen away."""

    def __init__(self, history: History, *, most: float, local: LocalTime) -> None:
        """Look at a signal.

        Args:
            history: of the signal; read, never written.
            most: demand above this is seen as this: beside a metric's bug, everything is near zero.
            local: the clock that the demand follows.
        """
        self._history, self._most, self._local = history, most, local
        self._watch = OutageWatch(history.step)
        self._last: int | None = None  # grid index of the newest sample seen
        self._is_behind = False  # whether the history has grown otherwise than by samples
        self._since: datetime | None = None
        self._back: datetime | None = None

    @property
    def noticed_within(self) -> timedelta:
        """How long after demand was last there a fall is noticed, at most."""
        return self._watch.noticed_within

    @property
    def fall(self) -> Fall | None:
        """The fall that replicas are held for; None where there is none."""
        if self._watch.state is Outage.NONE or self._since is None:
            return None
        until = self._since + LONGEST
        if self._back is not None:
            until = min(until, self._back + SETTLE)
        return Fall(since=self._since, until=until, before=self._watch.level, is_back=self._back is not None)

    def learn_at_once(self) -> None:
        """Make it look at the whole history before the next sample."""
        self._is_behind = True

    def observe(self, at: datetime, demand: float) -> None:
        """Take in the newest sample, which the history has already."""
        index = grid_index(at, self._history.step)
        if self._is_behind:
            self._learn(until=index)
        if self._last is not None and index > self._last + 1:
            self._watch.skip(index - self._last - 1)
        self._last = index
        demand = min(demand, self._most)
        usual = None
        if self._watch.is_odd(demand):
            coarse = self._history.coarse()
            usual = self._usual(coarse, self._rows(coarse), len(coarse.mean))
        self._see(at, demand, usual, steps=1)

    def _learn(self, *, until: int) -> None:
        """Live through the history, up to a sample that is not part of it."""
        self._watch, self._since, self._back, self._is_behind = OutageWatch(self._history.step), None, None, False
        row, per_row = self._history.coarse_step, max(1, round(self._history.coarse_step / self._history.step))
        coarse = self._history.coarse()
        past = self._rows(coarse)
        for place, mean in enumerate(np.minimum(coarse.mean, self._most).tolist()):
            usual = self._usual(coarse, past, place) if self._watch.is_odd(mean) else None
            self._see(grid_instant(coarse.first + place, row), mean, usual, steps=per_row)
        end = grid_instant(coarse.first + len(coarse.mean) - 1, row)
        self._last = min(until - 1, grid_index(end, self._history.step)) if len(coarse.mean) else None

    def _see(self, at: datetime, demand: float, usual: float | None, *, steps: int) -> None:
        before = self._watch.state
        state = self._watch.observe(demand, usual, steps=steps)
        if state is before:
            return
        if before is Outage.NONE:
            self._since = at
        self._back = at if state is Outage.RETURNING else None

    def _rows(self, coarse: CoarseValues) -> Past:
        return rows_of(coarse, self._history.coarse_step, most=self._most, local=self._local)

    def _usual(self, coarse: CoarseValues, past: Past, place: int) -> float:
        """Return what is usual at a row of the past, of which only what lies before it is known."""
        skipped = past.first - coarse.first
        times = same_times(past, np.array([place - skipped]))
        then = SameTimes(times.days[0] + skipped, times.weeks[0] + skipped)
        return usual_demand(coarse.mean[:place], then, near=max(1, _ABOUT // self._history.coarse_step))


def usual_demand(means: NDArray[np.float64], then: SameTimes, *, near: int) -> float:
    """Return the least demand at about this time of earlier days; 0 unless yesterday and a day like this are known.

    A fall within the first week explains itself: nobody has seen the day of the week on which it may be usual.

    Args:
        means: demand of rows of the past, oldest first; NaN is a gap.
        then: places of this time on earlier days among them, of one instant; negative ones lie before.
        near: rows on either side that count as about this time.
    """
    days, weeks = (
        [_least(means[max(0, place - near) : max(0, place + near + 1)]) for place in places.tolist()]
        for places in (then.days, then.weeks)
    )
    if days[0] is None or all(each is None for each in weeks):
        return _EXPLAINED
    return min(each for each in (*days, *weeks) if each is not None)


def _least(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.min()) if len(known) else None
