"""Every way on every load, in as many processes as there are cores."""

from __future__ import annotations

import gzip
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from agent.backtest.load import Load, from_rows
from bench.decisions.play import Played, played
from bench.decisions.ways import WAYS
from bench.forecasts.loads import generated

RISKS = (0.2, 0.08, 0.03, 0.01, 0.003, 0.001, 0.0005)
START_UPS = (timedelta(seconds=120), timedelta(seconds=600))
COARSEST, SHORTEST = timedelta(seconds=300), timedelta(days=6)
_NAME = re.compile(r".+?_(?P<seconds>\d+)s(_\w+)?\.csv\.gz")
_NO_LOAD = "jobs"  # a folder of training jobs: what arrives there waits in a queue


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured, by start-up and the load's name."""

    began: datetime
    made_up: dict[timedelta, dict[str, Played]]
    real: dict[timedelta, dict[str, Played]]  # empty where there are no traces
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class _Task:
    name: str
    load: Load
    start_up: timedelta


def run(folder: Path) -> Results:
    """Play on the generated loads, and on the traces of a folder where there is one."""
    began = datetime.now(UTC)
    made_up = {name: from_rows(series.seconds(), series.values) for name, series in generated().items()}
    real = dict(_traces(folder))
    tasks = [_Task(name, load, start_up) for start_up in START_UPS for name, load in [*real.items(), *made_up.items()]]
    found: dict[timedelta, dict[str, Played]] = {start_up: {} for start_up in START_UPS}
    spent = 0.0
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for number, (task, (result, seconds)) in enumerate(zip(tasks, pool.map(_timed, tasks), strict=True), start=1):
            found[task.start_up][task.name] = result
            spent += seconds
            print(f"decisions  {number} of {len(tasks)}: {task.name}", file=sys.stderr, flush=True)
    return Results(
        began,
        {start_up: {name: each[name] for name in made_up} for start_up, each in found.items()},
        {start_up: {name: each[name] for name in real} for start_up, each in found.items()},
        spent,
    )


def _timed(task: _Task) -> tuple[Played, float]:
    began = time.process_time()
    return played(task.load, task.start_up, WAYS, RISKS), time.process_time() - began


def _traces(folder: Path) -> Iterator[tuple[str, Load]]:
    """Yield the traces that are at most `COARSEST` apart and at least `SHORTEST` long, by folder and name."""
    for path in sorted(folder.glob("*/*.csv.gz")):
        parts = _NAME.fullmatch(path.name)
        if path.parent.name == _NO_LOAD or parts is None or timedelta(seconds=int(parts["seconds"])) > COARSEST:
            continue
        with gzip.open(path, "rt") as lines:
            if next(lines).strip() != "timestamp,value":
                continue
            rows = np.loadtxt(lines, delimiter=",")
        if timedelta(seconds=float(rows[-1, 0] - rows[0, 0])) >= SHORTEST:
            yield f"{path.parent.name}/{path.name.removesuffix('.csv.gz')}", from_rows(rows[:, 0], rows[:, 1])
