"""Which seasons a series has: a day, a week, or none; found from the data and tested against noise."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from forecasters.series import Series

_HOUR = timedelta(hours=1)
_DAY, _WEEK = 24, 168  # hours
_FEWEST_DAY_HOURS = 71  # three days, less the hour that the grid may cut off: two cannot tell a day from noise
_FEWEST_WEEK_HOURS = 13 * 24  # 20,000 rows of 60 s, the most a fit sees, are 13.9 days
_SIGNIFICANCE = 2.33  # one-sided 1 % of the normal distribution
_WEAKEST = 0.1  # a season that explains less than a tenth of the variance is not worth its parameters
_OFF_PEAK = (-4, -3, 3, 4)  # hours beside a day at which the correlation must be lower


class Season(Enum):
    """A period in which load recurs; the value is its length."""

    DAY = timedelta(days=1)
    WEEK = timedelta(days=7)


def find_seasons(history: Series) -> frozenset[Season]:
    """Return the seasons whose autocorrelation stands out of noise.

    Hourly means are freed of their trend, and the autocorrelation at the season's lag is held against Bartlett's
    large-lag standard error (Box, Jenkins, Reinsel & Ljung, Time Series Analysis, 5th ed., eq. 2.1.15) and against lags
    beside it, so that neither a random walk nor another period passes for a day. Gaps are left out. A day needs three
    days of history, a week thirteen; with less there is no season.
    """
    hours = _hourly(history)
    seasons = set()
    if len(hours) >= _FEWEST_DAY_HOURS and _has_day(hours):
        seasons.add(Season.DAY)
    if len(hours) >= _FEWEST_WEEK_HOURS and _has_week(hours):
        seasons.add(Season.WEEK)
    return frozenset(seasons)


def _hourly(history: Series) -> NDArray[np.float64]:
    """Return hourly means counted from the end, a gap where an hour is empty; none for steps above an hour."""
    rows = _HOUR // history.step
    if rows < 1:
        return np.empty(0)
    count = len(history) // rows
    blocks = history.values[len(history) - count * rows :].reshape(count, rows)
    known = np.isfinite(blocks)
    means = np.full(count, np.nan)
    np.divide(np.where(known, blocks, 0.0).sum(axis=1), known.sum(axis=1), out=means, where=known.any(axis=1))
    return means


def _has_day(hours: NDArray[np.float64]) -> bool:
    detrended = hours - _moving_mean(hours, _DAY)
    correlation = _autocorrelation(detrended, _DAY + max(_OFF_PEAK))
    beside = max(correlation[_DAY + shift] for shift in _OFF_PEAK)
    return _stands_out(correlation, detrended, lag=_DAY) and correlation[_DAY] > beside


def _has_week(hours: NDArray[np.float64]) -> bool:
    """Look for a week in what a mean day leaves; whole days beside it must fit worse, or it is a drift."""
    flat = hours - _line(hours)
    days = -(-len(flat) // _DAY)
    padded = np.full(days * _DAY, np.nan)
    padded[: len(flat)] = flat
    table = padded.reshape(days, _DAY)
    known = np.isfinite(table)
    profile = np.where(known, table, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    rest = (table - profile).ravel()[: len(flat)]
    correlation = _autocorrelation(rest, _WEEK + _DAY)
    beside = max(correlation[_WEEK - _DAY], correlation[_WEEK + _DAY])
    return _stands_out(correlation, rest, lag=_WEEK) and correlation[_WEEK] > beside


def _stands_out(correlation: NDArray[np.float64], values: NDArray[np.float64], *, lag: int) -> bool:
    known = int(np.isfinite(values).sum())
    memory = correlation[1 : min(lag // 2, _DAY)]  # beyond it the season itself would be taken for noise
    error = np.sqrt((1 + 2 * np.sum(np.square(memory))) / max(known, 1))
    return bool(correlation[lag] > max(_WEAKEST, _SIGNIFICANCE * error))


def _autocorrelation(values: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """Return the correlation at lags 0 to `lags` over the pairs that are both known; 0 where there is no spread."""
    known = np.isfinite(values)
    count = int(known.sum())
    result = np.zeros(lags + 1)
    if not count:
        return result
    centred = np.where(known, values - values[known].mean(), 0.0)
    variance = float(centred @ centred) / count
    largest = float(np.abs(values[known]).max())
    if variance <= (1e-9 * largest) ** 2:
        return result
    result[0] = 1.0
    for lag in range(1, min(lags, len(values) - 1) + 1):
        pairs = int(known[lag:] @ known[:-lag].astype(np.int64))
        if 2 * pairs >= len(values) - lag:
            result[lag] = float(centred[lag:] @ centred[:-lag]) / pairs / variance
    return result


def _moving_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the mean over a window centred on each value, cut at the ends; gaps are left out."""
    known = np.isfinite(values)
    sums = np.concatenate(([0.0], np.cumsum(np.where(known, values, 0.0))))
    counts = np.concatenate(([0], np.cumsum(known)))
    rows = np.arange(len(values))
    first = np.clip(rows - width // 2, 0, max(0, len(values) - width))
    last = np.minimum(first + width, len(values))
    means: NDArray[np.float64] = (sums[last] - sums[first]) / np.maximum(counts[last] - counts[first], 1)
    return means


def _line(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the straight line of least squares through the known values."""
    known = np.isfinite(values)
    rows = np.arange(len(values), dtype=np.float64)
    if known.sum() < 2:
        return np.zeros(len(values))
    slope, level = np.polyfit(rows[known], values[known], 1)
    line: NDArray[np.float64] = level + slope * rows
    return line
