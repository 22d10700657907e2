"""Every model on every series, in two processes."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from bench.forecasts.loads import generated
from bench.forecasts.ours import ours
from bench.forecasts.peers import IS_INSTALLED, peers
from bench.forecasts.predictor import PeakPredictor
from bench.forecasts.traces import traces
from bench.forecasts.walk import Plan, Score, peeking, scores, walk
from forecasters.series import Series

PLAN = Plan(look_ahead=2, learning=timedelta(days=2), scored=timedelta(days=3))
_PROCESSES = 2
_SHORT = Plan(look_ahead=2, learning=timedelta(hours=2), scored=timedelta(hours=4))
_SHORT_ROWS = 3 * 288
_CHANGED_AFTER = _SHORT_ROWS - 24  # two hours before the end


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured."""

    began: datetime
    versions: Mapping[str, str]  # of what was measured and of what it rests on
    made_up: Sequence[Score]  # on generated loads
    real: Sequence[Score]  # on traces; none where there are none
    peeking: Sequence[str]  # rows whose answers changed with the future
    cpu_seconds: float  # of everything


@dataclass(frozen=True, slots=True)
class _Task:
    """What one process measures at a time."""

    name: str
    series: Series


def run(folder: Path) -> Results:
    """Measure on the generated loads, and on the traces of a folder where there is one."""
    began = datetime.now(UTC)
    made_up, real = generated(), traces(folder)
    tasks = [_Task(name, series) for name, series in [*real.items(), *made_up.items()]]  # the longest first
    with ProcessPoolExecutor(min(_PROCESSES, os.cpu_count() or 1), get_context("spawn"), initializer=_prepare) as pool:
        checked = pool.submit(_timed_peeking, made_up["daily shape"].last(_SHORT_ROWS))
        found = list(pool.map(_timed_scores, tasks))
        peeked, spent = checked.result()
    rows = [score for scored, _ in found for score in scored]
    return Results(
        began=began,
        versions={name: version(name) for name in ("numpy", "statsmodels", *_peer_packages())},
        made_up=[score for score in rows if score.series in made_up],
        real=[score for score in rows if score.series in real],
        peeking=peeked,
        cpu_seconds=spent + sum(seconds for _, seconds in found),
    )


def _timed_scores(task: _Task) -> tuple[list[Score], float]:
    """Return how every model did on one series, and the CPU seconds that took."""
    began, found = time.process_time(), list[Score]()
    for predictors, is_peer in ((ours(PLAN.look_ahead), False), (peers(PLAN.look_ahead), True)):
        for predictor in predictors:
            walked = walk(predictor, task.series, PLAN)
            found += scores(task.name, task.series, walked, PLAN, is_peer=is_peer)
    print(f"forecasts: {task.name} done", file=sys.stderr, flush=True)
    return found, time.process_time() - began


def _timed_peeking(series: Series) -> tuple[list[str], float]:
    """Return the rows whose answers change when only the future does, and the CPU seconds that finding out took."""
    began, found = time.process_time(), list[str]()
    for make in (ours, peers):
        for number in range(len(make(_SHORT.look_ahead))):
            fresh = partial(_fresh, make, number)
            found += peeking(fresh, series, _SHORT, row=_CHANGED_AFTER)
    return found, time.process_time() - began


def _fresh(make: Callable[[int], list[PeakPredictor]], number: int, _: Series) -> PeakPredictor:
    return make(_SHORT.look_ahead)[number]


def _prepare() -> None:
    """Import what models import, so that no fit is charged for it; and leave out what libraries say of hard series."""
    warnings.simplefilter("ignore")
    warm = generated()["daily shape"].last(_SHORT_ROWS)
    for predictor in (*ours(PLAN.look_ahead), *(peers(PLAN.look_ahead)[:1])):
        predictor.fit(warm)


def _peer_packages() -> tuple[str, ...]:
    return ("statsforecast",) if IS_INSTALLED else ()
