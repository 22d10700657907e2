"""Demand that is pinned at a capacity: what is measured is what was served, and more may have been asked for.

A served rate that has reached what the replicas can do rises steeply, stops at one level, stays there far longer than
a peak of its steepness would, and hardly moves while it does: the queue before it swallows the noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.series import Series

_ROW = timedelta(minutes=1)  # means over it are looked at
_BAND = 0.04  # below the ceiling, of it
_LEAST = timedelta(minutes=10)  # shorter plateaus are peaks
# The rise to the ceiling is measured over a quarter of the stay, so that noise does not hide a slow one.
_BEFORE_LEAST, _BEFORE_MOST = timedelta(minutes=10), timedelta(hours=1)
# A parabola's rise, carried on for half of its stay in the band, overshoots by 2 to 4 bands, a tent's by one.
_OVERSHOOT = 6.0
_QUIET = 0.5  # of the noise just below the ceiling
_BELOW = (0.6, 0.95)  # of the ceiling: where that noise is measured
_NO_NOISE = 0.001  # of the ceiling: a series without noise says nothing by its noise


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A level that demand does not pass."""

    level: float  # demand units
    plateaus: int
    total: timedelta  # spent there
    longest: timedelta
    since: datetime  # of the longest


def find_ceiling(series: Series, spacing: timedelta) -> Ceiling | None:
    """Return the level at which a past is pinned; None where it is not.

    Args:
        series: demand; its step divides a minute, or is longer.
        spacing: distance of what it was made from, at least its step.
    """
    width = max(1, math.ceil(max(_ROW, spacing) / series.step))
    rows = _means(series.values, width)
    known = rows[np.isfinite(rows)]
    if known.size < 2 or known.max() <= 0:
        return None
    level = float(np.quantile(known, 0.999, method="lower"))
    row = width * series.step
    runs = [run for run in _runs(rows >= (1 - _BAND) * level) if (run[1] - run[0]) * row >= max(_LEAST, 3 * row)]
    pinned = [run for run in runs if _is_cut_off(rows, run, level, row)]
    if not pinned or not _is_quiet(rows, pinned, level):
        return None
    begin, end = max(pinned, key=lambda run: run[1] - run[0])
    return Ceiling(
        level=float(np.median(np.concatenate([rows[first:last] for first, last in pinned]))),
        plateaus=len(pinned),
        total=sum(last - first for first, last in pinned) * row,
        longest=(end - begin) * row,
        since=series.start + begin * row,
    )


def _means(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return means over so many values each; NaN where one is missing."""
    means: NDArray[np.float64] = values[: len(values) // width * width].reshape(-1, width).mean(axis=1)
    return means


def _runs(inside: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return begin and end (exclusive) of each unbroken stay."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(np.int8), [0]])))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _is_cut_off(rows: NDArray[np.float64], run: tuple[int, int], level: float, row: timedelta) -> bool:
    """Whether the rise into a stay, carried on for half of it, would have gone far above the level."""
    begin, end = run
    back = max(1, min(max(_BEFORE_LEAST, (end - begin) * row / 4), _BEFORE_MOST) // row)
    if begin < back or not np.isfinite(rows[begin - back]):
        return False
    rise = float(rows[begin] - rows[begin - back]) / back
    return rise * (end - begin) / 2 >= _OVERSHOOT * _BAND * level


def _is_quiet(rows: NDArray[np.float64], runs: list[tuple[int, int]], level: float) -> bool:
    """Whether demand moves far less at the level than just below it, or not at all in either place."""
    bends = np.abs(np.diff(rows, 2))  # a straight rise has none
    middles = rows[1:-1]
    inside = np.zeros(len(bends), np.bool_)
    for begin, end in runs:
        inside[begin : max(begin, end - 2)] = True
    low, high = _BELOW
    below = (middles >= low * level) & (middles <= high * level) & np.isfinite(bends)
    if not below.any() or not inside.any():
        return False
    noise = float(np.median(bends[below]))
    return noise < _NO_NOISE * level or float(np.median(bends[inside])) <= _QUIET * noise
