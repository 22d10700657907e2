"""The past walked through as it would have been lived: models fitted as their time came, experts at work on each step.

What a restart or a first start needs in order to know at once what weeks of running would have taught it. What would
have been taken for an outage is left out of it, as it would have been then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.falls import believed
from forecasters.forecaster import TooLittleHistory
from forecasters.level_change import level_changes
from forecasters.past import Outcomes, Past
from forecasters.peak_features import MAXIMUM_MINUTES, RECENT_MINUTES, features
from forecasters.peak_model import LEVELS, PeakModel, feature_table, fit_peak_model
from forecasters.peak_paths import PATHS, planned_table
from forecasters.trailing import trailing_largest
from forecasters.usual import Usual, UsualAt, usual_at
from scalers.contest import Contest

# How long a model serves by the age of its history, up to so much of it: a young one learns much from each hour, an old
# one hardly anything from a day.
_FIRST_FIT = timedelta(hours=3)
_REFIT_AFTER = ((timedelta(days=1), timedelta(hours=3)), (timedelta(days=4), timedelta(hours=6)))
_REFIT_OLD = timedelta(days=1)
# Simulated last: of what lies before it, a record would remember a fifth.
_SIMULATED = timedelta(days=6)


@dataclass(frozen=True, slots=True, eq=False)
class Fine:
    """The newest part of a past at the step of decisions, its last value at the end of the past's last row or later."""

    values: NDArray[np.float64]  # demand, shape (n,); NaN is a gap
    per_row: int  # samples in a row of the past
    after: int = 0  # samples after the end of the past's last row


def refit_after(age: timedelta) -> timedelta:
    """Return how long a model serves that was fitted on a history of this age."""
    return next((after for until, after in _REFIT_AFTER if age < until), _REFIT_OLD)


def refit(past: Past, ahead: int) -> PeakModel | None:
    """Return a model fitted on the whole past; None where that is too short."""
    outcomes = Outcomes.of(past, ahead)
    return _fitted(outcomes, feature_table(outcomes), len(past))


@dataclass(frozen=True, slots=True, eq=False)
class Plans:
    """What each path would have planned for, sample by sample."""

    demand: NDArray[np.float64]  # shape (n,), NaN is a gap
    believed: NDArray[np.bool_]  # False within an outage, shape (n,)
    changes: NDArray[np.int64]  # samples at which a change of level has become certain
    planned: NDArray[np.float64]  # shape (n, `PATHS`), demand units, NaN where the path had nothing to say
    model: PeakModel | None  # that serves from now on; None where none was fitted


def walk(
    past: Past, fine: Fine, ahead: int, contest: Contest, *, step: timedelta, is_fitting: bool = True
) -> PeakModel | None:
    """Let the experts live through the newest days, and return the model that serves from now on, None if too young.

    Args:
        past: rows of the whole history.
        fine: the samples of its newest days.
        ahead: rows of the look-ahead.
        contest: experts without a record yet.
        step: between two samples.
        is_fitting: whether to fit models at all; nothing is returned without.
    """
    plans = plan(past, fine, ahead, step=step, steps=_SIMULATED // step, is_fitting=is_fitting)
    # forecasters among the experts do not live through it
    columns = {path: plans.planned[:, place] for place, path in enumerate(PATHS)}
    unknown = np.full(len(plans.demand), np.nan)
    planned = np.column_stack([columns.get(path, unknown) for path in contest.paths])
    _live(contest, planned, plans)
    return plans.model


def plan(
    past: Past,
    fine: Fine,
    ahead: int,
    *,
    step: timedelta,
    steps: int,
    is_fitting: bool = True,
    usual_of: UsualAt = usual_at,
) -> Plans:
    """Return what each path would have planned for in the newest of so many steps; the rest as for `walk`."""
    outcomes = Outcomes.of(past, ahead)
    count = min(len(fine.values), steps, len(past) * fine.per_row + fine.after)
    values = fine.values[len(fine.values) - count :]
    rows = _newest_rows(count, past, fine)
    distinct, places = np.unique(rows, return_inverse=True)
    usual = usual_of(outcomes, distinct).rows(places)
    seen = _features_of(values, usual, past, fine, ahead)
    peaks = np.full((count, len(LEVELS)), np.nan)
    table = feature_table(outcomes, usual_of=usual_of) if is_fitting else seen[:0]
    for fitted, begin, end in _terms(rows, past) if is_fitting else ():
        if (model := _fitted(outcomes, table, fitted)) is not None:
            peaks[begin:end] = model.peaks(seen[begin:end])
    model = _fitted(outcomes, table, len(past)) if is_fitting else None
    is_demand = believed(past, values, per_row=fine.per_row, after=fine.after, step=step)
    changes = np.searchsorted(rows, level_changes(past))
    changes = changes[(changes > 0) & (changes < count)]
    return Plans(values, is_demand, changes, planned_table(seen[:, -1], usual, peaks, step), model)


def _newest_rows(count: int, past: Past, fine: Fine) -> NDArray[np.int64]:
    """Return, for each sample, the newest row that was complete, at least the first; shape (count,)."""
    samples = len(past) * fine.per_row + fine.after - count + np.arange(1, count + 1)
    return np.maximum(samples // fine.per_row - 1, 0)


def _features_of(values: NDArray[np.float64], usual: Usual, past: Past, fine: Fine, ahead: int) -> NDArray[np.float64]:
    known = np.isfinite(values)
    first = float(values[known.argmax()]) if known.any() else 0.0
    source = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    carried = np.where(source >= 0, values[np.maximum(source, 0)], first)
    reach = past.rows(RECENT_MINUTES)
    places = np.arange(len(values))[:, None] - fine.per_row * np.arange(reach, -1, -1)
    maxima = [trailing_largest(carried, fine.per_row * past.rows(span)) for span in MAXIMUM_MINUTES]
    return features(
        carried[np.maximum(places, 0)],
        np.column_stack(maxima),
        usual,
        look_ahead=ahead * past.minutes,
        minutes=past.minutes,
    )


def _terms(rows: NDArray[np.int64], past: Past) -> list[tuple[int, int, int]]:
    """Return the terms of service: the row up to which a model is fitted, and the samples [begin, end) it serves."""
    minute = timedelta(minutes=past.minutes)
    fits, age = [], _FIRST_FIT
    while age < len(past) * minute:
        fits.append(age // minute)
        age += refit_after(age)
    starts = [int(np.searchsorted(rows, fit)) for fit in fits]
    ends = [*starts, len(rows)][1:]  # a past that is younger than the first fit has no term
    return [(fit, begin, end) for fit, begin, end in zip(fits, starts, ends, strict=True) if begin < end]


def _fitted(outcomes: Outcomes, table: NDArray[np.float64], until: int) -> PeakModel | None:
    try:
        return fit_peak_model(outcomes, table, until=until)
    except TooLittleHistory:
        return None


def _live(contest: Contest, planned: NDArray[np.float64], plans: Plans) -> None:
    missed, changes = 0, set(plans.changes.tolist())
    steps = zip(planned, plans.demand.tolist(), plans.believed.tolist(), strict=True)
    for place, (plan, demand, counts) in enumerate(steps):
        if place in changes:
            contest.discount()
        if demand != demand:  # noqa: PLR0124 - the cheapest test for NaN
            missed += 1
            continue
        if missed:
            contest.skip(missed)
            missed = 0
        if counts:
            contest.step(plan, demand)
        else:
            contest.skip(1)
