"""Which rows of a past stand for the same time of earlier days: the one place that knows of clocks.

Negative places lie before the past.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecasters.past import Past

_DAY, _WEEK = 1440, 10_080  # minutes
_DAYS, _WEEKS = 7, 2  # that habits are taken from


def same_days(past: Past, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of the same local time of the last seven days, yesterday first; shape (n, 7)."""
    return _moved(past, rows, rows[:, None] - past.rows(_DAY) * np.arange(1, _DAYS + 1))


def same_weekdays(past: Past, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of the same local time of this weekday in the last weeks; shape (n, 2)."""
    return _moved(past, rows, rows[:, None] - past.rows(_WEEK) * np.arange(1, _WEEKS + 1))


def _moved(past: Past, rows: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places moved by what the clock was changed since.

    In the hour that a change repeats or leaves out there is no right place; the one before the change is taken.
    """
    days = past.days
    if days is None:
        return places
    return places + days.ahead_at(past.first + rows)[:, None] - days.ahead_at(past.first + places)
