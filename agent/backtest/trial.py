"""What every policy of a backtest is given alike: the load, what a scaler sees of it, and the workload."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.backtest.load import SYNC, Load, UnusableLoad
from forecasters.series import Series
from scalers.hpa_rules import HpaRules

_DAY = timedelta(days=1)
_MOST_HISTORY = 14 * _DAY
_MOST_SCORED = 14 * _DAY
_LONG, _MIDDLE = 11 * _DAY, 6 * _DAY  # lengths from which a week, or three days, are history
# Of the history's load this replica count serves all but a thousandth, where the user does not say what one serves.
_ASSUMED_REPLICAS = 30
_LEAST_WARM_UP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Workload:
    """The constants of what is scaled."""

    capacity: float  # demand units that one replica serves within its objective, above 0
    start_up: timedelta  # created to Ready
    hpa: HpaRules  # of the user's HPA

    @property
    def lead(self) -> int:
        """Start-up in whole steps."""
        return self.start_up // SYNC


@dataclass(frozen=True, slots=True)
class View:
    """What a scaler sees of the load."""

    window: timedelta = timedelta(seconds=60)  # the metric is the mean over this
    lag: timedelta = timedelta(seconds=15)  # and this late: scrape and query


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A past made ready to be played."""

    start: datetime  # of the first step
    load: NDArray[np.float64]  # offered, demand units, shape (n,); NaN where it is not known
    metric: NDArray[np.float64]  # as seen at the start of each step, shape (n,)
    begin: int  # the first step that is scored; what lies before is history
    workload: Workload

    @property
    def first(self) -> int:
        """The step in which decisions begin: an hour and three start-ups before they are scored."""
        return max(1, self.begin - warm_up(self.workload.start_up) // SYNC)

    def instant(self, step: int) -> datetime:
        """Return the beginning of a step."""
        return self.start + step * SYNC

    def replicas_at(self, step: int) -> int:
        """Return the replicas that serve what is seen at a step, or at the first one after it with a metric."""
        seen = self.metric[step:]
        known = np.flatnonzero(np.isfinite(seen))
        demand = float(seen[known[0]]) if known.size else 0.0
        hpa = self.workload.hpa
        return min(max(math.ceil(demand / self.workload.capacity), hpa.minimum), hpa.maximum)


def warm_up(start_up: timedelta) -> timedelta:
    """Return the time for which decisions run before they are scored."""
    return _LEAST_WARM_UP + 3 * start_up


def split(steps: int) -> int:
    """Return the first of so many steps that is scored.

    Up to 14 days are scored, after 7 days of history (of 11 days and more), 3 days (of 6 and more) or a quarter.
    """
    span = steps * SYNC
    history = 7 * _DAY if span >= _LONG else 3 * _DAY if span >= _MIDDLE else span / 4
    return max(int(history / SYNC), steps - _MOST_SCORED // SYNC)


def trial_of(load: Load, *, capacity: float | None, start_up: timedelta, hpa: HpaRules, view: View) -> Trial:
    """Return a trial on a load.

    Args:
        load: at least an hour and three start-ups of history, and three times that to score.
        capacity: demand units that one replica serves; None takes it from the history.
        start_up: created to Ready.
        hpa: the user's.
        view: what scalers see.

    Raises:
        UnusableLoad: it is too short, or has nothing to serve.
    """
    values = load.series.values
    begin = split(len(values))
    _check_length(len(values), begin, start_up)
    cut = max(0, begin - _MOST_HISTORY // SYNC)
    values, begin = values[cut:], begin - cut
    _check_demand(values, begin, is_capacity_given=capacity is not None)
    if capacity is None:
        capacity = capacity_of(values[:begin])
    return Trial(
        start=load.series.start + cut * SYNC,
        load=values,
        metric=metric_of(values, view),
        begin=begin,
        workload=Workload(capacity, start_up, hpa),
    )


def capacity_of(history: NDArray[np.float64]) -> float:
    """Return the capacity by which the 99.9 % quantile of a history is 30 replicas; the mean where that is larger."""
    known = history[np.isfinite(history)]
    return max(float(np.quantile(known, 0.999)), float(known.mean())) / _ASSUMED_REPLICAS


def metric_of(load: NDArray[np.float64], view: View) -> NDArray[np.float64]:
    """Return what is seen of a load at the start of each step: the mean over what is known of the window.

    The load of a step itself is not known at its start. NaN where nothing of the window is known.
    """
    width, late = max(1, round(view.window / SYNC)), round(view.lag / SYNC)
    known = np.isfinite(load)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, load, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    high = np.clip(np.arange(len(load)) - late, 1, None)
    low = np.clip(high - width, 0, None)
    seen = counts[high] - counts[low]
    metric = np.full(len(load), np.nan)
    np.divide(sums[high] - sums[low], seen, out=metric, where=seen > 0)
    np.maximum(metric, 0.0, out=metric)  # the difference of two sums may end a rounding error below
    return metric


def history_of(trial: Trial) -> Series:
    """Return what is seen before decisions begin."""
    return Series(trial.start, SYNC, trial.metric[: trial.first])


def with_hpa(trial: Trial, hpa: HpaRules) -> Trial:
    """Return the trial under another HPA."""
    return replace(trial, workload=replace(trial.workload, hpa=hpa))


def _check_length(steps: int, begin: int, start_up: timedelta) -> None:
    needed = warm_up(start_up) + SYNC
    if begin * SYNC >= needed:
        return
    raise UnusableLoad(
        f"the history reaches over {_hours(steps * SYNC)}, of which a quarter is history, and decisions need"
        f" {_hours(needed)} of it (an hour and three start-ups): give at least {_hours(4 * needed)}"
    )


def _check_demand(values: NDArray[np.float64], begin: int, *, is_capacity_given: bool) -> None:
    history, scored = values[:begin], values[begin:]
    if not np.nansum(scored):
        raise UnusableLoad(
            f"the scored part, from step {begin} of {len(values)}, has no demand above 0, so nothing can go unserved:"
            " check the query or the file"
        )
    if not np.nansum(history) and not is_capacity_given:
        raise UnusableLoad(
            "the history part has no demand above 0, so it does not say what one replica serves: give --capacity"
        )


def _hours(span: timedelta) -> str:
    minutes = round(span / timedelta(minutes=1))
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 72 * 60 else f"{minutes / 1440:.1f} days"
