"""The HPA's arithmetic, against what Kubernetes does."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.demo.hpa import Hpa, HpaRules

START = datetime(2026, 3, 2, tzinfo=UTC)
SYNC = timedelta(seconds=15)
ONE_PER_REPLICA = HpaRules(target=1.0, minimum=1, maximum=40)


def play(hpa: Hpa, values: list[float | None], current: int) -> list[int]:
    """The replicas that one sync after the other sets."""
    path = []
    for number, value in enumerate(values):
        hpa, current = hpa.sync(value, current=current, now=START + number * SYNC)
        path.append(current)
    return path


@pytest.mark.parametrize(
    ("value", "current", "replicas"),
    [
        (10.2, 10, 10),  # within the tolerance
        (11.0, 10, 10),  # the tolerance is inclusive
        (11.01, 10, 12),  # just past it, rounded up
        (9.0, 10, 10),
        (20.0, 20, 20),
        (21.999, 20, 20),
        (3.0000000004, 2, 3),  # a float's rounding error adds no replica
    ],
)
def test_the_tolerance_and_the_ceiling_are_those_of_kubernetes(value: float, current: int, replicas: int) -> None:
    assert play(Hpa(ONE_PER_REPLICA), [value], current) == [replicas]


@pytest.mark.parametrize(("current", "replicas"), [(1, 5), (3, 7), (4, 8), (10, 20), (30, 40)])
def test_scaling_up_adds_at_most_four_pods_or_as_many_again(current: int, replicas: int) -> None:
    assert play(Hpa(ONE_PER_REPLICA), [1000.0], current) == [replicas]


def test_scaling_down_waits_until_the_larger_recommendation_is_five_minutes_old() -> None:
    path = play(Hpa(ONE_PER_REPLICA), [10.0] + 30 * [2.0], 10)

    assert path == 20 * [10] + 11 * [2]


def test_a_failed_read_holds_the_replicas_and_is_not_remembered() -> None:
    hpa, replicas = Hpa(ONE_PER_REPLICA).sync(None, current=7, now=START)

    assert replicas == 7
    assert hpa == Hpa(ONE_PER_REPLICA)


def test_replicas_outside_the_bounds_are_never_set() -> None:
    bounded = Hpa(HpaRules(target=8.4, minimum=2, maximum=6))

    assert play(bounded, [0.0], 2) == [2]
    assert play(bounded, [500.0], 5) == [6]


def test_a_target_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="target above 0"):
        HpaRules(target=0.0, minimum=1, maximum=4)


values = st.one_of(st.none(), st.floats(0, 1000))


@given(st.lists(values, max_size=60), st.integers(1, 40))
def test_no_sync_leaves_the_bounds_or_rises_faster_than_the_behavior_allows(
    metric: list[float | None], first: int
) -> None:
    path = [first, *play(Hpa(ONE_PER_REPLICA), metric, first)]

    for before, after in itertools.pairwise(path):
        assert 1 <= after <= 40
        assert after <= max(2 * before, before + 4)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.integers(1, 40))
def test_replicas_never_fall_below_what_any_of_the_last_five_minutes_asked_for(metric: list[float], first: int) -> None:
    path = [first, *play(Hpa(ONE_PER_REPLICA), metric, first)]

    for number, (before, after) in enumerate(itertools.pairwise(path)):
        if after < before:
            recent = range(max(0, number - 19), number + 1)
            assert after >= max(min(40, Hpa(ONE_PER_REPLICA).wanted(metric[i], path[i])) for i in recent)


@given(st.floats(0, 100), st.floats(0, 100), st.integers(1, 40))
def test_more_demand_never_means_fewer_replicas(one: float, other: float, current: int) -> None:
    low, high = sorted((one, other))

    assert play(Hpa(ONE_PER_REPLICA), [low], current) <= play(Hpa(ONE_PER_REPLICA), [high], current)
