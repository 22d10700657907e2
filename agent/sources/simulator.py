"""The demo's source: what Prometheus would show of the simulated load.

A value at an instant is the mean of the 60 s that ended one scrape before it, as `rate(...[1m])` gives where the newest
scrape is 15 s old. While the load's data are missing there is no value.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.demo.load import STEP, SimulatedLoad
from agent.sources.source import Backfill, Reading, Sample, SignalState, SourceError
from forecasters.series import Series, grid_index, grid_instant

WINDOW = timedelta(seconds=60)  # over which the query averages
SCRAPE = timedelta(seconds=15)  # how old the newest scrape is


class SimulatorSource:
    """One signal: the load of the demo's workload."""

    def __init__(self, load: SimulatedLoad) -> None:
        self._load = load

    async def latest(self, now: datetime) -> Reading:
        """Return the value at the newest grid point.

        Raises:
            SourceError: the data are missing just now; retriable.
        """
        return self.read(now)

    def read(self, now: datetime) -> Reading:
        """Return what `latest` does, without a loop."""
        index = grid_index(now, STEP)
        at = grid_instant(index, STEP)
        gap = self._load.gap_around(at)
        if gap is not None:
            raise SourceError(
                SignalState.EMPTY,
                f"the simulated query returns no series at {at:%H:%M:%S}",
                mend=f"nothing: the demo's gap in the data ends at {gap[1]:%H:%M:%S} of the simulated day",
                is_retriable=True,
            )
        return Reading(sample=Sample(at, float(self._values(index, 1)[0])), newest=at - SCRAPE)

    async def range(self, start: datetime, end: datetime, step: timedelta) -> Backfill:
        """Return the signal at grid points in [start, end], NaN where the data are missing.

        Raises:
            ValueError: step is not a multiple of 15 s.
        """
        first, last, ratio = _grid(start, end, step)
        fine = self._with_gaps(first * ratio, max(0, (last - first) * ratio + 1))
        return Backfill(Series(grid_instant(first, step), step, fine[::ratio]))

    async def coarse_range(self, start: datetime, end: datetime, step: timedelta) -> tuple[Backfill, Backfill]:
        """Return the mean and the largest value over each `step` that ends at a grid point in [start, end].

        A step with no value at all is NaN; of one that holds some, those count.

        Raises:
            ValueError: step is not a multiple of 15 s.
        """
        first, last, ratio = _grid(start, end, step)
        rows = max(0, last - first + 1)
        fine = self._with_gaps((first - 1) * ratio + 1, rows * ratio).reshape(rows, ratio)
        present = np.isfinite(fine)
        counts = present.sum(axis=1)
        totals = np.where(present, fine, 0.0).sum(axis=1)
        mean = np.divide(totals, counts, out=np.full(rows, np.nan), where=counts > 0)
        largest = np.where(counts > 0, np.where(present, fine, -np.inf).max(axis=1), np.nan)
        since = grid_instant(first, step)
        return Backfill(Series(since, step, mean)), Backfill(Series(since, step, largest))

    def _values(self, first: int, count: int) -> NDArray[np.float64]:
        """The values at grid points, as if no data were missing."""
        late, width = SCRAPE // STEP, WINDOW // STEP
        # a grid point's own step has not happened yet, so the window ends `late` steps before it
        load = self._load.demand(first - late - width, count + width - 1)
        return np.convolve(load, np.full(width, 1 / width), mode="valid") if count else np.zeros(0)

    def _with_gaps(self, first: int, count: int) -> NDArray[np.float64]:
        values = self._values(first, count)
        for begins, ends in self._load.gaps_between(grid_instant(first, STEP), grid_instant(first + count, STEP)):
            values[max(0, grid_index(begins, STEP) - first) : max(0, grid_index(ends, STEP) - first)] = np.nan
        return values


def _grid(start: datetime, end: datetime, step: timedelta) -> tuple[int, int, int]:
    """The first and last grid point in [start, end], and how many 15-s steps lie between two of them."""
    if step < STEP or step % STEP:
        raise ValueError(f"the simulator's step must be a multiple of {STEP}, got {step}")
    first = grid_index(start + step - timedelta(microseconds=1), step)
    return first, grid_index(end, step), step // STEP
