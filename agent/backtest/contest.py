"""Plays a trial: every reactive target side by side, Foretide step by step, and what nothing can undercut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def play_reactive(trial: Trial, target: float, told: Told) -> Reactive:
    """Return what HPAs on the metric do, at the user's target (a utilization) and at every other, in one pass."""
    targets = np.array((target, *TARGETS))
    needed = trial.metric / trial.workload.capacity
    pool = _pool(trial, len(targets), step=0, is_rounded=False)
    scored = len(needed) - trial.begin
    ready, existing = (np.empty((scored, len(targets)), np.int16) for _ in range(2))
    values = np.empty(len(targets))
    for step in range(len(needed)):
        pool.step(np.divide(needed[step], targets, out=values))
        if step >= trial.begin:
            ready[step - trial.begin] = pool.ready
            existing[step - trial.begin] = pool.existing
        if not (step + 1) % _TOLD_EVERY:
            told(_TOLD_EVERY)
    base = fewest(trial)
    hpa, *tried = (_played(trial, ready[:, column], existing[:, column], base) for column in range(len(targets)))
    return Reactive(hpa, dict(zip(TARGETS, tried, strict=True)))


def play_perfect(trial: Trial) -> Played:
    """Return the fewest replicas that serve everything, the future being known and no HPA in the way."""
    base = fewest(trial)
    return _played(trial, base, base, base)


def play_foretide(trial: Trial, decisions: Decisions, told: Told) -> Played:
    """Return what the decisions do through the HPA on a target of 1."""
    decisions.learn(history_of(trial))
    pool = _pool(trial, 1, step=trial.first)
    pool_values = np.empty(1)
    scored = len(trial.load) - trial.begin
    ready, existing = np.empty(scored), np.empty(scored)
    metric: Sequence[float] = trial.metric.tolist()
    at = trial.instant(trial.first)
    for step in range(trial.first, len(metric)):
        pool.advance()
        demand = metric[step]
        there = Replicas(int(pool.existing[0]), int(pool.ready[0]))
        answer = decisions.answer(at, demand if demand == demand else None, there)  # noqa: PLR0124 - NaN is a gap
        pool_values[0] = np.nan if answer is None else answer
        pool.sync(pool_values)
        if step >= trial.begin:
            ready[step - trial.begin], existing[step - trial.begin] = pool.ready[0], pool.existing[0]
        if not (step + 1 - trial.first) % _TOLD_EVERY:
            told(_TOLD_EVERY)
        at += SYNC
    return _played(trial, ready, existing, fewest(trial))


def foretide_steps(trial: Trial) -> int:
    """Return how many steps `play_foretide` plays."""
    return len(trial.metric) - trial.first


def _played(trial: Trial, ready: NDArray[np.number], existing: NDArray[np.number], base: NDArray[np.float64]) -> Played:
    course = Course(ready.astype(np.float64), existing.astype(np.float64))
    return Played(course, score(trial, course, base))


def _pool(trial: Trial, contenders: int, *, step: int, is_rounded: bool = True) -> SimulatedPool:
    """Return pods that serve what is seen at a step. Only answers are rounded: a metric reaches the HPA finer."""
    workload = trial.workload
    rules = replace(workload.hpa, is_rounded=is_rounded)
    return SimulatedPool(contenders, first=trial.replicas_at(step), rules=rules, start_up=workload.start_up, step=SYNC)
