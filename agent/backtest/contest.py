"""Plays a trial: reactive scaling at every target and Foretide side by side, and what nothing can undercut."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.backtest.decisions import Decisions
from agent.backtest.load import SYNC
from agent.backtest.score import Course, Score, fewest, score
from agent.backtest.trial import Trial, history_of
from scalers.decision import Replicas
from scalers.simulated_pool import SimulatedPool

TARGETS = tuple(percent / 100 for percent in range(20, 101, 5))  # utilizations tried for the best reactive scaling

Told = Callable[[int], None]  # is told how many steps more were played
_TOLD_EVERY = 240  # steps, an hour
_KEDA_DECIMALS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One policy's course and its figures."""

    course: Course
    score: Score


@dataclass(frozen=True, slots=True, eq=False)
class Reactive:
    """What plain HPAs did, by their target's utilization."""

    hpa: Played  # at the user's own target
    tried: dict[float, Played]  # at TARGETS

    def best(self, unserved_pct: float) -> float:
        """Return the cheapest target that leaves at most so much unserved; where none does, the one with the least."""
        enough = {target: played for target, played in self.tried.items() if played.score.unserved_pct <= unserved_pct}
        if enough:
            return min(enough, key=lambda target: (enough[target].score.cost, -target))
        return min(
            self.tried, key=lambda target: (self.tried[target].score.unserved_pct, self.tried[target].score.cost)
        )


def play(
    trial: Trial, *, targets: Sequence[float], decisions: Decisions | None, told: Told
) -> tuple[list[Played], Played | None]:
    """Play HPAs on the metric at every target, and Foretide beside them where there are decisions.

    Args:
        trial: what is played.
        targets: utilizations; HPAs begin with the load.
        decisions: begin an hour and three start-ups before they are scored; None plays HPAs alone.
        told: the progress.

    Returns:
        The HPAs in the targets' order, and Foretide.
    """
    begin = 0 if targets else trial.first
    pool = _pool(trial, len(targets), begin)
    steps = len(trial.metric) - begin
    ready, existing = (np.empty((steps, len(targets) + 1), np.int16) for _ in range(2))
    for step, values in enumerate(_values(trial, targets, decisions, pool, begin)):
        pool.sync(values)
        ready[step], existing[step] = pool.ready, pool.existing
        if not (step + 1) % _TOLD_EVERY:
            told(_TOLD_EVERY)
    scored = slice(trial.begin - begin, None)
    base = fewest(trial)
    *reactive, foretide = (
        _played(trial, ready[scored, column], existing[scored, column], base) for column in range(len(targets) + 1)
    )
    return reactive, None if decisions is None else foretide


def play_perfect(trial: Trial) -> Played:
    """Return the fewest replicas that serve everything, the future being known and no HPA in the way."""
    base = fewest(trial)
    return _played(trial, base, base, base)


def steps_of(trial: Trial, targets: Sequence[float]) -> int:
    """Return how many steps `play` plays."""
    return len(trial.metric) - (0 if targets else trial.first)


def _values(
    trial: Trial, targets: Sequence[float], decisions: Decisions | None, pool: SimulatedPool, begin: int
) -> Iterator[NDArray[np.float64]]:
    """Yield what each HPA reads, step by step, the last one what Foretide answers; NaN holds it until it begins."""
    utilizations, values = np.array(targets), np.full(len(targets) + 1, np.nan)
    needed = trial.metric / trial.workload.capacity
    seen: Sequence[float] = trial.metric.tolist()
    if decisions is not None:
        decisions.learn(history_of(trial))
    for step in range(begin, len(seen)):
        pool.advance()
        np.divide(needed[step], utilizations, out=values[:-1])
        if decisions is not None and step >= trial.first:
            there = Replicas(int(pool.existing[-1]), int(pool.ready[-1]))
            demand = seen[step] if seen[step] == seen[step] else None
            answer = decisions.answer(trial.instant(step), demand, there)
            values[-1] = np.nan if answer is None else round(answer, _KEDA_DECIMALS)
        yield values


def _pool(trial: Trial, targets: int, begin: int) -> SimulatedPool:
    """Return each HPA's pods, which serve what is seen where it begins; only answers pass KEDA, which rounds."""
    workload = trial.workload
    first = np.full(targets + 1, trial.replicas_at(begin), np.int16)
    first[-1] = trial.replicas_at(trial.first)
    rules = replace(workload.hpa, is_rounded=False)
    return SimulatedPool(targets + 1, first=first, rules=rules, start_up=workload.start_up, step=SYNC)


def _played(trial: Trial, ready: NDArray[np.number], existing: NDArray[np.number], base: NDArray[np.float64]) -> Played:
    course = Course(ready.astype(np.float64), existing.astype(np.float64))
    return Played(course, score(trial, course, base))
