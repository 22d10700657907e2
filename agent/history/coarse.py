"""From fine samples to the mean, the largest and the last value of coarse steps.

The coarse value at instant t stands for the fine grid points in (t - coarse step, t]. It is known when at least half
of them are; a mean of fewer says little, and a largest of fewer hides the peak that decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from agent.history.ring import Ring

FINEST_KEPT_FOR_WEEKS = timedelta(seconds=60)  # 14 days of it are 158 KiB
LARGEST_FLOAT32 = float(np.finfo(np.float32).max)  # a finite sample must not turn infinite in a float32 ring
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class CoarseValues:
    """What is kept of consecutive coarse steps; all are NaN where a step is not known."""

    first: int  # coarse grid index of element 0
    mean: NDArray[np.float64]  # shape (n,), demand units
    largest: NDArray[np.float64]  # shape (n,), demand units
    last: NDArray[np.float64]  # the newest value of each, shape (n,), demand units

    def between(self, first: int, last: int) -> CoarseValues:
        """Return the part with first <= coarse grid index <= last."""
        start = max(0, first - self.first)
        stop = max(start, last - self.first + 1)
        part = slice(start, stop)
        return CoarseValues(self.first + start, self.mean[part], self.largest[part], self.last[part])


@dataclass(frozen=True, slots=True)
class Coarsening:
    """How a fine grid falls into coarse steps. The coarse step need not be a multiple of the fine one."""

    fine_us: int  # fine step, microseconds
    coarse_us: int  # coarse step, microseconds, not below the fine one

    @classmethod
    def of(cls, step: timedelta) -> Coarsening:
        """Return the coarsening of a policy's step: 60 s, or the step itself where it is longer."""
        return cls(step // MICROSECOND, max(step, FINEST_KEPT_FOR_WEEKS) // MICROSECOND)

    def of_fine(self, index: int) -> int:
        """Return the coarse step that holds a fine grid point."""
        return -(-index * self.fine_us // self.coarse_us)

    def last_fine(self, coarse: int) -> int:
        """Return the last fine grid point of a coarse step; the first is the one after the step before's."""
        return coarse * self.coarse_us // self.fine_us

    def newest_complete(self, newest_fine: int) -> int:
        """Return the newest coarse step whose last fine grid point is not after the newest one."""
        return self.of_fine(newest_fine + 1) - 1

    def of_step(self, values: list[float]) -> tuple[float, float, float] | None:
        """Return mean, largest and last of the fine values of one coarse step; None when fewer than half are known."""
        present = [value for value in values if value == value]  # noqa: PLR0124  the cheapest test for NaN
        if not present or 2 * len(present) < len(values):
            return None
        largest = max(present)
        mean = min(sum(present) / len(present), largest)
        return min(mean, LARGEST_FLOAT32), min(largest, LARGEST_FLOAT32), min(present[-1], LARGEST_FLOAT32)

    def of_values(self, first: int, values: NDArray[np.float64]) -> CoarseValues:
        """Return the same for every coarse step that fine values, at grid indices from `first`, fall into."""
        if not len(values):
            return CoarseValues(self.of_fine(first), values, values, values)
        steps = -(-(first + np.arange(len(values))) * self.fine_us // self.coarse_us)
        starts = np.flatnonzero(np.diff(steps, prepend=steps[0] - 1))
        steps = steps[starts]
        present = np.isfinite(values)
        counts = np.add.reduceat(present, starts, dtype=np.int64)
        points = steps * self.coarse_us // self.fine_us - (steps - 1) * self.coarse_us // self.fine_us
        known = (counts > 0) & (2 * counts >= points)
        largest = np.where(known, np.maximum.reduceat(np.where(present, values, -np.inf), starts), np.nan)
        with np.errstate(over="ignore"):  # a sum may leave float64; the bound below brings the mean back
            sums = np.add.reduceat(np.where(present, values, 0.0), starts)
        mean = np.minimum(sums / np.maximum(counts, 1), largest)
        newest = np.maximum.reduceat(np.where(present, np.arange(len(values)), -1), starts)
        last = np.where(known, values[newest], np.nan)
        return CoarseValues(int(steps[0]), *(np.minimum(each, LARGEST_FLOAT32) for each in (mean, largest, last)))


class CoarseRing:
    """The newest coarse steps. Means in float32; largest and last as float16 ratios to the mean.

    A ratio of float16 is good to 1 in 2,000, which is all that models of weeks can use, and takes half the memory.
    Means are kept in a unit of the workload's own: what float32 rounds them to would else depend on the unit of demand,
    and a fit makes a thousandfold of such differences.
    """

    __slots__ = ("_largest", "_last", "_mean", "_unit")

    def __init__(self, slots: int, *, unit: float = 1.0) -> None:
        """Make an empty ring; `unit` is in demand units, above 0."""
        self._unit = unit
        self._mean = Ring(slots, np.float32)
        self._largest, self._last = Ring(slots, np.float16), Ring(slots, np.float16)

    @property
    def newest(self) -> int | None:
        """The newest coarse grid index reached, gap or not; None before the first."""
        return self._mean.newest

    def advance(self, index: int) -> None:
        """Make a coarse step the newest; one that is not newer changes nothing."""
        if index != self._mean.newest:  # most ticks stay within a step
            for ring in (self._mean, self._largest, self._last):
                ring.advance(index)

    def put(self, index: int, mean: float, largest: float, last: float) -> None:
        """Set one coarse step; one that the ring does not reach is left out."""
        if self._mean.reaches(index):
            self._mean.put(index, min(mean / self._unit, LARGEST_FLOAT32))
            self._largest.put(index, largest / mean if mean else 0.0)
            self._last.put(index, last / mean if mean else 0.0)

    def fill(self, values: CoarseValues) -> None:
        """Set the steps that are gaps here and known there."""
        self._mean.fill(values.first, self._in_units(values.mean))
        self._largest.fill(values.first, _ratio(values.largest, values.mean))
        self._last.fill(values.first, _ratio(values.last, values.mean))

    def replace(self, values: CoarseValues) -> None:
        """Set the steps that are known there."""
        self._mean.replace(values.first, self._in_units(values.mean))
        self._largest.replace(values.first, _ratio(values.largest, values.mean))
        self._last.replace(values.first, _ratio(values.last, values.mean))

    def values(self) -> CoarseValues:
        """Return all from the first known step on."""
        newest = self._mean.newest
        if newest is None:
            return self.newest_values(0)
        first, _ = self._mean.known()
        return self.newest_values(newest - first + 1)

    def newest_values(self, count: int) -> CoarseValues:
        """Return the newest steps, at most `count`, gaps among them; none before the first."""
        newest = self._mean.newest
        if newest is None:
            return CoarseValues(0, *(np.empty(0),) * 3)
        first = max(self._mean.oldest, newest - count + 1)
        mean, largest, last = (ring.window(first, newest) for ring in (self._mean, self._largest, self._last))
        mean *= self._unit
        return CoarseValues(first, mean, mean * largest, mean * last)

    def at(self, index: int) -> tuple[float, float, float]:
        """Return mean, largest and last of one step; NaN where it is a gap or out of reach."""
        mean = self._mean.get(index) * self._unit
        return mean, mean * self._largest.get(index), mean * self._last.get(index)

    def mean(self) -> tuple[int, NDArray[np.float64]]:
        """Return the index of the first known step and the means from it on."""
        first, means = self._mean.known()
        return first, means * self._unit

    def _in_units(self, means: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(over="ignore"):
            return np.minimum(means / self._unit, LARGEST_FLOAT32)


def _ratio(values: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(values, mean, out=np.where(np.isnan(mean), np.nan, 0.0), where=mean > 0.0)
