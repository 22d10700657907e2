"""When the clocks of a time zone were changed, as rows of a past know it."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from forecasters.local_days import LocalDays
from forecasters.series import grid_instant

_DAY = timedelta(days=1)


class LocalTime:
    """The clock of one time zone."""

    def __init__(self, zone: str) -> None:
        """Make the clock of a zone that is known by name."""
        self._zone = ZoneInfo(zone)

    def days(self, first: int, count: int, step: timedelta) -> LocalDays | None:
        """Return the clock changes of `count` rows and the day after them; None where there is none.

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
        if not changes:
            return None
        ahead = [offsets[0], *(self._offset(change, step) for change in changes)]
        return LocalDays(np.array(changes), np.array([round(offset / step) for offset in ahead]))

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
