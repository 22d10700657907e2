"""When the clocks of a time zone were changed, and which of its days are unlike others, as rows of a past know it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from agent.special_days import kinds_of_days
from forecasters.local_days import LocalDays
from forecasters.series import EPOCH, grid_instant
from scalers.policy import SpecialDays

_DAY = timedelta(days=1)


class LocalTime:
    """The clock and the calendar that a demand follows."""

    def __init__(self, zone: str, calendar: Sequence[SpecialDays] = ()) -> None:
        """Take a zone that is known by its name, and a calendar that was checked."""
        self._zone = ZoneInfo(zone)
        self._calendar = calendar

    def days(self, first: int, count: int, step: timedelta) -> LocalDays | None:
        """Return the clock changes and special days of `count` rows and the day after them; None where there is none.

        Args:
            first: grid index of the first row.
            count: of rows.
            step: between two rows.
        """
        per_day = max(1, _DAY // step)
        indices = range(first, first + count + 2 * per_day, per_day)
        offsets = [self._offset(index, step) for index in indices]
        changes = [
            self._change(early, late, step)
            for early, late, before, after in zip(indices, indices[1:], offsets, offsets[1:], strict=False)
            if before != after
        ]
        first_day, kinds = self._kinds(indices, step)
        if not changes and not len(kinds):
            return None
        ahead = [offsets[0], *(self._offset(change, step) for change in changes)]
        rows = np.array([round(offset / step) for offset in ahead])
        return LocalDays(np.array(changes, np.int64), rows, first_day, kinds)

    def _kinds(self, indices: range, step: timedelta) -> tuple[int, NDArray[np.int8]]:
        """Return the first local day of a stretch and the kinds of its days; no kinds where all are usual."""
        if not self._calendar:
            return 0, np.zeros(0, np.int8)
        first, last = (self._day(index, step) for index in (indices[0], indices[-1]))
        kinds = kinds_of_days(self._calendar, first, last - first + 1)
        return first, kinds if kinds.any() else kinds[:0]

    def _day(self, index: int, step: timedelta) -> int:
        return (grid_instant(index, step) + self._offset(index, step) - EPOCH) // _DAY

    def _change(self, early: int, late: int, step: timedelta) -> int:
        """Return the first index after `early`, at most `late`, at which the clock shows another offset."""
        before = self._offset(early, step)
        while late - early > 1:
            middle = (early + late) // 2
            if self._offset(middle, step) == before:
                early = middle
            else:
                late = middle
        return late

    def _offset(self, index: int, step: timedelta) -> timedelta:
        return grid_instant(index, step).astimezone(self._zone).utcoffset() or timedelta(0)
