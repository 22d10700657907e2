"""The clock on the wall of a past: by how much local time is ahead of UTC at each of its rows.

Days and weeks of demand follow people, and people follow local time. A row of the past is picked by the local time of
day; where no clock change lies in between, that is a whole number of days before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class LocalDays:
    """A stretch of time in which the clock was changed."""

    changes: NDArray[np.int64]  # grid indices from which on the next offset counts, ascending
    ahead: NDArray[np.int64]  # rows by which local time is ahead of UTC, shape (changes + 1,)

    def ahead_at(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows by which local time is ahead at grid indices of any shape."""
        return self.ahead[np.searchsorted(self.changes, indices, side="right")]
