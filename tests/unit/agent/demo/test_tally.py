"""The score that both ways of scaling are compared by."""

from datetime import timedelta

import pytest

from agent.demo.tally import Result, Tally
from scalers.decision import Replicas

STEP = timedelta(seconds=15)


def scored(rows: list[tuple[int, int, float]]) -> Result:
    """The result of steps of (ready, starting, demand) at 10 requests per second and replica."""
    tally = Tally()
    for ready, starting, demand in rows:
        tally = tally.after(Replicas(ready + starting, ready), demand, capacity=10.0, step=STEP)
    return tally.result(STEP)


def test_starting_pods_are_paid_for_and_serve_nothing() -> None:
    result = scored([(2, 1, 25.0), (3, 0, 25.0)])

    assert result.replica_hours == pytest.approx(6 * 15 / 3600)
    assert result.unserved_pct == pytest.approx(10.0)  # 5 of 50
    assert result.short_pct == 50.0


def test_room_in_one_step_does_not_serve_the_demand_of_another() -> None:
    assert scored([(1, 0, 0.0), (1, 0, 20.0)]).unserved_pct == 50.0


def test_an_action_is_a_change_of_what_exists_and_the_first_step_is_none() -> None:
    quarter_hour = [(2, 0, 5.0)] * 20 + [(2, 1, 5.0)] * 20 + [(3, 0, 5.0)] * 19 + [(2, 0, 5.0)]

    assert scored(quarter_hour).actions_per_h == 8.0  # two in a quarter of an hour


def test_no_step_has_no_score() -> None:
    with pytest.raises(ValueError, match="no step"):
        Tally().result(STEP)
