"""Where a load came to another level for good: half as much again or a third less than it ever was at these hours.

What follows a change is not foretold worse for what lies before it: forecasts are told relative to the demand of now.
But what decision rules did before, and what they left short at the change itself, says less of what they will do
(docs/decisions.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecasters.past import Past

RATIO = 1.5  # of an hour's demand to that of the same hour on other days, up or down
_HOUR, _DAY, _WEEK = 60, 1440, 10_080  # minutes
_HOURS, _AT_LEAST = 24, 22  # of these hours in a row, so many must be so: a quiet night hour may not
_DAYS_BEFORE = 3
_ONE_CHANGE = 48  # hours within which what is found is one change


def level_changes(past: Past) -> NDArray[np.int64]:
    """Return the rows at which a change of level was known for good, a day after it, ascending.

    A day is compared with the three before it and with the same day of the week before: a week-end is no change, and
    within the first week nothing is. Nothing later than a row is used for it.
    """
    per_hour, day, week = past.rows(_HOUR), past.rows(_DAY), past.rows(_WEEK)
    rows = np.arange(-past.first % per_hour, len(past), per_hour)
    rows = rows[rows >= week + per_hour]
    means = _hourly(past, per_hour)
    now, before = means[rows], means[rows - week]
    lately = np.median([means[rows - days * day] for days in range(1, _DAYS_BEFORE + 1)], axis=0)
    risen = (now > RATIO * lately) & (now > RATIO * before)
    fallen = (RATIO * now < lately) & (RATIO * now < before)
    lasts = (_count(risen, _HOURS) >= _AT_LEAST) | (_count(fallen, _HOURS) >= _AT_LEAST)
    found: NDArray[np.int64] = rows[lasts & (_count(lasts, _ONE_CHANGE) == 1)]
    return found


def _hourly(past: Past, per_hour: int) -> NDArray[np.float64]:
    """Return the mean demand of the hour up to each row; NaN where less than half of it is known."""
    known = _summed(past.known.astype(np.float64), per_hour)
    means = np.full(len(past), np.nan)
    np.divide(_summed(np.where(past.known, past.last, 0.0), per_hour), known, out=means, where=2 * known >= per_hour)
    return means


def _summed(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the sum of each value and the `count - 1` before it, or of as many as there are."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(total))
    return np.asarray(total[ends] - total[np.maximum(ends - count, 0)], np.float64)


def _count(flags: NDArray[np.bool_], count: int) -> NDArray[np.float64]:
    return _summed(flags.astype(np.float64), count)
