from __future__ import annotations

import math

import pytest

from agent.backtest.score import Score
from bench.decisions.play import Played
from bench.decisions.summary import row, saved

WAY = "everything"


def score(cost: float, unserved: float, *, short: float = 0.0, actions: float = 2.0) -> Score:
    return Score(cost=cost, replica_hours=100.0, unserved_pct=unserved, short_pct=short, actions_per_h=actions)


def load(*runs: tuple[float, Score]) -> Played:
    """A load on which reactive scaling costs 1 at 1 % unserved, 2 at 0.1 % and 3 at 0.01 %; 2.5 at 2 % is beaten."""
    reactive = {1.0: score(1.0, 1.0), 0.8: score(2.0, 0.1), 0.6: score(3.0, 0.01), 0.9: score(2.5, 2.0)}
    return Played(reactive, {(WAY, risk): each for risk, each in runs})


def test_a_way_is_held_against_reactive_scaling_at_its_own_unserved_demand() -> None:
    halfway = math.sqrt(0.1 * 0.01)  # between two targets: linear in cost, logarithmic in what is unserved
    assert saved(load((0.01, score(2.0, halfway))), WAY, 0.1) == pytest.approx(100 * (1 - 2.0 / 2.5))


def test_of_several_runs_the_loosest_one_at_the_level_counts() -> None:
    played = load((0.2, score(0.9, 0.5)), (0.01, score(1.8, 0.1)), (0.001, score(1.0, 0.01)))
    assert saved(played, WAY, 0.1) == pytest.approx(10.0)
    assert saved(played, WAY, 1.0) == pytest.approx(100 * (1 - 0.9 / (1 + math.log(2) / math.log(10))))


def test_a_level_that_one_of_both_does_not_reach_says_nothing() -> None:
    assert saved(load((0.2, score(1.0, 0.5))), WAY, 0.1) is None
    assert saved(load((0.2, score(1.0, 0.0))), WAY, 0.001) is None


def test_beyond_the_dearest_target_the_dearest_counts() -> None:
    assert saved(load((0.001, score(2.4, 0.0))), WAY, 0.1) == pytest.approx(20.0)


def test_a_row_has_the_middle_the_worst_and_how_many() -> None:
    loads = [load((0.01, score(cost, 0.1, short=short))) for cost, short in ((1.0, 0.5), (2.2, 1.6), (1.8, 1.7))]
    summed = row(WAY, loads)
    middle, worst, count = summed.saved[0.1]
    assert (middle, worst, count) == (pytest.approx(10.0), pytest.approx(-10.0), 3)
    assert summed.kept == pytest.approx(2 / 3)
    assert summed.actions == 2.0
