"""One signal's past in memory: a fine ring at the policy's step, a coarse one of mean and largest for weeks.

No I/O and no clock: `now` is passed in. What is not known is a gap; what was not taken is counted by its reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from agent.history.coarse import LARGEST_FLOAT32, MICROSECOND, Coarsening, CoarseRing, CoarseValues
from agent.history.ring import Ring
from agent.sources.source import Sample
from forecasters.series import Series, grid_index, grid_instant


class Taken(StrEnum):
    """What became of a sample: accepted, or dropped for the reason named."""

    ACCEPTED = "accepted"
    NOT_FINITE = "not_finite"
    NEGATIVE = "negative"
    FROM_THE_FUTURE = "from_the_future"  # more than one step ahead of now
    DUPLICATE = "duplicate"  # the newest grid point again: the first sample of a grid point wins
    OUT_OF_ORDER = "out_of_order"  # an older grid point that is known already
    TOO_OLD = "too_old"  # older than the fine ring
    BEYOND_BELIEF = "beyond_belief"  # of a past: more than any demand can have been


class History:
    """The known past of one signal.

    A sample belongs to the grid point at or before its instant. Time as the samples tell it only moves forward: a
    clock that is set back drops nothing that is held, and one that is set ahead leaves a gap.
    """

    __slots__ = ("_coarse", "_coarsening", "_dropped", "_fine", "_last", "_most", "_rewrites", "_step")

    def __init__(
        self,
        step: timedelta,
        *,
        fine_span: timedelta,
        coarse_span: timedelta,
        unit: float = 1.0,
        most: float = math.inf,
    ) -> None:
        """Make an empty history.

        Args:
            step: spacing of the samples, the policy's.
            fine_span: how much is kept at that step; four look-aheads or more, so that a decision sees its own past.
            coarse_span: how much is kept at `coarse_step`.
            unit: demand units by which the coarse past is counted, such as what a replica serves; above 0.
            most: demand above it is a metric's bug: a live sample of it is `last`, and a gap in both grids.

        Raises:
            ValueError: the step is not above 0 or a span is shorter than two coarse steps.
        """
        if step <= timedelta(0):
            raise ValueError(f"step must be above 0, got {step}")
        self._step, self._most = step, most
        self._coarsening = Coarsening.of(step)
        if min(fine_span, coarse_span) < 2 * self.coarse_step:
            raise ValueError(
                f"spans must be two coarse steps ({self.coarse_step}) or more, got {fine_span}, {coarse_span}"
            )
        self._fine = Ring(fine_span // step, np.float64)
        self._coarse = CoarseRing(coarse_span // self.coarse_step, unit=unit)
        self._last: Sample | None = None
        self._dropped: Counter[Taken] = Counter()
        self._rewrites = 0

    @property
    def step(self) -> timedelta:
        """Spacing of the fine grid."""
        return self._step

    @property
    def coarse_step(self) -> timedelta:
        """Spacing of the coarse grid: 60 s, or `step` where that is longer."""
        return self._coarsening.coarse_us * MICROSECOND

    @property
    def last(self) -> Sample | None:
        """The newest sample as it came, its instant not snapped to the grid."""
        return self._last

    @property
    def dropped(self) -> Mapping[Taken, int]:
        """How many samples were not taken, by reason."""
        return MappingProxyType(self._dropped)

    def believes(self, sample: Sample) -> bool:
        """Return whether demand can have been as high as a sample says."""
        return sample.value <= self._most

    def append(self, sample: Sample, now: datetime) -> Taken:
        """Take in a live sample, also a late one whose grid point is still a gap."""
        index = grid_index(sample.at, self._step)
        taken = self._judge(sample, index, now)
        if taken is not Taken.ACCEPTED:
            self._dropped[taken] += 1
            return taken
        if self._fine.newest is None or index > self._fine.newest:
            self._move_to(index)
            self._last = sample
        else:
            self._rewrites += 1
        self._fine.put(index, sample.value if self.believes(sample) else math.nan)
        self._renew(self._coarsening.of_fine(index))
        return taken

    def backfill_fine(self, series: Series) -> None:
        """Fill gaps of both grids from a past at `step`, which may reach back further than the fine ring.

        Raises:
            ValueError: the series is on another step.
        """
        first, values = self._usable(series, self._step)
        if not len(values):
            return
        self._rewrites += 1
        last = first + len(values) - 1
        if self._fine.newest is None or last > self._fine.newest:
            self._move_to(last)
            self._last = Sample(grid_instant(last, self._step), float(values[-1]))
        self._coarse.fill(self._complete(self._coarsening.of_values(first, values)))
        self._fine.fill(first, values)
        known = self._complete(self._coarsening.of_values(*self._fine.known()))
        whole = self._coarsening.of_fine(self._fine.oldest - 1) + 1  # samples of the step before have left the ring
        self._coarse.replace(known.between(whole, known.first + len(known.mean)))

    def backfill_coarse(self, mean: Series, largest: Series, last: Series | None = None) -> None:
        """Fill gaps of the coarse grid where mean and largest value are known.

        Args:
            mean: of each coarse step.
            largest: of each coarse step.
            last: newest value of each; without it, and where it is a gap, the mean stands for it.

        Raises:
            ValueError: a series is on another step than `coarse_step`.
        """
        parts = [self._usable(series, self.coarse_step) for series in (mean, largest)]
        first = max(start for start, _ in parts)
        end = min(start + len(values) for start, values in parts)
        if end <= first:
            return
        self._rewrites += 1
        means, peaks = (values[first - start : end - start] for start, values in parts)
        lasts = means if last is None else self._over(last, first, means)
        gaps = np.isnan(means) | np.isnan(peaks)
        kept = (np.where(gaps, np.nan, np.minimum(values, LARGEST_FLOAT32)) for values in (means, peaks, lasts))
        self._coarse.advance(end - 1)
        self._coarse.fill(CoarseValues(first, *kept))

    def fine(self) -> Series:
        """Return the fine grid from the oldest known sample in it to the newest."""
        return _series(self._fine.known(), self._step)

    @property
    def newest_coarse(self) -> int | None:
        """Grid index of the newest complete coarse step, gap or not; None before the first."""
        return self._coarse.newest

    @property
    def rewrites(self) -> int:
        """How often the past was changed otherwise than by a newer sample: what was worked out from it may be wrong."""
        return self._rewrites

    def newest_fine(self, count: int) -> NDArray[np.float64]:
        """Return the newest values of the fine grid, at most `count`; gaps are NaN."""
        newest = self._fine.newest
        return np.empty(0) if newest is None else self._fine.window(max(self._fine.oldest, newest - count + 1), newest)

    def coarse_mean(self) -> Series:
        """Return the means of complete coarse steps; the value at t stands for (t - coarse_step, t]."""
        return _series(self._coarse.mean(), self.coarse_step)

    def coarse(self, newest: int | None = None) -> CoarseValues:
        """Return what is kept of complete coarse steps: all from the first known one, or the newest, gaps and all."""
        return self._coarse.values() if newest is None else self._coarse.newest_values(newest)

    def coarse_at(self, index: int) -> tuple[float, float, float]:
        """Return mean, largest and last value of one complete coarse step; NaN where it is not known."""
        return self._coarse.at(index)

    def age(self, now: datetime) -> timedelta | None:
        """Return how far the last sample is from now; None where there is none.

        A sample ahead of now (the clock was set back) counts as that old: it is not known to be fresher.
        """
        return None if self._last is None else abs(now - self._last.at)

    def gap_share(self, since: datetime) -> float:
        """Return the share of gaps among the coarse steps after `since` up to the newest complete one; 1 if none is."""
        newest = self._coarse.newest
        steps = 0 if newest is None else newest - grid_index(since, self.coarse_step)
        return (steps - self.coarse_mean().last(steps).present) / steps if steps > 0 else 1.0

    def span(self) -> timedelta:
        """Return the time from the first to the last coarse step that is known."""
        known = np.flatnonzero(np.isfinite(self.coarse_mean().values))
        return int(known[-1]) * self.coarse_step if len(known) else timedelta(0)

    def _judge(self, sample: Sample, index: int, now: datetime) -> Taken:
        if not math.isfinite(sample.value):
            return Taken.NOT_FINITE
        if sample.value < 0:
            return Taken.NEGATIVE
        if sample.at > now + self._step:
            return Taken.FROM_THE_FUTURE
        newest = self._fine.newest
        if newest is None or index > newest:
            return Taken.ACCEPTED
        if index == newest:
            return Taken.DUPLICATE
        if not self._fine.reaches(index):
            return Taken.TOO_OLD
        return Taken.ACCEPTED if math.isnan(self._fine.get(index)) else Taken.OUT_OF_ORDER

    def _move_to(self, index: int) -> None:
        """Move to a newer grid point; a coarse step under way ends before its samples can leave the ring."""
        newest = self._fine.newest
        if newest is not None:
            ending = self._coarsening.of_fine(newest)
            last = self._coarsening.last_fine(ending)
            if newest < last < index:
                self._fine.advance(last)
                self._coarse.advance(ending)
                self._renew(ending)
        self._fine.advance(index)
        self._coarse.advance(self._coarsening.newest_complete(index))

    def _renew(self, coarse: int) -> None:
        """Set a coarse step from its samples, once it is complete and while they are all in the ring."""
        first, last = self._coarsening.last_fine(coarse - 1) + 1, self._coarsening.last_fine(coarse)
        if self._fine.reaches(last) and self._fine.reaches(first):
            known = self._coarsening.of_step(self._fine.window(first, last).tolist())
            if known is not None:
                self._coarse.put(coarse, *known)

    def _complete(self, values: CoarseValues) -> CoarseValues:
        newest = self._fine.newest
        return values if newest is None else values.between(values.first, self._coarsening.newest_complete(newest))

    def _over(self, series: Series, first: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values from a coarse index on, those of a series in their place where it has them."""
        start, known = self._usable(series, self.coarse_step)
        laid = values.copy()
        begin, end = max(start, first), min(start + len(known), first + len(values))
        if begin < end:
            there = known[begin - start : end - start]
            laid[begin - first : end - first] = np.where(np.isnan(there), laid[begin - first : end - first], there)
        return laid

    def _usable(self, series: Series, step: timedelta) -> tuple[int, NDArray[np.float64]]:
        """Return the grid index of the first usable value and all up to the last; the rest are counted and NaN."""
        if series.step != step:
            raise ValueError(f"a backfill must be on the grid of {step}, got one of {series.step}")
        values = series.values
        infinite = np.isinf(values)
        negative, beyond = (values < 0) & ~infinite, (values > self._most) & ~infinite
        self._dropped[Taken.NOT_FINITE] += int(infinite.sum())
        self._dropped[Taken.NEGATIVE] += int(negative.sum())
        self._dropped[Taken.BEYOND_BELIEF] += int(beyond.sum())
        usable = np.where(infinite | negative | beyond, np.nan, values)
        known = np.flatnonzero(~np.isnan(usable))
        if not len(known):
            return 0, usable[:0]
        return grid_index(series.start, step) + int(known[0]), usable[known[0] : known[-1] + 1]


def _series(known: tuple[int, NDArray[np.float64]], step: timedelta) -> Series:
    first, values = known
    return Series(grid_instant(first, step), step, values)
