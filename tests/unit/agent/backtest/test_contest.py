"""The simulation and its figures: by hand, by invariants, and against the judge on a real trace."""

from __future__ import annotations

from dataclasses import astuple, replace
from datetime import timedelta

import numpy as np
import pytest

from agent.backtest.contest import TARGETS, Played, Reactive, play, play_perfect
from agent.backtest.score import Course, fewest, peak_ahead, score
from agent.backtest.trial import Trial
from scalers.hpa_rules import HpaRules
from tests import judge
from tests.fakes.backtest import ScriptedDecisions, hours, trial_of

NAN = float("nan")


def ignore(_: int) -> None:
    """Look at no progress."""


def play_reactive(trial: Trial, target: float) -> Reactive:
    (hpa, *tried), _ = play(trial, targets=(target, *TARGETS), decisions=None, told=ignore)
    return Reactive(hpa, dict(zip(TARGETS, tried, strict=True)))


def play_foretide(trial: Trial, decisions: ScriptedDecisions) -> Played:
    _, foretide = play(trial, targets=(), decisions=decisions, told=ignore)
    assert foretide is not None
    return foretide


@pytest.fixture(scope="module")
def trial() -> Trial:
    return trial_of(hours(12))


def scored(load: list[float], ready: list[int], existing: list[int]) -> tuple[float, ...]:
    """The figures of scored steps at a capacity of 10, against one replica in each."""
    trial = trial_of(hours(8))
    trial = replace(trial, load=np.array(load), begin=0)
    course = Course(np.array(ready, dtype=float), np.array(existing, dtype=float))
    return astuple(score(trial, course, np.ones(len(load))))


def test_a_score_by_hand() -> None:
    cost, replica_hours, unserved, short, actions = scored([10, 25, 10, 40], [1, 2, 2, 4], [1, 3, 3, 4])

    assert cost == 11 / 4
    assert replica_hours == 11 * 15 / 3600
    assert unserved == pytest.approx(100 * 5 / 85)
    assert short == 25.0
    assert actions == 2 / (4 * 15 / 3600)


def test_steps_without_a_known_load_count_in_no_figure() -> None:
    assert scored([10, NAN, NAN, 25], [1, 9, 9, 2], [1, 9, 9, 3]) == pytest.approx(
        (2.0, 4 * 15 / 3600, 100 * 5 / 35, 50.0, 1 / (2 * 15 / 3600))
    )


def test_a_peak_is_seen_as_far_ahead_as_asked() -> None:
    load = np.array([1.0, 1.0, 7.0, NAN, 2.0, 1.0])

    assert peak_ahead(load, 0).tolist() == [1, 1, 7, 0, 2, 1]
    assert peak_ahead(load, 2).tolist() == [7, 7, 7, 2, 2, 1]
    assert peak_ahead(load, 5).tolist() == [7, 7, 7, 2, 2, 1]


def test_the_fewest_replicas_serve_everything_and_cost_one(trial: Trial) -> None:
    perfect = play_perfect(trial).score

    assert perfect.cost == 1.0
    assert perfect.unserved_pct == perfect.short_pct == 0.0


def test_a_lower_target_costs_more_and_leaves_less_unserved(trial: Trial) -> None:
    tried = play_reactive(trial, 0.7).tried
    costs = [tried[target].score.cost for target in TARGETS]

    assert costs == sorted(costs, reverse=True)
    assert tried[0.2].score.unserved_pct < tried[1.0].score.unserved_pct


def test_the_user_s_target_is_played_like_the_others(trial: Trial) -> None:
    reactive = play_reactive(trial, 0.65)

    assert reactive.hpa.score == reactive.tried[0.65].score


def test_the_best_reactive_is_the_cheapest_with_as_little_unserved(trial: Trial) -> None:
    reactive = play_reactive(trial, 0.7)
    unserved = {target: played.score.unserved_pct for target, played in reactive.tried.items()}

    assert reactive.best(100.0) == 1.0
    best = reactive.best(unserved[0.6])
    assert unserved[best] <= unserved[0.6]
    assert all(
        played.score.cost >= reactive.tried[best].score.cost
        for target, played in reactive.tried.items()
        if unserved[target] <= unserved[0.6]
    )


