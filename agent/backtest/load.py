"""A user's past as offered load on the HPA's grid, and what has to be said about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.series import Series, grid_instant

SYNC = timedelta(seconds=15)  # the HPA's default period: the simulation's step
# Rows as far apart as this are drawn as straight lines between their middles; closer ones stand until the next.
_HELD = timedelta(seconds=60)
_HOLD = 1.5  # spacings for which a row stands: its own and half of one for jitter
# No service's load is a thousand times what it is in all but a hundredth of its time; a counter's overflow is.
_SPIKE = 1000.0


class UnusableLoad(Exception):
    """A past that nothing can be simulated on; the message says what is wrong and what to give instead."""


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """Offered load, step by step."""

    series: Series  # values[i] is the mean over the SYNC that begins at its instant; NaN where it is not known
    spacing: timedelta  # usual distance of the rows that it comes from
    notes: tuple[str, ...] = ()  # what was left out or put right


def from_rows(seconds: NDArray[np.float64], values: NDArray[np.float64]) -> Load:
    """Return the load that rows describe.

    Args:
        seconds: since the epoch, ascending, no two alike; a row's value holds from there to the next row.
        values: not below 0; NaN where the row has no usable value.
    """
    width = SYNC.total_seconds()
    spacing = float(np.median(np.diff(seconds))) if len(seconds) > 1 else width
    first, last = int(seconds[0] // width), int(np.ceil((seconds[-1] + spacing) / width))
    middles = (np.arange(first, max(last, first + 1), dtype=np.float64) + 0.5) * width
    if spacing < width:
        load = _means(seconds, values, first=first, count=len(middles), width=width)
    elif spacing <= _HELD.total_seconds():
        load = _held(seconds, values, middles, longest=_HOLD * spacing)
    else:
        load = _straight(seconds + spacing / 2, values, middles, longest=_HOLD * spacing)
    return Load(Series(grid_instant(first, SYNC), SYNC, load), timedelta(seconds=spacing))


def from_series(series: Series, notes: tuple[str, ...]) -> Load:
    """Return a series that has the grid already, such as a range query's, as load: each value holds from its instant.

    Raises:
        UnusableLoad: it is all gaps.
    """
    known = np.flatnonzero(np.isfinite(series.values))
    if not known.size:
        raise UnusableLoad(f"there is no value between {_day(series.start)} and {_day(series.end)}")
    first, last = int(known[0]), int(known[-1])
    kept = Series(series.start + first * series.step, series.step, series.values[first : last + 1])
    return Load(kept, series.step, notes)


def spike_limit(values: NDArray[np.float64]) -> float:
    """Return the value above which one is no load but a fault of the metric; infinite where all are 0."""
    there = values[values > 0]
    return _SPIKE * float(np.quantile(there, 0.99, method="lower")) if there.size else np.inf


def spike_note(where: str, spikes: NDArray[np.float64], limit: float, largest: str) -> str:
    """Say what was left out as a spike; `largest` says where the largest of them stands."""
    return (
        f"{where}: left out as a fault of the metric, {len(spikes)} above {limit:.3g}, a thousand times what demand is"
        f" in 99 % of its time; the largest is {spikes.max():.3g}, {largest}. Mend the query or take it out"
    )


def _means(
    seconds: NDArray[np.float64], values: NDArray[np.float64], *, first: int, count: int, width: float
) -> NDArray[np.float64]:
    known = np.isfinite(values)
    places = (seconds[known] // width).astype(np.int64) - first
    with np.errstate(invalid="ignore"):  # a step without a row is a gap
        sums = np.bincount(places, weights=values[known], minlength=count)
        return sums[:count] / np.bincount(places, minlength=count)[:count]


def _held(
    seconds: NDArray[np.float64], values: NDArray[np.float64], middles: NDArray[np.float64], *, longest: float
) -> NDArray[np.float64]:
    before = np.maximum(np.searchsorted(seconds, middles, side="right") - 1, 0)
    return np.where(middles - seconds[before] < longest, values[before], np.nan)


def _straight(
    centres: NDArray[np.float64], values: NDArray[np.float64], middles: NDArray[np.float64], *, longest: float
) -> NDArray[np.float64]:
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(middles), np.nan)
    centres, values = centres[known], values[known]
    load = np.interp(middles, centres, values)
    after = np.searchsorted(centres, middles)
    inside = (after > 0) & (after < len(centres))
    apart = np.zeros(len(middles))
    apart[inside] = np.diff(centres)[after[inside] - 1]
    return np.where(apart > longest, np.nan, load)


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
