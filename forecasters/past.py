"""The long past of one signal as rows a coarse step apart, and how far demand rose after each of them.

Gaps are carried on, so that windows over them can be computed, and marked, so that nothing is learned from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.local_days import LocalDays


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Rows of a regular grid, oldest first; row i stands for the step that ends at grid point `first + i`."""

    first: int  # grid index of row 0, whole steps since the epoch
    minutes: float  # between two rows
    last: NDArray[np.float64]  # demand at the end of each row, shape (n,); a gap repeats what was before it
    largest: NDArray[np.float64]  # largest demand within each row, shape (n,); likewise
    mean: NDArray[np.float64]  # of each row, shape (n,); NaN in a gap
    known: NDArray[np.bool_]  # False marks a gap, shape (n,)
    days: LocalDays | None = None  # of local time; None is a clock that was never changed

    @classmethod
    def of_rows(
        cls,
        first: int,
        step: timedelta,
        last: NDArray[np.float64],
        largest: NDArray[np.float64],
        known: NDArray[np.bool_],
        *,
        mean: NDArray[np.float64] | None = None,
        days: LocalDays | None = None,
    ) -> Past:
        """Return the rows from the first known one on; what is not known may hold anything.

        Without means, each row's last value stands for its mean.
        """
        mean = last if mean is None else mean
        skipped = int(known.argmax()) if known.any() else len(known)
        last, largest, mean, known = last[skipped:], largest[skipped:], mean[skipped:], known[skipped:]
        if known.all():  # as most are, and most often looked at
            return cls(first + skipped, step.total_seconds() / 60, last, largest, mean, known, days)
        source = np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))  # of each row, the newest known one
        carried = last[source]
        largest = np.where(known, largest, carried)
        mean = np.where(known, mean, np.nan)
        return cls(first + skipped, step.total_seconds() / 60, carried, largest, mean, known, days)

    def __len__(self) -> int:
        return len(self.last)

    def newest(self, rows: int) -> Past:
        """Return the newest rows."""
        skipped = max(0, len(self) - rows)
        return self.between(skipped, len(self))

    def between(self, begin: int, end: int) -> Past:
        """Return the rows [begin, end)."""
        rows = slice(begin, end)
        last, largest, mean = self.last[rows], self.largest[rows], self.mean[rows]
        return Past(self.first + begin, self.minutes, last, largest, mean, self.known[rows], self.days)

    def rows(self, minutes: float) -> int:
        """Return the number of rows that is nearest to a span, at least 1."""
        return max(1, round(minutes / self.minutes))


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What followed each row of a past: the largest demand of the rows after it, as far as the look-ahead reaches."""

    past: Past
    ahead: int  # rows of the look-ahead
    peak: NDArray[np.float64]  # shape (n - ahead,), demand units: of those rows whose look-ahead has passed
    rise: NDArray[np.float64]  # peak over the demand at the row, shape (n - ahead,), may be negative
    known: NDArray[np.bool_]  # False where the row itself or part of what followed is a gap, shape (n - ahead,)

    @classmethod
    def of(cls, past: Past, ahead: int) -> Outcomes:
        """Look up what followed; a past no longer than the look-ahead has no outcome."""
        count = max(0, len(past) - ahead)
        peak = largest_after(past.largest, ahead)[:count]
        known = past.known[:count]
        if not past.known.all():
            known = known & (largest_after((~past.known).astype(np.float64), ahead)[:count] == 0.0)
        return cls(past, ahead, peak, peak - past.last[:count], known)


def largest_after(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the largest of the next `count` values after each; shape (n,), meaningless in the last `count` places.

    Windows are doubled instead of walked: the cost is n log(count).
    """
    window, width = values, 1
    while 2 * width <= count:
        window = np.maximum(window, _shifted(window, width))
        width *= 2
    return _shifted(np.maximum(window, _shifted(window, count - width)), 1)


def _shifted(values: NDArray[np.float64], places: int) -> NDArray[np.float64]:
    """Return the values moved towards the front, the last one repeated."""
    if places == 0 or not len(values):
        return values
    moved = np.empty_like(values)
    kept = max(0, len(values) - places)
    moved[:kept] = values[len(values) - kept :]
    moved[kept:] = values[-1]
    return moved
