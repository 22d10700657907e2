"""How samples lie in the store: one array per tick first, then one blob per signal and stretch of time.

A tick is written as it comes, a few hundred kB for 10,000 signals in one insert. Later many ticks are turned into
chunks, each the values of one signal, so that two weeks of it are a few hundred short reads. Values are float32: 4
bytes a sample, exact to 6e-8 of the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.history.store import StoredSample
from forecasters.series import EPOCH, Series, grid_index, grid_instant

MICROSECOND = timedelta(microseconds=1)
LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
TICK = np.dtype([("signal", "<i4"), ("at", "<i8"), ("value", "<f4")])  # at: microseconds since the epoch
POINT = np.dtype([("at", "<i8"), ("value", "<f4")])

TickRows = NDArray[np.void]  # of dtype TICK
Points = NDArray[np.void]  # of dtype POINT, ascending


@dataclass(frozen=True, slots=True)
class Chunk:
    """The samples of one signal in [start_us, until_us].

    With a step the body holds float32 values at start, start + step, …, gaps as NaN; with step 0 it holds `POINT`s.
    """

    signal: int
    start_us: int
    until_us: int
    step_us: int
    body: bytes


def microseconds(instant: datetime) -> int:
    """Return an instant as whole microseconds since the epoch."""
    return (instant - EPOCH) // MICROSECOND


def instant_of(us: int) -> datetime:
    """Return the instant of a number of microseconds since the epoch."""
    return EPOCH + us * MICROSECOND


def tick_rows(signals: Sequence[int], samples: Sequence[StoredSample]) -> TickRows:
    """Return samples as rows, with the numbers that stand for their signals."""
    rows = np.empty(len(samples), dtype=TICK)
    rows["signal"] = signals
    rows["at"] = _instants(samples)
    rows["value"] = np.minimum([sample.value for sample in samples], LARGEST_FLOAT32)
    return rows


def _instants(samples: Sequence[StoredSample]) -> list[int]:
    known: dict[datetime, int] = {}  # the signals of a tick share one instant, or a few
    return [known.get(sample.at) or known.setdefault(sample.at, microseconds(sample.at)) for sample in samples]


def chunks(rows: TickRows) -> Iterator[Chunk]:
    """Turn rows, in the order in which they were taken in, into one chunk per signal."""
    rows = rows[np.argsort(rows["signal"], kind="stable")]
    starts = np.flatnonzero(np.diff(rows["signal"], prepend=rows["signal"][:1] - 1))
    signals = rows["signal"][starts].tolist()
    for signal, start, stop in zip(signals, starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
        yield chunk_of(signal, rows["at"][start:stop], rows["value"][start:stop])


def chunk_of(signal: int, at: NDArray[np.int64], values: NDArray[np.float32]) -> Chunk:
    """Return one signal's samples as a chunk; of two at one instant the later taken stays."""
    gaps = np.diff(at)
    if len(gaps) and gaps.min() <= 0:
        at, values = _ascending(at, values)
        gaps = np.diff(at)
    step = int(np.gcd.reduce(gaps)) if len(gaps) else 1
    start, until = int(at[0]), int(at[-1])
    slots = (until - start) // step + 1
    if slots * values.itemsize > len(at) * POINT.itemsize:  # scattered instants: a grid would be mostly gaps
        points = np.empty(len(at), dtype=POINT)
        points["at"], points["value"] = at, values
        return Chunk(signal, start, until, 0, points.tobytes())
    if slots == len(at):
        return Chunk(signal, start, until, step, values.tobytes())
    grid = np.full(slots, np.nan, dtype=np.float32)
    grid[(at - start) // step] = values
    return Chunk(signal, start, until, step, grid.tobytes())


def points_of(start_us: int, step_us: int, body: bytes) -> Points:
    """Return the samples of a chunk; a gap is a point whose value is NaN."""
    if step_us == 0:
        return np.frombuffer(body, dtype=POINT)
    values = np.frombuffer(body, dtype="<f4")
    points = np.empty(len(values), dtype=POINT)
    points["at"] = np.arange(start_us, start_us + step_us * len(values), step_us)
    points["value"] = values
    return points


def series_of(points: Points, *, since: datetime, step: timedelta) -> Series:
    """Return points from an instant on as a series on a grid; of two at one grid point the later in order stays."""
    points = points[(points["at"] >= microseconds(since)) & ~np.isnan(points["value"])]
    if not len(points):
        return Series(grid_instant(grid_index(since, step), step), step, np.empty(0))
    indices = points["at"] // (step // MICROSECOND)
    first = int(indices.min())
    values = np.full(int(indices.max()) - first + 1, np.nan)
    values[indices - first] = points["value"]
    return Series(grid_instant(first, step), step, values)


def _ascending(at: NDArray[np.int64], values: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    unique, newest_first = np.unique(at[::-1], return_index=True)
    return unique, values[::-1][newest_first]
