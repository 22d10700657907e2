"""Demand as a CSV file that something else writes: read again whenever it has changed."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from agent.sources.csv import Columns, Rows, on_grid, read_rows
from agent.sources.source import Backfill, Reading, Sample, SignalState, SourceError
from forecasters.series import EPOCH, Series, grid_index, grid_instant


class CsvSource:
    """One signal: the rows of a file up to now."""

    def __init__(self, path: Path, *, columns: Columns, step: timedelta, delay: timedelta) -> None:
        self._path = path
        self._columns = columns
        self._step = step
        self._delay = delay
        self._file: _File | None = None

    async def latest(self, now: datetime) -> Reading:
        """Return the newest row's value; `newest` is that row's own time, however long ago.

        Raises:
            SourceError: the file cannot be read, or has no usable row up to now.
        """
        rows = await self._rows()
        at = grid_instant(grid_index(now - self._delay, self._step), self._step)
        place = int(np.searchsorted(rows.seconds, at.timestamp(), side="right")) - 1
        if place < 0:
            raise SourceError(
                SignalState.EMPTY,
                f"{self._path}: holds no row up to {at.isoformat()}",
                mend="append rows `timestamp,value` in unix seconds as time goes on",
                is_retriable=True,
            )
        newest, value = datetime.fromtimestamp(rows.seconds[place], UTC), float(rows.values[place])
        if math.isnan(value):
            raise SourceError(
                SignalState.NOT_A_NUMBER,
                f"{self._path}: the row of {newest.isoformat()} has no usable value",
                mend="write a finite number of at least 0",
                is_retriable=True,
            )
        return Reading(Sample(at, value), newest, rows.warnings)

    async def range(self, start: datetime, end: datetime, step: timedelta) -> Backfill:
        """Return the file's values at grid points in [start, end], gaps as NaN.

        Raises:
            SourceError: the file cannot be read.
        """
        rows = await self._rows()
        return Backfill(self._between(rows, start, end, step), rows.dropped, rows.warnings)

    async def coarse_range(self, start: datetime, end: datetime, step: timedelta) -> tuple[Backfill, Backfill]:
        """Return the mean and the largest value over each `step` that ends at a grid point in [start, end].

        Raises:
            SourceError: the file cannot be read.
            ValueError: step is not a multiple of the signal's.
        """
        if step % self._step:
            raise ValueError(f"a coarse step of {step} is not a multiple of the signal's {self._step}")
        ratio = step // self._step
        rows = await self._rows()
        begin, last = _grid_point_from(start, step), grid_instant(grid_index(end, step), step)
        fine = self._between(rows, begin - (ratio - 1) * self._step, last, self._step)
        steps = fine.values.reshape(-1, ratio)
        mean, largest = np.full(len(steps), np.nan), np.full(len(steps), np.nan)
        is_known = np.isfinite(steps).any(axis=1)
        mean[is_known] = np.nanmean(steps[is_known], axis=1)
        largest[is_known] = np.nanmax(steps[is_known], axis=1)
        told = (rows.dropped, rows.warnings)
        return Backfill(Series(begin, step, mean), *told), Backfill(Series(begin, step, largest), *told)

    def _between(self, rows: Rows, start: datetime, end: datetime, step: timedelta) -> Series:
        begin = _grid_point_from(start, step)
        values = np.full(max(0, (end - begin) // step + 1), np.nan)
        if rows.seconds.size:
            known = on_grid(self._path, rows, step).between(begin, end)
            skipped = (known.start - begin) // step
            values[skipped : skipped + len(known)] = known.values
        return Series(begin, step, values)

    async def _rows(self) -> Rows:
        return await asyncio.to_thread(self._read_if_changed)

    def _read_if_changed(self) -> Rows:
        stamp = _stamp(self._path)
        if self._file is None or self._file.stamp != stamp:
            self._file = _File(stamp, read_rows(self._path, columns=self._columns))
        return self._file.rows


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    stamp: object
    rows: Rows


def _grid_point_from(instant: datetime, step: timedelta) -> datetime:
    return grid_instant(-((EPOCH - instant) // step), step)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None  # told when it is read
    return found.st_mtime_ns, found.st_size
