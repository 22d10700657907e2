"""From the demo's comparison to what the page draws."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from agent.web.chart_models import ComparisonView, ScoreView, SideView
from agent.web.charts import MOST_POINTS
from agent.web.comparison import Comparison, Score, Side
from agent.web.finite import finite, finite_list
from forecasters.series import EPOCH


def comparison_view(comparison: Comparison, *, since: datetime) -> ComparisonView:
    """Return the comparison from `since` on; where it has too many points, every n-th, for counts have no mean."""
    first = max(0, -((comparison.start - since) // comparison.step))
    every = max(1, -(-(len(comparison.need) - first) // MOST_POINTS))
    shown = slice(first, None, every)
    return ComparisonView(
        since_seconds=_seconds(comparison.since),
        until_seconds=_seconds(comparison.until),
        start_seconds=_seconds(comparison.start + first * comparison.step),
        step_seconds=every * comparison.step.total_seconds(),
        need=_part(comparison.need, shown),
        foretide=_side(comparison.foretide, shown),
        reactive=_side(comparison.reactive, shown),
    )


def _side(side: Side, shown: slice) -> SideView:
    return SideView(
        name=side.name,
        existing=_part(side.existing, shown),
        ready=_part(side.ready, shown),
        score=_score(side.score),
    )


def _score(score: Score) -> ScoreView:
    return ScoreView(
        replica_hours=score.replica_hours,
        unserved_pct=finite(score.unserved_pct),
        short_pct=finite(score.short_pct),
        actions_per_h=score.actions_per_h,
        cost=finite(score.cost),
    )


def _part(values: NDArray[np.float64], shown: slice) -> list[float | None]:
    return finite_list(values[shown])


def _seconds(instant: datetime) -> float:
    return (instant - EPOCH).total_seconds()
