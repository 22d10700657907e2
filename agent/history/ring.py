"""A ring buffer over the points of a regular grid: fixed memory, gaps as NaN, addressed by grid index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Ring:
    """The newest `slots` grid points of one quantity.

    A grid index is the number of whole steps since the epoch, so a place in the ring needs no start to count from.
    """

    __slots__ = ("_newest", "_slots", "_values")

    def __init__(self, slots: int, dtype: type[np.float64 | np.float32 | np.float16]) -> None:
        if slots < 1:
            raise ValueError(f"a ring needs at least 1 slot, got {slots}")
        self._slots = slots
        self._values: NDArray[np.float64 | np.float32 | np.float16] = np.full(slots, np.nan, dtype=dtype)
        self._newest: int | None = None

    @property
    def newest(self) -> int | None:
        """The newest grid index reached, gap or not; None before the first."""
        return self._newest

    @property
    def oldest(self) -> int:
        """The oldest grid index that has a place in the ring; meaningless before the first `advance`."""
        return (self._newest or 0) - self._slots + 1

    def reaches(self, index: int) -> bool:
        """Whether a grid index is within what the ring holds now, gap or not."""
        return self._newest is not None and self._newest - self._slots < index <= self._newest

    def advance(self, index: int) -> None:
        """Make an index the newest; the points passed over are gaps. An index that is not newer changes nothing."""
        newest = self._newest
        if newest is not None and index <= newest:
            return
        if newest is None or index - newest >= self._slots:
            self._values[:] = np.nan
        elif index == newest + 1:  # the usual tick, kept cheap
            self._values[index % self._slots] = np.nan
        else:
            self._values[np.arange(newest + 1, index + 1) % self._slots] = np.nan
        self._newest = index

    def put(self, index: int, value: float) -> None:
        """Set the value at an index that the ring reaches.

        Raises:
            IndexError: the index is newer than the newest or has left the ring.
        """
        if not self.reaches(index):
            raise IndexError(f"grid index {index} is outside the ring of {self._slots} up to {self._newest}")
        self._values[index % self._slots] = value

    def get(self, index: int) -> float:
        """Return the value at an index; NaN for a gap and for what the ring does not reach."""
        return float(self._values[index % self._slots]) if self.reaches(index) else float("nan")

    def window(self, first: int, last: int) -> NDArray[np.float64]:
        """Return a copy of the values at [first, last], oldest first; both must be reached."""
        values = np.empty(last - first + 1)
        start = first % self._slots
        before_the_seam = min(len(values), self._slots - start)
        values[:before_the_seam] = self._values[start : start + before_the_seam]
        if before_the_seam < len(values):
            values[before_the_seam:] = self._values[: len(values) - before_the_seam]
        return values

    def known(self) -> tuple[int, NDArray[np.float64]]:
        """Return the grid index of the oldest value that is not a gap, and all values from it to the newest index.

        Where nothing is known the values are empty and the index is the newest one (0 before the first).
        """
        if self._newest is None:
            return 0, np.empty(0)
        values = self.window(self.oldest, self._newest)
        present = np.isfinite(values)
        first = int(present.argmax())
        if not present[first]:
            return self._newest, values[:0]
        return self.oldest + first, values[first:]

    def fill(self, first: int, values: NDArray[np.float64]) -> None:
        """Put values at [first, first + len) where the ring reaches and has a gap; NaN puts nothing.

        The newest index does not move: `advance` first where it should.
        """
        places, values = self._reached(first, values)
        gaps = np.isnan(self._values[places])
        self._values[places[gaps]] = values[gaps]

    def replace(self, first: int, values: NDArray[np.float64]) -> None:
        """Put values at [first, first + len) where the ring reaches, over what is there; NaN puts nothing."""
        places, values = self._reached(first, values)
        self._values[places] = values

    def _reached(self, first: int, values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return places in the array and values, of those that are not NaN and that the ring reaches."""
        newest = self.oldest - 1 if self._newest is None else self._newest
        indices = first + np.arange(len(values), dtype=np.int64)
        wanted = (indices >= self.oldest) & (indices <= newest) & ~np.isnan(values)
        return indices[wanted] % self._slots, values[wanted]