def test_where_no_target_leaves_as_little_the_one_with_the_least_is_the_rival(trial: Trial) -> None:
    reactive = play_reactive(trial, 0.7)
    least = [target for target, played in reactive.tried.items() if played.score.unserved_pct == 0.0]

    assert len(least) > 1
    assert reactive.best(-1.0) == max(least)  # the cheapest of them


def test_decisions_get_the_past_then_each_step_with_what_is_there(trial: Trial) -> None:
    decisions = ScriptedDecisions(lambda _: 14.0)
    play_foretide(trial, decisions)
    times = [at for at, _, _ in decisions.asked]

    assert decisions.history is not None
    assert decisions.history.values.tolist() == trial.metric[: trial.first].tolist()
    assert times[0] == trial.instant(trial.first)
    assert len(times) == len(trial.load) - trial.first
    first = trial.replicas_at(trial.first)
    assert [replicas.existing for _, _, replicas in decisions.asked][:3] == [first, 14, 14]
    assert [replicas.ready for _, _, replicas in decisions.asked][7:10] == [first, 14, 14]


def test_foretide_beside_hpas_does_what_it_does_alone(trial: Trial) -> None:
    def rule(demand: float | None) -> float:
        return (demand or 0.0) / 8

    _, beside = play(trial, targets=(0.5, 0.7), decisions=ScriptedDecisions(rule), told=ignore)

    assert beside is not None
    assert beside.score == play_foretide(trial, ScriptedDecisions(rule)).score


def test_answers_of_demand_over_capacity_are_an_hpa_at_full_target(trial: Trial) -> None:
    answered = play_foretide(trial, ScriptedDecisions(lambda demand: (demand or 0.0) / 10.0))
    plain = play_reactive(trial, 1.0).hpa

    assert answered.score.cost == pytest.approx(plain.score.cost, rel=0.02)
    assert answered.score.unserved_pct == pytest.approx(plain.score.unserved_pct, rel=0.02)


def test_in_a_gap_no_policy_moves(trial: Trial) -> None:
    load = hours(12)
    load[2000:2100] = NAN
    gap = trial_of(load)
    decisions = ScriptedDecisions(lambda demand: None if demand is None else demand / 7)
    courses = [play_foretide(gap, decisions).course, play_reactive(gap, 0.7).hpa.course]

    assert any(demand is None for _, demand, _ in decisions.asked)
    for course in courses:
        inside = course.existing[2006 - gap.begin : 2100 - gap.begin]
        assert len(set(inside.tolist())) == 1


@pytest.mark.parametrize(
    ("name", "start_up"), [("cloud/crane_15a_15s.csv.gz", 120), ("cloud/crane_00_60s.csv.gz", 600)]
)
def test_the_judge_gives_every_reactive_target_the_same_figures(name: str, start_up: int) -> None:
    simulate = judge.simulate()
    load, _, _ = simulate.load_trace(judge.trace(name))
    load = load[: 2 * 5760]
    env = simulate.Env(load, start_up)
    env.cap, env.max_replicas = float(np.quantile(load[: env.begin], 0.999)) / 30, 1000
    ours = play_reactive(
        trial_of(load, capacity=env.cap, start_up=timedelta(seconds=start_up), hpa=HpaRules(maximum=1000)), 0.7
    )
    base = simulate.oracle(env)[env.begin :]

    for target in (0.2, 0.5, 0.7, 1.0):
        theirs = simulate.score(env, *simulate.replay_hpa(env, env.metric, target), base)
        mine = ours.tried[target].score
        assert mine.cost == pytest.approx(theirs["cost"], rel=0.02)
        assert mine.replica_hours == pytest.approx(theirs["replica_hours"], rel=0.02)
        assert mine.unserved_pct == pytest.approx(theirs["unserved_pct"], rel=0.02, abs=1e-6)
        assert mine.short_pct == pytest.approx(theirs["under_time_pct"], rel=0.02, abs=1e-6)
        assert mine.actions_per_h == pytest.approx(theirs["actions_per_h"], rel=0.02)


def test_the_judge_bounds_the_cost_by_the_same_fewest_replicas() -> None:
    simulate = judge.simulate()
    load = hours(12)
    env = simulate.Env(load)
    env.cap = 10.0

    assert np.array_equal(fewest(trial_of(load)), simulate.oracle(env)[env.begin :])
