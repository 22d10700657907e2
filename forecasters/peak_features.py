"""What the largest demand of the coming look-ahead is told from: numbers of one instant, relative to the demand then.

The table that a model is fitted on and the single row that a decision reads are made by the same code. Three parts:
`recent` from the last hour, `usual` from days and weeks of outcomes, both joined by `features`. Levels are given as
their distance from the demand of the instant, so that a model which leaves all of them out says "as now".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from forecasters.past import Outcomes, Past
from forecasters.same_time import SameTimes, same_times

RECENT_MINUTES = 60
MAXIMUM_MINUTES = (15, 60, 180)  # of the largest demand that `recent` is told
_MEANS = (5, 15, 60)
_LINES = (5, 10)
_RISES = (1, 2, 5, 20, 60)
_FALLS = (1, 20)
_DAY, _WEEK, _HOUR = 1440, 10_080, 60  # minutes
_SLOW_RISES, _HABITUAL_RISES = 3, 6  # columns of rises in `Usual.slow` and `Usual.habits`; the others are levels
# How often, in minutes, the quantile of a long window is looked up anew: it moves slowly.
_SLOWLY = 15
_ROWS_AT_ONCE = 512  # of long windows, so that a table of weeks does not take gigabytes

# Columns of the table, in order.
_LINEAR = slice(0, len(_MEANS) + len(_LINES) + len(_RISES) + len(_FALLS))
_LEVEL_LIKE = slice(0, len(_MEANS) + len(_LINES))  # means and lines
_QUARTER = _MEANS.index(15)
_ALL_RISES = slice(_LEVEL_LIKE.stop, _LEVEL_LIKE.stop + len(_RISES))
_ALL_FALLS = slice(_ALL_RISES.stop, _LINEAR.stop)
_LOWEST, _SPREAD = _LINEAR.stop, _LINEAR.stop + 1  # of the last quarter of an hour
_MAXIMA = slice(_SPREAD + 1, _SPREAD + 1 + len(MAXIMUM_MINUTES))
_USUAL_RISES = slice(_MAXIMA.stop, _MAXIMA.stop + 11)
_USUAL_LEVELS = slice(_USUAL_RISES.stop, _USUAL_RISES.stop + 11)
_USUAL = slice(_USUAL_RISES.start, _USUAL_LEVELS.stop)
_BY_LEVEL = 8  # of the usual levels, the one that today's level scales
FEATURES = _USUAL_LEVELS.stop + 1  # the demand of now is the last


@dataclass(frozen=True, eq=False)  # without slots: a minute's decisions share what is derived from it
class Usual:
    """What days and weeks of outcomes say of an instant; NaN where the past does not reach."""

    lately: NDArray[np.float64]  # shape (n, 2), from `lately_at`, demand units
    slow: NDArray[np.float64]  # shape (n, 5), from `slow_at`
    habits: NDArray[np.float64]  # shape (n, 16), from `habits_at`

    @cached_property
    def analog(self) -> NDArray[np.float64]:
        """Return the 0.8 quantile of the rises at this time of the last days, shape (n,), not below 0, 0 if unknown."""
        return np.fmax(self.habits[:, 0], 0.0)

    @cached_property
    def volatility(self) -> NDArray[np.float64]:
        """Return the 0.8 quantile of the rises of the last hour, shape (n,), not below 0, 0 if unknown."""
        return np.fmax(self.lately[:, 0], 0.0)

    @cached_property
    def rises(self) -> NDArray[np.float64]:
        """All rises, shape (n, 11). Where days are missing, the last hour stands for them; 0 before there is one."""
        rises = np.hstack([self.lately, self.slow[:, :_SLOW_RISES], self.habits[:, :_HABITUAL_RISES]])
        unknown = np.isnan(rises)
        return np.nan_to_num(np.where(unknown, rises[:, :1], rises)) if unknown.any() else rises

    @cached_property
    def columns(self) -> NDArray[np.float64]:
        """All rises, then all levels, shape (n, 22)."""
        return np.hstack([self.rises, self.habits[:, _HABITUAL_RISES:-1], self.slow[:, _SLOW_RISES:]])

    @cached_property
    def gaps(self) -> NDArray[np.bool_] | None:
        """Which levels are not known, shape (n, 11); None where all are."""
        return _unknown(self.columns[:, self.rises.shape[1] :])

    @cached_property
    def quarter(self) -> NDArray[np.float64]:
        """The usual mean of the last quarter of an hour, shape (n,); NaN where it is not known or nothing."""
        level = self.habits[:, -1]
        return np.where(level > 0.0, level, np.nan)

    @cached_property
    def without_quarter(self) -> NDArray[np.bool_] | None:
        """Where that is, shape (n,); None where it is nowhere."""
        return _unknown(self.quarter)

    def rows(self, places: NDArray[np.int64]) -> Usual:
        """Return some of the rows."""
        return Usual(self.lately[places], self.slow[places], self.habits[places])


UsualAt = Callable[[Outcomes, NDArray[np.int64]], Usual]  # what a past says of some of its rows: `usual_at`
UNKNOWN = Usual(np.full((1, 2), np.nan), np.full((1, 5), np.nan), np.full((1, 16), np.nan))  # of one instant


def features(
    recent: NDArray[np.float64], maxima: NDArray[np.float64], usual: Usual, *, look_ahead: float, minutes: float
) -> NDArray[np.float64]:
    """Return the features of n instants, shape (n, features), demand units.

    Args:
        recent: demand at the instant and at whole rows before it, the instant last, shape (n, rows of an hour + 1).
        maxima: largest demand of the last `MAXIMUM_MINUTES`, shape (n, 3).
        usual: what the past says of the instants.
        look_ahead: minutes that a straight line is carried on.
        minutes: between two rows.
    """
    weights, quarter = _weights(recent.shape[1], look_ahead, minutes)
    now, lately = recent[:, -1:], recent[:, -quarter:]
    table = np.empty((len(recent), FEATURES))
    linear = table[:, _LINEAR]
    np.matmul(recent, weights, out=linear)  # as many products as there are features, in one
    quarter_mean = linear[:, _QUARTER]
    scale = _scale(quarter_mean, usual)
    deviations = lately - quarter_mean[:, None]
    table[:, _SPREAD] = np.sqrt(np.einsum("ij,ij->i", deviations, deviations) / quarter)
    table[:, _LEVEL_LIKE] -= now
    rises, falls = table[:, _ALL_RISES], table[:, _ALL_FALLS]
    np.maximum(rises, 0.0, out=rises)
    np.minimum(falls, 0.0, out=falls)
    np.subtract(np.minimum.reduce(lately, axis=1), now[:, 0], out=table[:, _LOWEST])
    np.subtract(maxima, now, out=table[:, _MAXIMA])
    table[:, _USUAL] = usual.columns
    levels = table[:, _USUAL_LEVELS]
    levels[:, _BY_LEVEL] *= scale
    levels -= now
    if usual.gaps is not None:
        levels[usual.gaps] = 0.0
    table[:, -1:] = now
    return table


def _scale(quarter: NDArray[np.float64], usual: Usual) -> NDArray[np.float64]:
    """Return today's level over the usual one, within a half and twice; 1 where the usual one is not known."""
    ratio: NDArray[np.float64] = np.minimum(np.maximum(quarter / usual.quarter, 0.5), 2.0)
    if usual.without_quarter is not None:
        ratio[usual.without_quarter] = 1.0
    return ratio


