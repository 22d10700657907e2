"""One backtest from a past to its outcome."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing import get_context
from typing import Protocol

from agent.backtest.contest import TARGETS, Played, Reactive, play, play_perfect, steps_of
from agent.backtest.decisions import LiveDecisions
from agent.backtest.load import Load
from agent.backtest.manifest import PolicyFields, manifest_text, policy_of_fields, suggested_risk
from agent.backtest.notices import Notice, notices
from agent.backtest.score import Score
from agent.backtest.trial import Trial, View, trial_of
from agent.policy import to_scaling_policy
from scalers.hpa_rules import HpaRules

SWEPT = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)  # risks
_ROOM = 1.5  # over the most replicas seen, for the suggested maximum


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a past."""

    target: float  # the user's HPA's, a utilization of the capacity
    risk: float
    start_up: timedelta
    capacity: float | None  # demand units that one replica serves; None takes it from the history
    hpa: HpaRules
    view: View
    swept: tuple[float, ...]  # risks for the whole curve, the own one apart; empty for none
    name: str
    namespace: str
    query: str | None
    origin: str  # file, or server, for people
    is_maximum_given: bool


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of it."""

    question: Question
    trial: Trial
    reactive: Reactive
    best_target: float
    foretide: Played
    perfect: Played
    swept: Mapping[float, Played]  # Foretide by its risk, the largest first; empty without a sweep
    notices: tuple[Notice, ...]
    suggested: PolicyFields

    @property
    def policies(self) -> dict[str, Played]:
        """The four that are compared, under the names that `--json` prints."""
        return {
            "hpa": self.reactive.hpa,
            "best_reactive": self.reactive.tried[self.best_target],
            "foretide": self.foretide,
            "perfect": self.perfect,
        }

    @property
    def manifest(self) -> str:
        """The documents that the user may apply."""
        return manifest_text(self.suggested)

    @property
    def saved_pct(self) -> float:
        """Foretide's cost below the best reactive one's, percent of that; below 0 it is dearer."""
        return saved_pct(self.foretide.score, self.policies["best_reactive"].score)


class Progress(Protocol):
    """Is told how far a backtest is."""

    def begin(self, what: str, steps: int) -> None:
        """Begin a part."""
        ...

    def went(self, steps: int) -> None:
        """So many steps of the part are done."""
        ...


def saved_pct(one: Score, other: Score) -> float:
    """Return by how much one costs less than the other, percent of the other."""
    return 100 * (1 - one.cost / other.cost)


def backtest(load: Load, question: Question, progress: Progress) -> Outcome:
    """Return what each policy would have cost and left unserved.

    Raises:
        UnusableLoad: nothing can be played on this past.
        InvalidPolicy: the question makes no policy.
    """
    played = trial_of(
        load, capacity=question.capacity, start_up=question.start_up, hpa=question.hpa, view=question.view
    )
    fields = _fields(question, played)
    policy_of_fields(fields)  # what is wrong with it is told before anything is played
    reactive, foretide, swept = _play(played, question, fields, progress)
    return Outcome(
        question=question,
        trial=played,
        reactive=reactive,
        best_target=reactive.best(foretide.score.unserved_pct),
        foretide=foretide,
        perfect=play_perfect(played),
        swept=swept,
        notices=notices(load, played),
        suggested=_suggested(fields, question, reactive.hpa, foretide),
    )


def _play(
    trial: Trial, question: Question, fields: PolicyFields, progress: Progress
) -> tuple[Reactive, Played, dict[float, Played]]:
    targets = (question.target, *TARGETS)
    decisions = None if question.swept else _decisions(fields)
    what = "HPAs at every target" + ("" if question.swept else f", and Foretide at a risk of {100 * question.risk:g} %")
    progress.begin(what, steps_of(trial, targets))
    (hpa, *tried), foretide = play(trial, targets=targets, decisions=decisions, told=progress.went)
    reactive = Reactive(hpa, dict(zip(TARGETS, tried, strict=True)))
    if foretide is not None:
        return reactive, foretide, {}
    risks = sorted({*question.swept, question.risk}, reverse=True)
    progress.begin(f"Foretide at {len(risks)} risks", len(risks) * steps_of(trial, ()))
    swept = _in_processes(trial, {risk: replace(fields, risk=risk) for risk in risks}, progress)
    return reactive, swept[question.risk], {risk: swept[risk] for risk in risks}


def _in_processes(trial: Trial, asked: Mapping[float, PolicyFields], progress: Progress) -> dict[float, Played]:
    """Play each in a process of its own, as many at once as there are processors."""
    done: dict[float, Played] = {}
    with ProcessPoolExecutor(min(len(asked), os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(_play_alone, trial, fields): risk for risk, fields in asked.items()}
        for future in as_completed(futures):
            done[futures[future]] = future.result()
            progress.went(steps_of(trial, ()))
    return done


def _play_alone(trial: Trial, fields: PolicyFields) -> Played:
    _, foretide = play(trial, targets=(), decisions=_decisions(fields), told=lambda _: None)
    if foretide is None:
        raise AssertionError("decisions were given, so they were played")
    return foretide


def _decisions(fields: PolicyFields) -> LiveDecisions:
    return LiveDecisions(to_scaling_policy(policy_of_fields(fields)))


def _fields(question: Question, trial: Trial) -> PolicyFields:
    return PolicyFields(
        name=question.name,
        namespace=question.namespace,
        query=question.query,
        capacity=trial.workload.capacity,
        minimum=question.hpa.minimum,
        maximum=question.hpa.maximum,
        risk=question.risk,
        start_up=question.start_up,
        tolerance=question.hpa.tolerance_up,
        stabilization=question.hpa.stabilization,
    )


def _suggested(fields: PolicyFields, question: Question, hpa: Played, foretide: Played) -> PolicyFields:
    """Return the policy with the risk that the user lives with now, and room above what was seen."""
    most = max(float(hpa.course.existing.max()), float(foretide.course.existing.max()))
    maximum = question.hpa.maximum if question.is_maximum_given else min(math.ceil(_ROOM * most), question.hpa.maximum)
    capacity = fields.capacity if question.capacity else float(f"{fields.capacity:.4g}")  # what was assumed is rough
    return replace(fields, risk=suggested_risk(hpa.score.short_pct), maximum=maximum, capacity=capacity)
