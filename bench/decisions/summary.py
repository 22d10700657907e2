"""What a way saves beside reactive scaling that leaves as much unserved, its target chosen in hindsight."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np

from agent.backtest.score import Score
from bench.decisions.play import Played

LEVELS = (0.1, 1.0)  # unserved demand, percent
_FLOOR = 1e-3  # percent; less unserved is as good as none
_KEPT = 1.5, 0.1  # times the risk, and percent above it, up to which it counts as kept


@dataclass(frozen=True, slots=True)
class Row:
    """One way over many loads."""

    way: str
    saved: Mapping[float, tuple[float, float, int]]  # by level: median and worst, percent, and of how many loads
    kept: float  # share of runs
    actions: float  # per hour, median of the runs


def row(way: str, loads: Iterable[Played]) -> Row:
    """Return how a way did; a load that it, or reactive scaling, does not bring to a level counts at others alone."""
    played = list(loads)
    runs = [(risk, score) for each in played for (name, risk), score in each.ways.items() if name == way]
    return Row(
        way,
        {level: _spread([saved(each, way, level) for each in played]) for level in LEVELS},
        sum(score.short_pct <= _KEPT[0] * 100 * risk + _KEPT[1] for risk, score in runs) / len(runs),
        median(score.actions_per_h for _, score in runs),
    )


def saved(load: Played, way: str, level: float) -> float | None:
    """Return the cost that a way saves, percent, in its run with the most unserved demand not above a level.

    None where no run of it, or no reactive target, gets there.
    """
    reach = [score for (name, _), score in load.ways.items() if name == way and score.unserved_pct <= level]
    curve = _curve(load)
    if not reach or curve[-1][1] > level:
        return None
    run = max(reach, key=lambda score: (score.unserved_pct, -score.cost))
    costs, unserved = (np.array(column) for column in zip(*curve, strict=True))
    heights = np.log(np.maximum(unserved, _FLOOR))
    # beyond the curve's cheap end its cheapest point counts, beyond its dear end the dearest
    rival = float(np.interp(-math.log(max(run.unserved_pct, _FLOOR)), -heights, costs))
    return 100 * (1 - run.cost / rival)


def _curve(load: Played) -> list[tuple[float, float]]:
    """Return cost and unserved demand of the reactive targets that none other beats, the cheapest first."""
    curve: list[tuple[float, float]] = []
    for cost, unserved in sorted((score.cost, score.unserved_pct) for score in load.reactive.values()):
        if not curve or unserved < curve[-1][1]:
            curve.append((cost, unserved))
    return curve


def _spread(found: Iterable[float | None]) -> tuple[float, float, int]:
    values = [value for value in found if value is not None]
    return (median(values), min(values), len(values)) if values else (math.nan, math.nan, 0)


def scores_of(load: Played, way: str) -> dict[float, Score]:
    """Return the scores of a way by its risk."""
    return {risk: score for (name, risk), score in load.ways.items() if name == way}
