"""Trailing windows of arrays, and quantiles of what is known: what the past is told by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def trailing_largest(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the largest of each value and the `count - 1` before it, shape (n,)."""
    window, width = values, 1
    while 2 * width <= count:
        window = np.maximum(window, _delayed(window, width))
        width *= 2
    return np.maximum(window, _delayed(window, count - width))


def trailing_quantiles(
    values: NDArray[np.float64], ends: NDArray[np.int64], count: int, levels: tuple[float, ...]
) -> list[NDArray[np.float64]]:
    """Return quantiles of the `count` values up to each end, or of as many as there are; NaN where there is none."""
    if len(ends) == 1:
        window = values[max(0, ends[0] - count + 1) : max(0, ends[0] + 1)]
        newest = _quantiles(window, levels) if len(window) else [np.nan] * len(levels)
        return [np.array([quantile]) for quantile in newest]
    distinct, places = np.unique(ends, return_inverse=True)
    found = np.full((len(levels), len(distinct)), np.nan)
    whole = int(np.searchsorted(distinct, count - 1))
    ordered, known = values[:0], 0
    for row in range(int(np.searchsorted(distinct, 0)), whole):
        end = int(distinct[row]) + 1
        ordered = np.sort(np.concatenate([ordered, values[known:end]]), kind="stable")  # two runs are only merged
        found[:, row], known = ordered_quantiles(ordered, levels), end
    if whole < len(distinct):
        ends = distinct[whole:]
        for row, (below, above, share) in enumerate(_ranks(count, levels)):
            low, high = (_trailing_ranked(values, rank, count)[ends] for rank in (below, above))
            found[row, whole:] = low * (1 - share) + high * share
    return list(found[:, places])


def _quantiles(values: NDArray[np.float64], levels: tuple[float, ...]) -> list[float]:
    """Return quantiles of values in any order, of which there is at least one; `numpy.quantile` takes 0.2 ms."""
    ranks = {rank for low, high, _ in _ranks(len(values), levels) for rank in (low, high)}
    return ordered_quantiles(np.partition(values, sorted(ranks)), levels)


def ordered_quantiles(ordered: Sequence[float] | NDArray[np.float64], levels: tuple[float, ...]) -> list[float]:
    """Return quantiles of values that are in order, linear between two of them; there is at least one."""
    ranks = _ranks(len(ordered), levels)
    return [ordered[low] * (1 - share) + ordered[high] * share for low, high, share in ranks]


def _ranks(count: int, levels: tuple[float, ...]) -> list[tuple[int, int, float]]:
    """Return for each level the ranks of the two values that its quantile lies between, and its share of the way."""
    newest = count - 1
    places = [(int(newest * level), newest * level) for level in levels]
    return [(below, min(below + 1, newest), place - below) for below, place in places]


def _trailing_ranked(values: NDArray[np.float64], rank: int, count: int) -> NDArray[np.float64]:
    """Return the value of a rank, from 0, of each value and the `count - 1` before it; only whole windows count."""
    from scipy.ndimage import rank_filter  # noqa: PLC0415 - for tables, which are made in the fit process

    return np.asarray(rank_filter(values, rank, size=count, origin=(count - 1) // 2), np.float64)


def known_quantiles(values: NDArray[np.float64], levels: tuple[float, ...]) -> list[NDArray[np.float64]]:
    """Return quantiles of the known values of each row, linear between two of them; NaN where none is known."""
    ordered = np.sort(values, axis=1)  # NaN last
    newest = np.isfinite(ordered).sum(axis=1) - 1
    rows, found = np.arange(len(ordered)), []
    for level in levels:
        place = np.maximum(newest, 0) * level
        below = place.astype(np.int64)
        above = np.minimum(below + 1, np.maximum(newest, 0))
        share = place - below
        found.append(ordered[rows, below] * (1 - share) + ordered[rows, above] * share)
    return found


def known_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the known values of each row; NaN where none is known."""
    counts = np.isfinite(values).sum(axis=1)
    sums = np.nan_to_num(values).sum(axis=1)
    means = np.full(len(values), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def padded(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the values with so many times the first one before them."""
    return np.concatenate([np.full(count, values[0] if len(values) else 0.0), values])


def _delayed(values: NDArray[np.float64], places: int) -> NDArray[np.float64]:
    """Return the values moved towards the end, the first one repeated."""
    return values if places == 0 else padded(values, places)[: len(values)]
