"""A signal's coarse history as the rows that models and experts read."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from agent.history.coarse import CoarseValues
from agent.local_time import LocalTime
from forecasters.past import Past


def rows_of(coarse: CoarseValues, step: timedelta, *, most: float, local: LocalTime | None = None) -> Past:
    """Return a coarse past as rows, demand above `most` as `most`: a metric's bug must not be all that is seen.

    Args:
        coarse: the past.
        step: between two rows.
        most: demand units.
        local: the clock that the demand follows; None where days are not looked at.
    """
    last, largest, mean = (np.minimum(each, most) for each in (coarse.last, coarse.largest, coarse.mean))
    days = None if local is None else local.days(coarse.first, len(last), step)
    return Past.of_rows(coarse.first, step, last, largest, np.isfinite(coarse.mean), mean=mean, days=days)
