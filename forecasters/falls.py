"""Outages in a past, told row by row from what was known then: what a live watch would have said of them.

A fall is explained where demand is known to be low at about this time of other days; `same_time` knows which these are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.outage import Outage, OutageWatch
from forecasters.past import Past
from forecasters.same_time import SameTimes, same_times

# Jobs that switch a service off come within this of the time at which they came yesterday.
_ABOUT = timedelta(minutes=30)
_EXPLAINED = 0.0  # what is usual where any fall is


def believed(
    past: Past, values: NDArray[np.float64], *, per_row: int, after: int, step: timedelta
) -> NDArray[np.bool_]:
    """Return which samples lie outside an outage, told at each from what came before it; shape (n,), a gap as before.

    Args:
        past: rows of the whole history.
        values: the samples of its newest part, shape (n,), NaN is a gap.
        per_row: samples in a row.
        after: samples after the end of the newest row.
        step: between two samples.
    """
    watch = OutageWatch(step)
    earlier = len(past) * per_row + after - len(values)  # samples, of which rows are known
    for _ in states(watch, past.between(0, earlier // per_row), per_row=per_row):
        pass
    watch.skip(earlier % per_row)  # of a row that the samples begin within
    found = np.ones(len(values), np.bool_)
    for place, value in enumerate(values.tolist()):
        usual = usual_at(past, (earlier + place + 1) // per_row) if watch.is_odd(value) else None
        found[place] = watch.observe(value, usual) is Outage.NONE
    return found


def states(watch: OutageWatch, past: Past, *, per_row: int) -> Iterator[Outage]:
    """Let a watch see the rows of a past, so many of its values each, and yield what it says after each of them."""
    for row, mean in enumerate(past.mean.tolist()):
        yield watch.observe(mean, usual_at(past, row) if watch.is_odd(mean) else None, steps=per_row)


def usual_at(past: Past, row: int) -> float:
    """Return what is usual at a row of a past, or at the one after its last, by the rows before it; demand units."""
    times = same_times(past, np.array([row]))
    then = SameTimes(times.days[0], times.weeks[0])
    near = max(1, round(_ABOUT.total_seconds() / 60 / past.minutes))
    return usual_demand(past.mean[:row], then, near=near)


def usual_demand(means: NDArray[np.float64], then: SameTimes, *, near: int) -> float:
    """Return the least demand at about this time of earlier days; 0 unless yesterday and a day like this are known.

    A fall within the first week explains itself: nobody has seen the day of the week on which it may be usual.

    Args:
        means: demand of rows of the past, oldest first; NaN is a gap.
        then: places of this time on earlier days among them, of one instant; negative ones lie before.
        near: rows on either side that count as about this time.
    """
    days, weeks = (
        [_least(means[max(0, place - near) : max(0, place + near + 1)]) for place in places.tolist()]
        for places in (then.days, then.weeks)
    )
    if days[0] is None or all(each is None for each in weeks):
        return _EXPLAINED
    return min(each for each in (*days, *weeks) if each is not None)


def _least(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.min()) if len(known) else None
