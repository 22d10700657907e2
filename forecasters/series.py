"""Values on a regular time grid; a gap is a NaN, never a zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def grid_index(instant: datetime, step: timedelta) -> int:
    """Return the number of the grid point at or before an instant; grid points are whole steps since the epoch."""
    return (instant - EPOCH) // step


def grid_instant(index: int, step: timedelta) -> datetime:
    """Return the instant of a grid point."""
    return EPOCH + index * step


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One signal on a regular grid.

    `values[i]` stands for the instant `start + i * step`. What it means there (an instantaneous reading, or the mean
    of the step that ends there) is the business of whoever made it.
    """

    start: datetime  # of values[0]: aware UTC, a whole number of steps since the epoch
    step: timedelta
    values: NDArray[np.float64]  # shape (n,), demand units; NaN marks a gap

    def __post_init__(self) -> None:
        if self.step <= timedelta(0):
            raise ValueError(f"step must be above 0, got {self.step}")
        if self.start.tzinfo is None:
            raise ValueError("start must be timezone-aware")
        if (self.start - EPOCH) % self.step:
            raise ValueError(f"start {self.start.isoformat()} is not on a grid of {self.step}")
        if self.values.ndim != 1:
            raise ValueError(f"values must have one dimension, got {self.values.ndim}")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def end(self) -> datetime:
        """The instant of the last value. An empty series ends one step before its start."""
        return self.start + (len(self.values) - 1) * self.step

    @property
    def present(self) -> int:
        """How many values are not gaps."""
        return int(np.isfinite(self.values).sum())

    def seconds(self) -> NDArray[np.float64]:
        """The instants as seconds since the epoch, shape (n,)."""
        first = (self.start - EPOCH).total_seconds()
        return first + self.step.total_seconds() * np.arange(len(self.values), dtype=np.float64)

    def between(self, since: datetime, until: datetime) -> Series:
        """Return the part with since <= instant <= until."""
        first = max(0, -((self.start - since) // self.step))
        last = min(len(self.values), (until - self.start) // self.step + 1)
        return Series(self.start + first * self.step, self.step, self.values[first : max(first, last)])

    def last(self, rows: int) -> Series:
        """Return the newest `rows` values."""
        skipped = max(0, len(self.values) - rows)
        return Series(self.start + skipped * self.step, self.step, self.values[skipped:])
