"""What a decision sees of a signal's past: the features of now, from the history's two resolutions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.coarse_past import rows_of
from agent.history.grid import History
from agent.local_time import LocalTime
from agent.recent_rises import RecentRises
from forecasters.past import Outcomes, Past
from forecasters.peak_features import MAXIMUM_MINUTES, RECENT_MINUTES, RowOfNow
from forecasters.usual import UNKNOWN, UsualNow, habits_at, rows_known_ahead, slow_at

_NO_SLOW, _NO_HABITS = [math.nan] * 5, [math.nan] * 16


@dataclass(frozen=True, slots=True)
class Seen:
    """One instant's features, and the part of them that rules use by themselves."""

    row: list[float]
    usual: UsualNow


class PeakSight:
    """Looks at the long past every quarter of an hour, at the last hour every coarse step, at now every time."""

    def __init__(self, history: History, *, ahead: int, most: float, local: LocalTime) -> None:
        """Look at a history.

        Args:
            history: of the signal.
            ahead: rows (coarse steps) of the look-ahead.
            most: demand above this is seen as this.
            local: the clock that the demand follows.
        """
        self._history = history
        self._local = local
        self._ahead = ahead
        self._most = most
        self._minutes = history.coarse_step.total_seconds() / 60
        self._per_row = per_row = max(1, round(history.coarse_step / history.step))
        self._spans = [per_row * max(1, round(span / self._minutes)) for span in MAXIMUM_MINUTES]
        self._reach = per_row * max(1, round(RECENT_MINUTES / self._minutes))  # samples back to the oldest of `recent`
        self._row_of_now = RowOfNow(look_ahead=ahead * self._minutes, minutes=self._minutes)
        self._rises = RecentRises(history, ahead=ahead, most=most)
        self._row: int | None = None  # newest coarse step that was looked at
        self._habits_from = 0  # coarse step of the first row of habits
        self._habits = np.empty((0, len(_NO_HABITS)))
        self._slow = _NO_SLOW
        self._usual = UNKNOWN

    def look(self, demand: float) -> Seen:
        """Return the features of the newest sample, `demand`, which the history has already."""
        self._renew()
        recent, maxima = self._recent(demand)
        return Seen(self._row_of_now.of(recent, maxima, self._usual), self._usual)

    def _renew(self) -> None:
        newest = self._history.newest_coarse
        if newest is None or newest == self._row:
            return
        self._row = newest
        place = newest - self._habits_from
        if not 0 <= place < len(self._habits):
            self._renew_habits(newest)
            place = 0
        self._usual = UsualNow.of(self._rises.quantiles(), self._slow, self._habits[place].tolist())

    def _renew_habits(self, newest: int) -> None:
        past = rows_of(self._history.coarse(), self._history.coarse_step, most=self._most, local=self._local)
        self._habits_from = newest
        if not len(past):
            self._habits, self._slow = np.array([_NO_HABITS]), _NO_SLOW
            return
        outcomes = Outcomes.of(past, self._ahead)
        row = newest - past.first
        count = min(rows_known_ahead(past, self._ahead), _until_slow(past, row))
        rows = row + np.arange(count)
        self._habits = habits_at(outcomes, rows)
        self._slow = slow_at(outcomes, rows[:1])[0].tolist()

    def _recent(self, demand: float) -> tuple[list[float], list[float]]:
        """Return demand now and at whole rows of the last hour, and the largest of longer spans."""
        values = self._history.newest_fine(self._spans[-1])
        values[-1] = demand
        largest = np.maximum.reduce(values)  # `max` does the same by way of two functions more
        if not largest <= self._most:  # or a gap, which makes it NaN
            values = np.minimum(_carried(values), self._most)
            largest = np.maximum.reduce(values)
        if len(values) <= self._reach:
            values = np.concatenate([np.full(self._reach + 1 - len(values), values[0]), values])
        maxima = [float(np.maximum.reduce(values[-span:])) for span in self._spans[:-1]]
        return values[len(values) - 1 - self._reach :: self._per_row].tolist(), [*maxima, float(largest)]


def _until_slow(past: Past, row: int) -> int:
    """Return the rows until what moves slowly is looked up anew."""
    period = max(1, round(15 / past.minutes))
    return period - (past.first + row) % period


def _carried(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values of which at least one is known with gaps carried on, and the first known one before the first."""
    known = np.isfinite(values)
    source = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
    source[: int(known.argmax())] = int(known.argmax())
    return values[source]
