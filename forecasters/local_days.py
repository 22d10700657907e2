"""The local clock and calendar of a past: how far local time is ahead of UTC, and which days are unlike others.

Days and weeks of demand follow people, and people follow the clock on the wall and the calendar beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

USUAL = 0  # the kind of a day that no calendar names
_SUNDAY = 6
_DAY_OF_THE_EPOCH = 3  # a Thursday, Monday is 0


@dataclass(frozen=True, slots=True, eq=False)
class LocalDays:
    """A stretch of time in which the clock was changed, or which has days that are unlike others."""

    changes: NDArray[np.int64]  # grid indices from which on the next offset counts, ascending
    ahead: NDArray[np.int64]  # rows by which local time is ahead of UTC, shape (changes + 1,)
    first_day: int = 0  # of the kinds, local days since 1970-01-01
    kinds: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))  # of days; empty where all are usual

    def ahead_at(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows by which local time is ahead at grid indices of any shape."""
        return self.ahead[np.searchsorted(self.changes, indices, side="right")]

    def kind(self, day: int) -> int:
        """Return the kind of a local day; a day outside the stretch is a usual one."""
        place = day - self.first_day
        return int(self.kinds[place]) if 0 <= place < len(self.kinds) else USUAL


def is_sunday(day: int) -> bool:
    """Whether a day, counted from 1970-01-01, is a Sunday."""
    return (day + _DAY_OF_THE_EPOCH) % 7 == _SUNDAY
