"""What decisions cost: CPU of a line of `foretide replay`, of the walk through the past, and memory of a policy."""

from __future__ import annotations

import csv
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import psutil

from agent.backtest.load import SYNC
from agent.backtest.manifest import PolicyFields, policy_of_fields, policy_text
from agent.decider import Decider
from agent.fitting.fit import run_fit
from agent.fitting.pool import Outcome
from agent.policy import to_scaling_policy
from bench.figures import Figure
from bench.forecasters import load
from bench.lines import LineProcess
from forecasters.series import Series
from forecasters.table import FORECASTERS
from scalers.policy import ScalingPolicy

HISTORY = timedelta(days=14)
PLAYED = timedelta(days=2)  # with its refits
POLICIES = 40
MOST_LINE_MS, MOST_WALK_S, MOST_STATE_KIB = 0.5, 8.0, 256.0
_CAPACITY = 5.0

FIELDS = PolicyFields(
    name="chat",
    namespace="ml",
    query=None,
    capacity=_CAPACITY,
    minimum=1,
    maximum=400,
    risk=0.01,
    start_up=timedelta(minutes=2),
    tolerance=0.1,
    stabilization=timedelta(minutes=5),
)


def measure() -> list[Figure]:
    """Return the figures; takes a minute and a half."""
    series = load((HISTORY + PLAYED) // SYNC, SYNC)
    past = Series(series.start, SYNC, series.values[: HISTORY // SYNC])
    start, line = _replayed(series, past)
    with _one_core():
        _, awake = _replayed(series, past)
    walk, outcomes = _walked(past)
    return [
        Figure("replay: a line, refits of two days included", 1000 * line, "ms CPU", MOST_LINE_MS),
        Figure("the same where one core plays both ends, and never sleeps", 1000 * awake, "ms CPU"),
        Figure("replay: start and priming from 14 days", start, "s CPU"),
        Figure("walk through 14 days, in the fit process", walk, "s CPU", MOST_WALK_S),
        Figure(
            f"memory of a policy that has lived 14 days (of {POLICIES})", _memory(past, outcomes), "KiB", MOST_STATE_KIB
        ),
    ]


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep this process, and what it starts, on one core.

    A virtual machine's core sleeps whenever a line is waited for, and wakes up cold: the same work then takes up to 1.7
    times as long, which is no cost of the agent's.
    """
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _replayed(series: Series, past: Series) -> tuple[float, float]:
    """Return CPU seconds up to the first answer, and of each further line."""
    with tempfile.TemporaryDirectory() as folder:
        policy, history = Path(folder) / "policy.yaml", Path(folder) / "history.csv"
        policy.write_text(policy_text(FIELDS, is_active=True))
        _write(past, history)
        command = [sys.executable, "-m", "agent", "replay", "--policy", str(policy), "--history", str(history)]
        with LineProcess(*command) as replay:
            lines = _lines(series, first=len(past))
            replay.say(next(lines))
            replay.hear()
            start, count = replay.cost.cpu_seconds(), 0
            for line in lines:
                replay.say(line)
                replay.hear()
                count += 1
            return start, (replay.cost.cpu_seconds() - start) / count


def _lines(series: Series, *, first: int) -> Iterator[str]:
    begin = series.start.timestamp()
    for place in range(first, len(series)):
        demand = float(series.values[place])
        replicas = math.ceil(demand / _CAPACITY / 0.8)
        time_of = begin + place * SYNC.total_seconds()
        yield json.dumps({"time": time_of, "demand": demand, "replicas": replicas, "ready": replicas})


def _write(past: Series, file: Path) -> None:
    begin = past.start.timestamp()
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["timestamp", "value"])
        writer.writerows((begin + place * SYNC.total_seconds(), value) for place, value in enumerate(past.values))


def _walked(past: Series) -> tuple[float, list[Outcome]]:
    """Return the CPU seconds of the fits of a new policy with a fortnight behind it, and what they gave."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_fits, past).result()


def _fits(past: Series) -> tuple[float, list[Outcome]]:
    decider = _decider(past)
    began = time.process_time()
    outcomes = [run_fit(job) for job in decider.jobs(past.end)]
    return time.process_time() - began, outcomes


def _memory(past: Series, outcomes: list[Outcome]) -> float:
    """Return the memory by which each policy makes the process grow, KiB, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_growth, past, outcomes).result()


def _growth(past: Series, outcomes: list[Outcome]) -> float:
    process, kept = psutil.Process(), [_lived(past, outcomes)]  # what the first one imports is no policy's
    before = process.memory_info().rss
    kept += [_lived(past, outcomes) for _ in range(POLICIES)]
    return (process.memory_info().rss - before) / 1024 / (len(kept) - 1)


def _lived(past: Series, outcomes: list[Outcome]) -> Decider:
    decider = _decider(past)
    decider.jobs(past.end)
    for outcome in outcomes:
        decider.accept(outcome, past.end)
    decider.decide(past.end, replicas=None)
    return decider


def _decider(past: Series) -> Decider:
    decider = Decider(_policy(), FORECASTERS)
    next(iter(decider.signals.values())).take_past(fine=past)
    return decider


def _policy() -> ScalingPolicy:
    return to_scaling_policy(policy_of_fields(FIELDS))
