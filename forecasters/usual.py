"""What days and weeks of outcomes say of an instant: how demand rose at this time of other days, how high it was."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from forecasters.past import Outcomes, Past
from forecasters.same_time import SameTimes, same_times
from forecasters.trailing import known_mean, known_quantiles, padded, trailing_quantiles

_DAY, _WEEK, _HOUR = 1440, 10_080, 60  # minutes
LATELY = (0.8, 0.95)  # quantiles of the rises of the last hour
_SLOW_RISES, _HABITUAL_RISES = 3, 6  # columns of rises in `Usual.slow` and `Usual.habits`; the others are levels
# How often, in minutes, the quantile of a long window is looked up anew: it moves slowly.
_SLOWLY = 15


@dataclass(frozen=True, eq=False)  # without slots: what is derived from it is kept
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


@dataclass(frozen=True, slots=True)
class UsualNow:
    """What days and weeks of outcomes say of one instant, in plain numbers: as a row of `Usual` has it."""

    rises: list[float]  # 11, demand units
    levels: list[float]  # 11, demand units; NaN where the past does not reach
    quarter: float  # the usual mean of the last quarter of an hour, demand units; 0 where it is not known or nothing
    analog: float
    volatility: float

    @classmethod
    def of(cls, lately: list[float], slow: list[float], habits: list[float]) -> UsualNow:
        """Return what a row of each of the parts of `Usual` says."""
        rises = [*lately, *slow[:_SLOW_RISES], *habits[:_HABITUAL_RISES]]
        instead = 0.0 if math.isnan(lately[0]) else lately[0]
        return cls(
            [instead if math.isnan(rise) else rise for rise in rises],
            [*habits[_HABITUAL_RISES:-1], *slow[_SLOW_RISES:]],
            max(0.0, habits[-1]),
            max(0.0, habits[0]),
            max(0.0, lately[0]),
        )


UNKNOWN = UsualNow.of([math.nan] * 2, [math.nan] * 5, [math.nan] * 16)


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
    return np.column_stack(trailing_quantiles(outcomes.rise, rows - outcomes.ahead, count, LATELY))


def rows_of_lately(past_minutes: float, ahead: int) -> int:
    """Return the newest rows that `lately_at` looks at, for rows so many minutes apart."""
    return round(_HOUR / past_minutes) + ahead


def slow_at(outcomes: Outcomes, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what is looked up every 15 minutes: rises of hours, day and week, the day's level; shape (n, 5)."""
    past = outcomes.past
    at = np.maximum(rows - (past.first + rows) % slow_rows(past.minutes), 0)
    newest, day = at - outcomes.ahead, past.rows(_DAY)
    quantiles = [
        trailing_quantiles(outcomes.rise, newest, past.rows(span), (level,))[0]
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


def _rises_at_this_time(outcomes: Outcomes, rows: NDArray[np.int64], at: SameTimes) -> list[NDArray[np.float64]]:
    """What demand did at this time of the last days, hours and week."""
    around = _around(outcomes, outcomes.rise, rows, at.days, minutes=5)
    hours = _picked(outcomes, outcomes.rise, rows, rows[:, None] - np.arange(1, 25) * outcomes.past.rows(_HOUR))
    week = _picked(outcomes, outcomes.rise, rows, at.weeks[:, :1])
    return [
        *known_quantiles(_within(around, outcomes.past, minutes=1), (0.8, 1.0)),
        *known_quantiles(_flat(around), (0.8, 0.95)),
        *known_quantiles(hours, (0.8,)),
        week[:, 0],
    ]


def _levels_at_this_time(outcomes: Outcomes, rows: NDArray[np.int64], at: SameTimes) -> list[NDArray[np.float64]]:
    """How high demand was at this time of the last days and weeks, and how high it should be by today's level."""
    peak = outcomes.peak
    around = _around(outcomes, peak, rows, at.days, minutes=10)
    near = _within(around, outcomes.past, minutes=2)
    weeks = _picked(outcomes, peak, rows, at.weeks)
    return [
        *known_quantiles(near, (0.5, 0.8, 1.0)),
        *known_quantiles(_flat(around), (0.5, 0.9)),
        *known_quantiles(_within(around[:, :3], outcomes.past, minutes=2), (0.8,)),
        around[:, 0, around.shape[2] // 2],
        *known_quantiles(weeks, (0.5,)),
        known_mean(near),
        _usual_quarter(outcomes, at.days),
    ]


def _usual_quarter(outcomes: Outcomes, places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of the quarter of an hour that ended at this time of the last days; NaN where none is known."""
    past, inside = outcomes.past, np.maximum(places, 0)
    windows = sliding_window_view(padded(past.last, past.rows(15) - 1), past.rows(15))
    quarter = windows[inside].mean(axis=2) if places.size < len(past) else windows.mean(axis=1)[inside]
    return known_mean(np.where(places >= 0, quarter, np.nan))


def _around(
    outcomes: Outcomes, values: NDArray[np.float64], rows: NDArray[np.int64], days: NDArray[np.int64], *, minutes: float
) -> NDArray[np.float64]:
    """Return what is known within some minutes of places on other days, shape (n, days, 2 near + 1)."""
    near = round(minutes / outcomes.past.minutes)
    if (days.max(axis=1) + near > rows - outcomes.ahead).any():  # something is not known yet
        places = days[:, :, None] + np.arange(-near, near + 1)
        return _picked(outcomes, values, rows, _flat(places)).reshape(places.shape)
    before = np.full(2 * near + 1, np.nan)
    windows = sliding_window_view(np.concatenate([before, _known(outcomes, values)]), 2 * near + 1)
    return windows[np.maximum(days + near + 1, 0)]


def _within(around: NDArray[np.float64], past: Past, *, minutes: float) -> NDArray[np.float64]:
    """Return what lies within fewer minutes of the same places, shape (n, days * (2 near + 1))."""
    near, middle = round(minutes / past.minutes), around.shape[2] // 2
    return _flat(around[:, :, middle - near : middle + near + 1])


def _flat(around: NDArray[Any]) -> NDArray[Any]:
    return around.reshape(len(around), -1)


def _picked(
    outcomes: Outcomes, values: NDArray[np.float64], rows: NDArray[np.int64], places: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return values at places, shape (n, places), NaN where unknown; what is not known yet gives way to the newest."""
    places = np.minimum(places, rows[:, None] - outcomes.ahead)
    if not len(outcomes.known):
        return np.full(places.shape, np.nan)
    values = _known(outcomes, values)
    is_inside = places >= 0
    if is_inside.all():  # as most are, of the past that a decision reads
        return values[places]
    return np.where(is_inside, values[np.where(is_inside, places, 0)], np.nan)


def _known(outcomes: Outcomes, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values of outcomes, NaN where they are not known."""
    return values if outcomes.known.all() else np.where(outcomes.known, values, np.nan)


def _unknown(values: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Return which values are NaN; None where none is."""
    unknown = np.isnan(values)
    return unknown if unknown.any() else None
