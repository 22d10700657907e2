"""Plays ways to decide on one load, all beside each other: the experts' simulations are done once for all of them.

The code is that of live decisions (`scalers.walk`, `scalers.contest`, `scalers.choice`), without the clamps that need
a world around them. The scores are those of `foretide backtest`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from agent.backtest.contest import TARGETS, play
from agent.backtest.load import SYNC, Load
from agent.backtest.manifest import PolicyFields, policy_of_fields
from agent.backtest.score import Course, Score, fewest, score
from agent.backtest.trial import Trial, View, trial_of
from agent.peak_setting import rows_ahead, setting_of
from agent.policy import to_scaling_policy
from bench.decisions.ways import Lane, Way
from forecasters.past import Past
from forecasters.peak_paths import FAMILIES
from forecasters.usual import UsualAt
from scalers.choice import Answering
from scalers.contest import Contest, Setting
from scalers.hpa_rules import HpaRules
from scalers.policy import ScalingPolicy
from scalers.simulated_pool import SimulatedPool
from scalers.tolerance import PAST_THE_EDGE, WORTH_PASSING
from scalers.walk import Fine, Plans, plan

ROW = timedelta(minutes=1)
SCORED = timedelta(days=3)
LEARNED = timedelta(days=6)  # lived through by the experts before anything is scored, at most
CHOOSE_EVERY = timedelta(hours=1) // SYNC
_PER_ROW = ROW // SYNC
_MOST_REPLICAS = 1000
_TOLERANCE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """What became of a load."""

    reactive: dict[float, Score]  # by the HPA's target
    ways: dict[tuple[str, float], Score]  # by the way's name and its risk


def played(load: Load, start_up: timedelta, ways: Sequence[Way], risks: Sequence[float]) -> Played:
    """Return the scores of HPAs on the metric at every target, and of every way at every risk."""
    trial = trial_of_load(load, start_up)
    hpas, _ = play(trial, targets=TARGETS, decisions=None, told=lambda _: None)
    reactive = {target: each.score for target, each in zip(TARGETS, hpas, strict=True)}
    scores: dict[tuple[str, float], Score] = {}
    for usual_of in dict.fromkeys(way.usual_of for way in ways):
        scores |= _scores(trial, [way for way in ways if way.usual_of is usual_of], risks)
    return Played(reactive, scores)


def trial_of_load(load: Load, start_up: timedelta) -> Trial:
    """Return a load made ready, of which at most `SCORED` is scored."""
    hpa = HpaRules(minimum=1, maximum=_MOST_REPLICAS, tolerance_up=_TOLERANCE, tolerance_down=_TOLERANCE)
    trial = trial_of(load, capacity=None, start_up=start_up, hpa=hpa, view=View())
    skipped = -round(trial.start.timestamp() / SYNC.total_seconds()) % _PER_ROW  # rows begin with the minute
    end = min(len(trial.load), trial.begin + SCORED // SYNC)
    kept = slice(skipped, end)
    return replace(
        trial,
        start=trial.start + skipped * SYNC,
        load=trial.load[kept],
        metric=trial.metric[kept],
        begin=trial.begin - skipped,
    )


def _scores(trial: Trial, ways: Sequence[Way], risks: Sequence[float]) -> dict[tuple[str, float], Score]:
    policy = policy_of(trial)
    setting = setting_of(policy, policy.signals[0], SYNC)
    plans = _plans(trial, rows_ahead(policy, policy.signals[0], ROW), ways[0].usual_of)
    contest = Contest(tuple(FAMILIES), setting)
    lanes = [Lane.of(way, risk, contest) for way in ways for risk in risks]
    courses = _courses(trial, plans, contest, lanes, setting)
    base = fewest(trial)
    return {(lane.way.name, lane.risk): score(trial, course, base) for lane, course in zip(lanes, courses, strict=True)}


def policy_of(trial: Trial) -> ScalingPolicy:
    """Return the policy of a trial, with a risk of 1 %."""
    workload = trial.workload
    fields = PolicyFields(
        name="workload",
        namespace="default",
        query=None,
        capacity=workload.capacity,
        minimum=workload.hpa.minimum,
        maximum=workload.hpa.maximum,
        risk=0.01,
        start_up=workload.start_up,
        tolerance=workload.hpa.tolerance_up,
        stabilization=workload.hpa.stabilization,
    )
    return to_scaling_policy(policy_of_fields(fields))


def _plans(trial: Trial, ahead: int, usual_of: UsualAt) -> Plans:
    seen = trial.metric
    whole = len(seen) // _PER_ROW
    table = seen[: whole * _PER_ROW].reshape(whole, _PER_ROW)
    known = np.logical_or.reduce(np.isfinite(table), axis=1)
    largest = np.where(known, np.max(np.nan_to_num(table, nan=-np.inf), axis=1), np.nan)
    first = round(trial.start.timestamp() / ROW.total_seconds())
    last = np.where(np.isfinite(table[:, -1]), table[:, -1], largest)
    mean = np.divide(np.nansum(table, axis=1), np.isfinite(table).sum(axis=1), out=last.copy(), where=known)
    past = Past.of_rows(first, ROW, last, largest, known, mean=mean)
    fine = Fine(seen, _PER_ROW, after=len(seen) - whole * _PER_ROW)
    steps = len(seen) - trial.first + LEARNED // SYNC
    return plan(past, fine, ahead, step=SYNC, steps=steps, usual_of=usual_of)


def _courses(trial: Trial, plans: Plans, contest: Contest, lanes: Sequence[Lane], setting: Setting) -> list[Course]:
    """Let the experts live through the plans, and every lane answer an HPA of its own from the trial's first step."""
    begin = len(trial.metric) - len(plans.demand)
    rules = replace(trial.workload.hpa, is_rounded=True)
    pool = SimulatedPool(
        len(lanes), first=trial.replicas_at(trial.first), rules=rules, start_up=trial.workload.start_up, step=SYNC
    )
    asked: list[Answering] = []
    passes = np.zeros(len(lanes), np.bool_)
    course = np.empty((2, len(trial.metric) - trial.begin, len(lanes)))
    changes = set(plans.changes.tolist())
    steps = zip(plans.planned, plans.demand.tolist(), plans.believed.tolist(), strict=True)
    for place, (planned, demand, is_believed) in enumerate(steps):
        step = begin + place
        is_known = demand == demand
        if place in changes:
            contest.discount()
        if is_known and is_believed:
            contest.step(planned, demand)
        else:
            contest.skip(1)
        if place % CHOOSE_EVERY == 0:
            records = contest.records()
            asked = [lane.choose(contest, records) for lane in lanes]
            passes = np.array([each.passes_tolerance for each in asked])
        if step < trial.first:
            continue
        pool.advance()
        needs = [each.need(contest.needs(planned, demand, each.places)) if is_known else np.nan for each in asked]
        pool.sync(_answers(np.array(needs), demand / setting.capacity, passes, pool.existing))
        if step >= trial.begin:
            course[:, step - trial.begin] = pool.ready, pool.existing
    return [Course(ready, existing) for ready, existing in zip(course[0].T, course[1].T, strict=True)]


def _answers(
    needs: NDArray[np.float64], raw: float, passes: NDArray[np.bool_], existing: NDArray[np.int16]
) -> NDArray[np.float64]:
    """Return what KEDA is told for each lane: the need, or just past the tolerance as `scalers.tolerance` has it."""
    needs = np.maximum(needs, raw)
    edge = existing * (1 + _TOLERANCE)
    is_ignored = (np.ceil(needs - 1e-9) > existing) & (needs <= edge)
    is_worth_it = (raw > existing) | (needs > existing * (1 + WORTH_PASSING * _TOLERANCE))
    return np.where(passes & is_ignored & is_worth_it, edge + PAST_THE_EDGE, needs)
