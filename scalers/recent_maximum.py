"""The largest of the last few values of many series at once, at two comparisons a step.

Time is cut into blocks as long as the window. The window is then the running block and the end of the block before it,
whose suffix maxima were taken once, when it ended (van Herk 1992, Gil and Werman 1993); both fit in one ring.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class RecentMaximum:
    """Maxima over the last `window` values of each of `count` series; 0 where there is none yet."""

    def __init__(self, count: int, window: int) -> None:
        # rows before `place` are the running block's values, rows from it on suffix maxima of the block before
        self.ring = np.zeros((window, count), np.int16)
        self.place = 0
        self._running = np.zeros(count, np.int16)

    def push(self, values: NDArray[np.int16], out: NDArray[np.int16]) -> None:
        """Take in the next value of each series, none below 0, and write the maxima to `out`; shapes (count,)."""
        ring, place = self.ring, self.place
        ring[place] = values
        np.maximum(self._running, values, out=self._running)
        self.place = place + 1
        if self.place < len(ring):
            np.maximum(self._running, ring[self.place], out=out)
            return
        out[:] = self._running
        self._end_block()

    def restore(self, ring: NDArray[np.int16], place: int) -> None:
        """Take up a ring and place that another one had."""
        self.ring[:] = ring
        self.place = place
        self._running[:] = ring[:place].max(axis=0, initial=0)

    def _end_block(self) -> None:
        newest_first = self.ring[::-1]
        np.maximum.accumulate(newest_first, axis=0, out=newest_first)
        self._running[:] = 0
        self.place = 0
