"""Pods that start slowly, and the score that both ways of scaling are compared by."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.demo.workload import Result, Starting, Tally, Workload

NOW = datetime(2026, 3, 2, tzinfo=UTC)
START_UP = timedelta(minutes=2)
STEP = timedelta(seconds=15)


def test_a_new_pod_exists_at_once_and_serves_after_its_start_up() -> None:
    grown = Workload(ready=3).scaled(5, now=NOW, start_up=START_UP)

    assert (grown.existing, grown.ready) == (5, 3)
    assert grown.at(NOW + timedelta(seconds=119)).ready == 3
    assert grown.at(NOW + START_UP) == Workload(ready=5)


def test_the_newest_starting_pods_are_removed_first_and_ready_ones_last() -> None:
    older, newer = Starting(NOW + STEP, 2), Starting(NOW + 2 * STEP, 3)
    workload = Workload(4, (older, newer))

    assert workload.scaled(7, now=NOW, start_up=START_UP) == Workload(4, (older, Starting(NOW + 2 * STEP, 1)))
    assert workload.scaled(5, now=NOW, start_up=START_UP) == Workload(4, (Starting(NOW + STEP, 1),))
    assert workload.scaled(3, now=NOW, start_up=START_UP) == Workload(3)


def test_without_a_start_up_time_new_pods_serve_at_once() -> None:
    assert Workload(1).scaled(4, now=NOW, start_up=timedelta(0)) == Workload(4)


def test_a_scale_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        Workload(1).scaled(-1, now=NOW, start_up=START_UP)


@given(st.lists(st.integers(0, 50), max_size=30))
def test_what_exists_is_what_was_asked_for_and_never_less_than_ready(scales: list[int]) -> None:
    workload = Workload(1)
    for number, replicas in enumerate(scales):
        now = NOW + number * STEP
        workload = workload.at(now).scaled(replicas, now=now, start_up=START_UP)
        assert workload.existing == replicas
        assert 0 <= workload.ready <= replicas


def scored(rows: list[tuple[int, int, float]]) -> Result:
    """The result of steps of (ready, starting, demand) at 10 requests per second and replica."""
    tally = Tally()
    for ready, starting, demand in rows:
        workload = Workload(ready, (Starting(NOW, starting),) if starting else ())
        tally = tally.after(workload, demand, capacity=10.0, step=STEP)
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
