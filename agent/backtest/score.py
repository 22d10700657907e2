"""What a policy has cost and left unserved, by the same rules for every policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from agent.backtest.load import SYNC
from agent.backtest.trial import Trial

_HAIR = 1e-9  # of a replica: rounding errors


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The pods of one policy over the scored steps."""

    ready: NDArray[np.float64]  # shape (scored steps,)
    existing: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """One policy in five figures, named as `foretide backtest --json` prints them."""

    cost: float  # paid replicas over the fewest that would have served everything
    replica_hours: float  # paid
    unserved_pct: float  # share of the demand above the capacity of what was ready
    short_pct: float  # share of the time with any such demand
    actions_per_h: float  # changes of the number of replicas


def fewest(trial: Trial) -> NDArray[np.float64]:
    """Return the fewest replicas to pay for at each scored step so that nothing goes unserved, the future being known.

    That is a lower bound of the cost of serving everything: a pod must be there a start-up before it is needed.
    """
    peaks = peak_ahead(trial.load, trial.workload.lead)
    needed = np.ceil(peaks / trial.workload.capacity - _HAIR)
    return np.maximum(trial.workload.hpa.minimum, needed)[trial.begin :]


def peak_ahead(load: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """Return the largest known load from each step to so many steps after it; 0 where none is known."""
    peak, reached = np.where(np.isfinite(load), load, 0.0), 0  # peak covers [i, i + reached]
    while reached < steps:
        further = min(reached + 1, steps - reached)
        later = np.concatenate([peak[further:], np.zeros(further)])[: len(peak)]
        peak, reached = np.maximum(peak, later), reached + further
    return peak


def score(trial: Trial, course: Course, base: NDArray[np.float64]) -> Score:
    """Return the figures of a course.

    Steps whose load is not known count in none of them: what a replica did then cannot be told.

    Args:
        trial: what was played.
        course: the pods.
        base: the fewest replicas, as `fewest` gives them.
    """
    load = trial.load[trial.begin :]
    known = np.isfinite(load)
    hours = int(known.sum()) * (SYNC / timedelta(hours=1))
    shortage = shortage_of(trial, course)[known]
    acted = np.diff(course.existing) != 0
    paid = float(course.existing[known].sum())
    return Score(
        cost=paid / float(base[known].sum()),
        replica_hours=paid * (SYNC / timedelta(hours=1)),
        unserved_pct=100 * float(shortage.sum()) / float(load[known].sum()),
        short_pct=100 * float((shortage > 0).mean()),
        actions_per_h=int((acted & known[1:]).sum()) / hours,
    )


def shortage_of(trial: Trial, course: Course) -> NDArray[np.float64]:
    """Return the demand above the capacity of ready replicas, step by step; 0 where the load is not known."""
    load = trial.load[trial.begin :]
    return np.maximum(np.where(np.isfinite(load), load, 0.0) - course.ready * trial.workload.capacity, 0.0)
