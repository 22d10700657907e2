"""Which rows of a past stand for the same time of earlier days: the one place that knows of clocks and calendars.

For most instants these are the last seven days, and this weekday of the last two weeks. A day that a calendar names is
another kind of day: it is left out of what is usual, and for itself earlier days of its kind count, or Sundays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasters.local_days import USUAL, LocalDays, is_sunday
from forecasters.past import Past

_DAY, _WEEK = 1440, 10_080  # minutes
_DAYS, _WEEKS = 7, 2  # that habits are taken from
_NEVER = -(2**40)  # a place far before any past


@dataclass(frozen=True, slots=True, eq=False)
class SameTimes:
    """Where a past has the time of day of n instants; a negative place lies before it, or stands for none."""

    days: NDArray[np.int64]  # of the last days, the newest first, shape (n, 7)
    weeks: NDArray[np.int64]  # of the same weekday, shape (n, 2)


def same_times(past: Past, rows: NDArray[np.int64]) -> SameTimes:
    """Return where the local time of rows of a past is found on earlier days."""
    days = past.days
    if days is not None and len(days.kinds):
        return _by_calendar(past, rows, days)
    return SameTimes(
        _moved(past, rows, rows[:, None] - past.rows(_DAY) * np.arange(1, _DAYS + 1)),
        _moved(past, rows, rows[:, None] - past.rows(_WEEK) * np.arange(1, _WEEKS + 1)),
    )


def _by_calendar(past: Past, rows: NDArray[np.int64], days: LocalDays) -> SameTimes:
    first, last = _local_days(past, np.array([0, len(past) - 1]), days).tolist()
    distinct, places = np.unique(_local_days(past, rows, days), return_inverse=True)
    backs = [_days_back(day, min(first, last), days) for day in distinct.tolist()]
    found = []
    for width, part in ((_DAYS, 0), (_WEEKS, 1)):
        back = np.array([_filled(pair[part], width) for pair in backs])[places]
        there = rows[:, None] - np.rint(back * _DAY / past.minutes).astype(np.int64)
        found.append(np.where(back > 0, _moved(past, rows, there), _NEVER))
    return SameTimes(*found)


def _days_back(day: int, oldest: int, days: LocalDays) -> tuple[list[int], list[int]]:
    """Return how many days back habits of a local day, and those of its weekday, are looked for; the newest first."""
    kind = days.kind(day)
    if kind == USUAL:
        usual = [back for back in range(1, _DAYS + 1) if days.kind(day - back) == USUAL]
        return usual, [7 * back for back in range(1, _WEEKS + 1) if days.kind(day - 7 * back) == USUAL]
    earlier = range(1, day - oldest + 1)
    same = [back for back in earlier if days.kind(day - back) == kind]
    if not same:
        same = [back for back in earlier if is_sunday(day - back) and days.kind(day - back) == USUAL]
    return same[:_DAYS], same[:_WEEKS]


def _filled(back: Sequence[int], width: int) -> list[int]:
    return [*back, *(0 for _ in range(width - len(back)))]


def _local_days(past: Past, rows: NDArray[np.int64], days: LocalDays) -> NDArray[np.int64]:
    """Return the local days of rows, counted from 1970-01-01."""
    indices = past.first + rows
    minutes = (indices + days.ahead_at(indices)) * past.minutes
    return np.floor(minutes / _DAY + 1e-9).astype(np.int64)


def _moved(past: Past, rows: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places moved by what the clock was changed since.

    In the hour that a change repeats or leaves out there is no right place; the one before the change is taken.
    """
    days = past.days
    if days is None:
        return places
    return places + days.ahead_at(past.first + rows)[:, None] - days.ahead_at(past.first + places)
