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

    def filled(self) -> NDArray[np.float64]:
        """Return the values with gaps drawn as straight lines, the ends held; for methods that cannot leave rows out.

        Raises:
            ValueError: there is not a single value.
        """
        known = np.isfinite(self.values)
        if not known.any():
            raise ValueError(f"series of {len(self.values)} rows from {self.start.isoformat()} is all gaps")
        rows = np.arange(len(self.values))
        return np.interp(rows, rows[known], self.values[known])

    def coarsened(self, step: timedelta) -> Series:
        """Return the mean over each `step` that ends at a coarser grid point; a gap where under half is known.

        Only whole coarse steps are returned. The instant of a mean is the end of what it covers.

        Raises:
            ValueError: step is not a multiple of the series' own.
        """
        if step == self.step:
            return self
        ratio, rest = divmod(step, self.step)
        if rest or not ratio:
            raise ValueError(f"step {step} is not a multiple of the series' step {self.step}")
        first = -(-(self.start - self.step - EPOCH) // step)  # first coarse grid point with a whole step after it
        skipped = (EPOCH + first * step - self.start) // self.step + 1
        count = max(0, (len(self.values) - skipped) // ratio)
        blocks = self.values[skipped : skipped + count * ratio].reshape(count, ratio)
        return Series(EPOCH + (first + 1) * step, step, _means(blocks))


def _means(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(blocks)
    counts = known.sum(axis=1)
    sums = np.where(known, blocks, 0.0).sum(axis=1)
    means = np.full(len(blocks), np.nan)
    np.divide(sums, counts, out=means, where=2 * counts >= blocks.shape[1])
    return means
