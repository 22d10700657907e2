"""Only what says something of capacity counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scalers.capacity.objective import Limit, Sense
from scalers.capacity.watching import Observation, Sample, Taken, Watch
from scalers.decision import Replicas

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LATENCY = Limit(2.0)  # seconds


def seen(minute: float, **changes: object) -> Observation:
    """Return ten ready replicas with 100 units of demand and a latency that is kept."""
    steady = Observation(START + minute * MINUTE, 100.0, Replicas(10, 10), 0.5)
    return replace(steady, **changes)


def watch(*, window: float = 5, warm_up: float = 0) -> Watch:
    """Return a watch over replicas that were warm long ago, with nothing in its way after minute 0."""
    started = Watch(LATENCY, window=window * MINUTE, warm_up=warm_up * MINUTE)
    for minute in range(-30, 0):
        started.see(seen(minute))
    return started


def test_a_steady_minute_counts_with_the_load_of_a_replica() -> None:
    assert watch().see(seen(0)) == Sample(load=10.0, is_kept=True)


def test_a_limit_that_is_passed_is_a_miss_on_either_side() -> None:
    good_share = Limit(0.99, Sense.AT_LEAST)

    assert watch().see(seen(0, objective=2.1)) == Sample(load=10.0, is_kept=False)
    assert (good_share.is_kept(0.99), good_share.is_kept(0.98)) == (True, False)
    assert (LATENCY.is_kept(2.0), LATENCY.is_kept(2.1)) == (True, False)


def test_the_load_is_the_mean_of_what_the_objective_averages_over() -> None:
    watched = watch(window=4)
    for minute, demand in enumerate((100.0, 90.0, 100.0, 110.0, 100.0)):
        last = watched.see(seen(minute, demand=demand))

    assert last == Sample(load=10.0, is_kept=True)


def test_a_load_that_moved_much_is_put_down_to_nothing() -> None:
    """A backlog that a peak left behind is not blamed on the quiet after it."""
    watched = watch(window=5)
    watched.see(seen(0, demand=200.0, objective=9.0))

    assert watched.see(seen(1, demand=100.0, objective=9.0)) is Taken.MOVING
    assert watched.see(seen(5, demand=100.0, objective=9.0)) is Taken.MOVING
    assert isinstance(watched.see(seen(6, demand=100.0, objective=9.0)), Sample)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"replicas": None}, Taken.UNKNOWN_REPLICAS),
        ({"replicas": Replicas(3, 0)}, Taken.UNKNOWN_REPLICAS),
        ({"replicas": Replicas(12, 10)}, Taken.STARTING),
        ({"is_rolling_out": True}, Taken.ROLLING_OUT),
        ({"demand": None}, Taken.UNKNOWN_DEMAND),
        ({"demand": float("nan")}, Taken.UNKNOWN_DEMAND),
        ({"demand": -1.0}, Taken.UNKNOWN_DEMAND),
        ({"objective": None}, Taken.UNKNOWN_DEMAND),
        ({"objective": float("inf")}, Taken.UNKNOWN_DEMAND),
    ],
)
def test_what_does_not_count_spoils_the_window_after_it(changes: dict[str, object], reason: Taken) -> None:
    watched = watch(window=5)

    assert watched.see(seen(0, **changes)) is reason
    assert watched.see(seen(4)) is Taken.SETTLING
    assert isinstance(watched.see(seen(5)), Sample)


def test_new_replicas_count_once_they_are_warm_and_the_window_after_is_clean() -> None:
    watched = watch(window=5, warm_up=3)

    assert watched.see(seen(0, replicas=Replicas(12, 12))) is Taken.STARTING
    assert watched.see(seen(2, replicas=Replicas(12, 12))) is Taken.STARTING
    assert watched.see(seen(3, replicas=Replicas(12, 12))) is Taken.SETTLING
    assert watched.see(seen(7, replicas=Replicas(12, 12))) == Sample(load=100.0 / 12, is_kept=True)


def test_replicas_seen_for_the_first_time_may_be_new() -> None:
    fresh = Watch(LATENCY, window=MINUTE, warm_up=3 * MINUTE)

    assert fresh.see(seen(0)) is Taken.STARTING


def test_samples_closer_than_a_minute_count_once() -> None:
    watched = watch()
    watched.see(seen(0))

    assert watched.see(seen(0.25)) is Taken.TOO_CLOSE
    assert isinstance(watched.see(seen(1)), Sample)


def test_no_demand_says_nothing() -> None:
    assert watch().see(seen(0, demand=0.0)) is Taken.IDLE


def test_a_clock_that_goes_back_changes_nothing() -> None:
    watched = watch()
    watched.see(seen(0))

    assert watched.see(seen(-5, demand=900.0)) is Taken.NOT_NEWER
    assert watched.see(seen(1)) == Sample(load=10.0, is_kept=True)
