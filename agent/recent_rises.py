"""How demand rose after the rows of the last hour, kept in order of size while rows come one by one."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

import numpy as np

from agent.coarse_past import rows_of
from agent.history.grid import History
from forecasters.past import Outcomes
from forecasters.trailing import ordered_quantiles
from forecasters.usual import LATELY, rows_of_lately


class RecentRises:
    """The rises of one signal; all of them are worked out anew after a gap, or when the past has been changed."""

    def __init__(self, history: History, *, ahead: int, most: float) -> None:
        """Look at a history.

        Args:
            history: of the signal; read, never written.
            ahead: rows (coarse steps) of the look-ahead.
            most: demand above this is seen as this.
        """
        self._history, self._ahead, self._most = history, ahead, most
        self._rows = rows_of_lately(history.coarse_step.total_seconds() / 60, ahead)
        self._seen: deque[tuple[float, float]] = deque(maxlen=ahead + 1)  # last and largest demand of the newest rows
        self._rises: deque[float] = deque()  # the oldest first; empty where they are to be worked out anew
        self._ordered: list[float] = []
        self._row: int | None = None  # the newest row
        self._rewrites = 0

    def quantiles(self) -> list[float]:
        """Return the quantiles at `LATELY`, demand units; NaN before there is a rise."""
        newest, rewrites = self._history.newest_coarse, self._history.rewrites
        if newest is not None and (newest != self._row or rewrites != self._rewrites):
            is_next = self._row == newest - 1 and rewrites == self._rewrites
            self._row, self._rewrites = newest, rewrites
            if not (is_next and self._rises and self._take(newest)):
                self._work_out()
        return ordered_quantiles(self._ordered, LATELY) if self._ordered else [math.nan] * len(LATELY)

    def _take(self, row: int) -> bool:
        """Take in the rise that the newest row has made known; False where that row is a gap."""
        mean, largest, last = self._history.coarse_at(row)
        if math.isnan(mean):
            return False
        self._seen.append((min(last, self._most), min(largest, self._most)))
        (before, _), *after = self._seen
        rise = max(highest for _, highest in after) - before
        del self._ordered[bisect_left(self._ordered, self._rises.popleft())]
        self._rises.append(rise)
        insort(self._ordered, rise)
        return True

    def _work_out(self) -> None:
        past = rows_of(self._history.coarse(newest=self._rows), self._history.coarse_step, most=self._most)
        rises = Outcomes.of(past, self._ahead).rise
        self._ordered = np.sort(rises).tolist()
        self._rises.clear()
        if len(past) == self._rows and past.known.all():
            self._rises.extend(rises.tolist())
            self._seen.extend(zip(past.last.tolist(), past.largest.tolist(), strict=True))