def _unknown(values: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Return which values are NaN; None where none is."""
    unknown = np.isnan(values)
    return unknown if unknown.any() else None


@lru_cache(maxsize=64)
def _weights(columns: int, look_ahead: float, minutes: float) -> tuple[NDArray[np.float64], int]:
    """Return what `recent` is multiplied by for means, lines, rises and falls, and the rows of a quarter of an hour."""
    newest = columns - 1

    def rows(span: float) -> int:
        return min(newest, max(1, round(span / minutes)))

    parts = [np.where(np.arange(columns) > newest - rows(span), 1.0 / rows(span), 0.0) for span in _MEANS]
    for span in _LINES:
        places = np.arange(rows(span) + 1) - rows(span) / 2
        reach = places[-1] + look_ahead / minutes
        line = np.full(len(places), 1.0 / len(places)) + reach * places / (places @ places)
        parts.append(np.concatenate([np.zeros(columns - len(places)), line]))
    for span in (*_RISES, *_FALLS):
        change = np.zeros(columns)
        change[newest] += 1.0
        change[newest - rows(span)] -= 1.0
        parts.append(change)
    return np.column_stack(parts), rows(15)


def recent_table(past: Past) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return `recent` and `maxima` of every row of a past; before its first row demand was as there."""
    hour = past.rows(RECENT_MINUTES)
    recent = sliding_window_view(_padded(past.last, hour), hour + 1)
    maxima = np.column_stack([trailing_largest(past.largest, past.rows(span)) for span in MAXIMUM_MINUTES])
    return recent, maxima


def trailing_largest(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the largest of each value and the `count - 1` before it, shape (n,)."""
    window, width = values, 1
    while 2 * width <= count:
        window = np.maximum(window, _delayed(window, width))
        width *= 2
    return np.maximum(window, _delayed(window, count - width))


def usual_at(outcomes: Outcomes, rows: NDArray[np.int64]) -> Usual:
    """Return what the outcomes known at some rows of their past say of them.

    Args:
        outcomes: of the whole past; none is used before its look-ahead has passed.
        rows: places in the past, shape (n,), ascending.
    """
    return Usual(lately_at(outcomes, rows), slow_at(outcomes, rows), habits_at(outcomes, rows))


def lately_at(outcomes: Outcomes, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return quantiles of the rises of the last hour, shape (n, 2); a past of `rows_of_lately` is enough."""
    count = outcomes.past.rows(_HOUR)
    return np.column_stack(_trailing_quantiles(outcomes.rise, rows - outcomes.ahead, count, (0.8, 0.95)))


def rows_of_lately(past_minutes: float, ahead: int) -> int:
    """Return the newest rows that `lately_at` looks at, for rows so many minutes apart."""
    return round(_HOUR / past_minutes) + ahead


def slow_at(outcomes: Outcomes, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what is looked up every 15 minutes: rises of hours, day and week, the day's level; shape (n, 5)."""
    past = outcomes.past
    at = np.maximum(rows - (past.first + rows) % slow_rows(past.minutes), 0)
    newest, day = at - outcomes.ahead, past.rows(_DAY)
    quantiles = [
        _trailing_quantiles(outcomes.rise, newest, past.rows(span), (level,))[0]
        for span, level in ((6 * _HOUR, 0.95), (_DAY, 0.95), (_WEEK, 0.99))
    ]
    distinct, places = np.unique(at, return_inverse=True)
    levels = np.array([_level_until(past, row, day) for row in distinct.tolist()])
    return np.column_stack([*quantiles, levels[places]])


def slow_rows(minutes: float) -> int:
    """Return how many rows `slow_at` stands still, for rows so many minutes apart; a row divides the epoch by it."""
    return max(1, round(_SLOWLY / minutes))


def habits_at(outcomes: Outcomes, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what demand did at this time of other hours, days and weeks, shape (n, 16).

    Nothing of the last hour is used, so rows of the coming quarter may be asked for, too (see `rows_known_ahead`).
    """
    at = same_times(outcomes.past, rows)
    return np.column_stack([*_rises_at_this_time(outcomes, rows, at), *_levels_at_this_time(outcomes, rows, at)])


def rows_known_ahead(past: Past, ahead: int) -> int:
    """Return for how many rows, the newest one included, the habits are known already."""
    return max(1, min(slow_rows(past.minutes), past.rows(_HOUR) - ahead))


def _level_until(past: Past, row: int, count: int) -> tuple[float, float]:
    """Return mean and largest demand of the `count` rows up to one; the first row stands for what was before it."""
    begin = max(0, row + 1 - count)
    missing = count - (row + 1 - begin)
    total = float(past.last[begin : row + 1].sum()) + missing * float(past.last[0])
    return total / count, float(past.largest[begin : row + 1].max())


def _trailing_quantiles(
    values: NDArray[np.float64], ends: NDArray[np.int64], count: int, levels: tuple[float, ...]
) -> list[NDArray[np.float64]]:
    """Return quantiles of the `count` values up to each end, or of as many as there are; NaN where there is none."""
    if len(ends) == 1:
        window = values[max(0, ends[0] - count + 1) : max(0, ends[0] + 1)]
        return list(_quantiles(window[None, :], levels)) if len(window) else [np.full(1, np.nan) for _ in levels]
    distinct, places = np.unique(ends, return_inverse=True)
    found = np.full((len(levels), len(distinct)), np.nan)
    whole = int(np.searchsorted(distinct, count - 1))
    for row in range(int(np.searchsorted(distinct, 0)), whole):
        found[:, row : row + 1] = _quantiles(values[None, : distinct[row] + 1], levels)
    if whole < len(distinct):
        ends = distinct[whole:]
        for row, (below, above, share) in enumerate(_ranks(count, levels)):
            low, high = (_trailing_ranked(values, rank, count)[ends] for rank in (below, above))
            found[row, whole:] = low * (1 - share) + high * share
    return list(found[:, places])


def _quantiles(windows: NDArray[np.float64], levels: tuple[float, ...]) -> NDArray[np.float64]:
    """Return quantiles of each row, linear between two values; shape (levels, rows). `numpy.quantile` takes 0.2 ms."""
    ranks = _ranks(windows.shape[1], levels)
    ordered = np.partition(windows, sorted({rank for low, high, _ in ranks for rank in (low, high)}), axis=1)
    return np.array([ordered[:, low] * (1 - share) + ordered[:, high] * share for low, high, share in ranks])


def _ranks(count: int, levels: tuple[float, ...]) -> list[tuple[int, int, float]]:
    """Return for each level the ranks of the two values that its quantile lies between, and its share of the way."""
    newest = count - 1
    places = [(int(newest * level), newest * level) for level in levels]
    return [(below, min(below + 1, newest), place - below) for below, place in places]


def _trailing_ranked(values: NDArray[np.float64], rank: int, count: int) -> NDArray[np.float64]:
    """Return the value of a rank, from 0, of each value and the `count - 1` before it; only whole windows count."""
    from scipy.ndimage import rank_filter  # noqa: PLC0415 - for tables, which are made in the fit process

    return np.asarray(rank_filter(values, rank, size=count, origin=(count - 1) // 2), np.float64)


def _rises_at_this_time(outcomes: Outcomes, rows: NDArray[np.int64], at: SameTimes) -> list[NDArray[np.float64]]:
    """What demand did at this time of the last days, hours and week."""
    near = _around(outcomes, outcomes.rise, rows, at.days, minutes=1)
    around = _around(outcomes, outcomes.rise, rows, at.days, minutes=5)
    hours = _picked(outcomes, outcomes.rise, rows, rows[:, None] - np.arange(1, 25) * outcomes.past.rows(_HOUR))
    week = _picked(outcomes, outcomes.rise, rows, at.weeks[:, :1])
    return [
        *_known_quantiles(near, (0.8, 1.0)),
        *_known_quantiles(around, (0.8, 0.95)),
        *_known_quantiles(hours, (0.8,)),
        week[:, 0],
    ]


def _levels_at_this_time(outcomes: Outcomes, rows: NDArray[np.int64], at: SameTimes) -> list[NDArray[np.float64]]:
    """How high demand was at this time of the last days and weeks, and how high it should be by today's level."""
    peak = outcomes.peak
    near = _around(outcomes, peak, rows, at.days, minutes=2)
    around = _around(outcomes, peak, rows, at.days, minutes=10)
    lately = _around(outcomes, peak, rows, at.days[:, :3], minutes=2)
    yesterday = _picked(outcomes, peak, rows, at.days[:, :1])
    weeks = _picked(outcomes, peak, rows, at.weeks)
    return [
        *_known_quantiles(near, (0.5, 0.8, 1.0)),
        *_known_quantiles(around, (0.5, 0.9)),
        *_known_quantiles(lately, (0.8,)),
        yesterday[:, 0],
        *_known_quantiles(weeks, (0.5,)),
        _known_mean(near),
        _usual_quarter(outcomes, at.days),
    ]


def _usual_quarter(outcomes: Outcomes, places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of the quarter of an hour that ended at this time of the last days; NaN where none is known."""
    past, inside = outcomes.past, np.maximum(places, 0)
    windows = sliding_window_view(_padded(past.last, past.rows(15) - 1), past.rows(15))
    quarter = windows[inside].mean(axis=2) if places.size < len(past) else windows.mean(axis=1)[inside]
    return _known_mean(np.where(places >= 0, quarter, np.nan))


def _around(
    outcomes: Outcomes, values: NDArray[np.float64], rows: NDArray[np.int64], days: NDArray[np.int64], *, minutes: float
) -> NDArray[np.float64]:
    """Return what is known within some minutes of places on other days, shape (n, days * (2 near + 1))."""
    near = round(minutes / outcomes.past.minutes)
    places = days[:, :, None] + np.arange(-near, near + 1)
    return _picked(outcomes, values, rows, places.reshape(len(rows), -1))


def _picked(
    outcomes: Outcomes, values: NDArray[np.float64], rows: NDArray[np.int64], places: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return values at places, shape (n, places), NaN where unknown; what is not known yet gives way to the newest."""
    places = np.minimum(places, rows[:, None] - outcomes.ahead)
    if not len(outcomes.known):
        return np.full(places.shape, np.nan)
    if not outcomes.known.all():
        values = np.where(outcomes.known, values, np.nan)
    is_inside = places >= 0
    if is_inside.all():  # as most are, of the past that a decision reads
        return values[places]
    return np.where(is_inside, values[np.where(is_inside, places, 0)], np.nan)


def _known_quantiles(values: NDArray[np.float64], levels: tuple[float, ...]) -> list[NDArray[np.float64]]:
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


def _known_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = np.isfinite(values).sum(axis=1)
    sums = np.nan_to_num(values).sum(axis=1)
    means = np.full(len(values), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _padded(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.concatenate([np.full(count, values[0] if len(values) else 0.0), values])


def _delayed(values: NDArray[np.float64], places: int) -> NDArray[np.float64]:
    """Return the values moved towards the end, the first one repeated."""
    return values if places == 0 else _padded(values, places)[: len(values)]
