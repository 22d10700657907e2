"""The charts of a report: what each shows, as shapes, ticks and a sentence for whoever cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.backtest import shapes
from agent.backtest.axis import Axis, Tick, between, decades, from_zero, times
from agent.backtest.backtest import Outcome
from agent.backtest.contest import Played
from agent.backtest.load import SYNC
from agent.backtest.score import Score, shortage_of
from agent.backtest.words import NAMES, label, percent

_POINTS = 720  # of a line across a page: more would be under a pixel wide
_LEAST_UNSERVED_PCT = 0.001  # the low end of the curve's axis; nothing stands on a logarithmic axis at 0
_COMPARED = ("hpa", "best_reactive", "foretide")
_LABELLED = 10  # percent: targets that are multiples of it
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """A named point of a curve."""

    left: float  # shares of the plot
    bottom: float
    text: str  # beside it; empty for none
    style: str


@dataclass(frozen=True, slots=True)
class Plot:
    """One drawing with its axes."""

    title: str
    sentence: str
    drawing: str
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """Plots of one time and one scale, one under the other."""

    plots: tuple[Plot, ...]
    columns: tuple[Tick, ...]
    each: timedelta  # what one point stands for


def replica_rows(outcome: Outcome, since: int, until: int) -> Rows:
    """Return demand and ready replicas of each compared policy, over scored steps [since, until).

    Demand is in replicas. A point stands for the worst moment of its time: so a shortage is never between two points.
    """
    trial = outcome.trial
    need = trial.load[trial.begin + since : trial.begin + until] / trial.workload.capacity
    courses = {name: outcome.policies[name].course for name in _COMPARED}
    most = max(float(np.nanmax(need)), *(float(course.ready[since:until].max()) for course in courses.values()))
    axis, ticks = from_zero(most)
    width = -(-len(need) // _POINTS)
    plots = []
    for name in _COMPARED:
        ready = courses[name].ready[since:until]
        worst = _worst(need, ready, width)
        plots.append(
            Plot(
                title=label(name, outcome),
                sentence=f"{label(name, outcome)}: {_sentence(outcome.policies[name].score)}",
                drawing=_replicas(need[worst], ready[worst], axis),
                rows=ticks,
            )
        )
    start = trial.instant(trial.begin + since)
    return Rows(tuple(plots), times(start, start + len(need) * SYNC), width * SYNC)


def worst_day(outcome: Outcome) -> tuple[int, int]:
    """Return the scored steps [since, until) of the day around the user's HPA's greatest shortage, else the busiest."""
    trial = outcome.trial
    shortage = shortage_of(trial, outcome.reactive.hpa.course)
    load = trial.load[trial.begin :]
    if not shortage.any():
        shortage = np.where(np.isfinite(load), load, 0.0)
    hour = timedelta(hours=1) // SYNC
    sums = np.convolve(shortage, np.ones(hour), "valid") if len(shortage) >= hour else shortage
    middle = int(np.argmax(sums)) + hour // 2
    day = min(_DAY // SYNC, len(load))
    since = min(max(0, middle - day // 2), len(load) - day)
    return since, since + day


def shortage_curves(outcome: Outcome) -> Plot:
    """Return the unserved demand of each compared policy, added up over time, percent of all demand."""
    trial = outcome.trial
    total = float(np.nansum(trial.load[trial.begin :]))
    sums = {name: 100 * np.cumsum(shortage_of(trial, outcome.policies[name].course)) / total for name in _COMPARED}
    axis, ticks = from_zero(max(0.001, *(float(each[-1]) for each in sums.values())))
    count = len(sums["hpa"])
    places = np.unique(np.linspace(0, count - 1, min(_POINTS, count)).astype(np.int64))
    x = (places + 1) / count
    drawing = "".join(shapes.line(x, sums[name][places], axis, f"p-{name}") for name in _COMPARED)
    start, end = trial.instant(trial.begin), trial.instant(len(trial.load))
    told = "; ".join(f"{NAMES[name]} {percent(float(sums[name][-1]), 3)}" for name in _COMPARED)
    return Plot("Unserved demand, added up", f"at the end {told}", drawing, ticks, times(start, end))


def cost_curve(outcome: Outcome) -> Plot:
    """Return unserved demand against cost: reactive scaling at every target, Foretide at every risk."""
    reactive = list(outcome.reactive.tried.values())
    foretide = list(outcome.swept.values()) or [outcome.foretide]
    drawn = [*reactive, *foretide, outcome.reactive.hpa]
    x_axis, columns = between(min(1.0, *(each.score.cost for each in drawn)), _far_enough(outcome, drawn))
    worst = max(each.score.unserved_pct for each in drawn)
    y_axis, rows = decades(_LEAST_UNSERVED_PCT, max(worst, 10 * _LEAST_UNSERVED_PCT))
    drawing = _curve(reactive, x_axis, y_axis, "p-best_reactive") + _curve(foretide, x_axis, y_axis, "p-foretide")
    return Plot(
        "Unserved demand against cost",
        "further left is cheaper, further down serves more; "
        + "; ".join(f"{label(name, outcome)}: {_sentence(outcome.policies[name].score)}" for name in _COMPARED),
        drawing,
        rows,
        columns,
        _marks(outcome, x_axis, y_axis),
    )


def days(outcome: Outcome) -> list[tuple[str, list[tuple[float, float]]]]:
    """Return for each scored day the replica-hours and the unserved share of each compared policy."""
    trial = outcome.trial
    load = np.nan_to_num(trial.load[trial.begin :])
    starts = _day_starts(trial.instant(trial.begin), len(load))
    rows = []
    for first, last in zip(starts, [*starts[1:], len(load)], strict=True):
        demand = float(load[first:last].sum())
        figures = []
        for name in _COMPARED:
            course = outcome.policies[name].course
            unserved = float(shortage_of(trial, course)[first:last].sum())
            hours = float(course.existing[first:last].sum()) * (SYNC / timedelta(hours=1))
            figures.append((hours, 100 * unserved / demand if demand else 0.0))
        rows.append((f"{trial.instant(trial.begin + first):%a %d %b}", figures))
    return rows


def _day_starts(start: datetime, steps: int) -> list[int]:
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    first = (midnight + _DAY - start) // SYNC
    return [0, *(step for step in range(first, steps, _DAY // SYNC) if step > 0)]


def _worst(need: NDArray[np.float64], ready: NDArray[np.float64], width: int) -> NDArray[np.int64]:
    """Return of each bucket the step in which demand is furthest above what is ready."""
    over = np.where(np.isfinite(need), need - ready, -np.inf)
    starts = np.arange(0, len(need), width)
    padded = np.concatenate([over, np.full(len(starts) * width - len(over), -np.inf)]).reshape(len(starts), width)
    worst: NDArray[np.int64] = np.minimum(starts + np.argmax(padded, axis=1), len(need) - 1)
    return worst


def _replicas(need: NDArray[np.float64], ready: NDArray[np.float64], axis: Axis) -> str:
    x = np.arange(len(need)) / len(need)
    return (
        shapes.area(x, ready, axis, "ready")
        + shapes.steps(x, ready, axis, "capacity")
        + shapes.line(x, need, axis, "demand")
        + shapes.between(x, ready, np.nan_to_num(need), axis, "short")
    )


def _curve(played: Sequence[Played], x_axis: Axis, y_axis: Axis, style: str) -> str:
    scores = sorted((each.score for each in played), key=lambda score: score.cost)
    if len(scores) == 1:
        return ""
    x = np.array([x_axis.share(score.cost) for score in scores])
    y = np.array([max(score.unserved_pct, y_axis.low) for score in scores])
    return shapes.line(x, y, y_axis, style)


def _far_enough(outcome: Outcome, drawn: Sequence[Played]) -> float:
    """Return the dearest cost that is worth showing: targets far below the best one only push the rest together."""
    compared = [outcome.policies[name].score.cost for name in _COMPARED]
    return min(max(each.score.cost for each in drawn), 1.5 * max(compared))


def _marks(outcome: Outcome, x_axis: Axis, y_axis: Axis) -> tuple[Mark, ...]:
    """Return a dot for every target and risk, every other with its words, and a shape for each compared policy."""

    def mark(score: Score, style: str, text: str = "") -> Mark:
        return Mark(x_axis.share(score.cost), y_axis.share(score.unserved_pct), text, style)

    points = [
        mark(played.score, "m m-reactive", percent(100 * target) if round(100 * target) % _LABELLED == 0 else "")
        for target, played in outcome.reactive.tried.items()
    ]
    points += [
        mark(played.score, "m m-foretide", percent(100 * risk) if place % 2 == 0 else "")
        for place, (risk, played) in enumerate(outcome.swept.items())
    ]
    named = [mark(outcome.policies[name].score, f"n n-{name}") for name in _COMPARED]
    return tuple(each for each in (*points, *named) if 0 <= each.left <= 1)


def _sentence(score: Score) -> str:
    return (
        f"cost {score.cost:.3f}, {percent(score.unserved_pct, 3)} of the demand unserved,"
        f" {percent(score.short_pct, 2)} of the time short"
    )
