from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalers.jobs import JobsWanted, jobs_wanted
from scalers.policy import Bounds, Mode, Override, ScalingPolicy
from scalers.recommend import recommend
from tests.fakes.situations import NOON, a_policy, a_signal, a_situation

SECOND = timedelta(seconds=1)


def wanted(policy: ScalingPolicy, demand: float | None, **known: object) -> JobsWanted | None:
    """Return the jobs for a demand in items, of which one job takes twelve."""
    previous = known.pop("previous", None)
    signal = a_signal(demand, **known)  # type: ignore[arg-type]  # a test names fields that exist
    return jobs_wanted(recommend(a_situation(signal, previous=previous), policy), policy)  # type: ignore[arg-type]


def test_jobs_are_the_items_over_what_one_job_takes() -> None:
    assert wanted(a_policy(), 60.0) == JobsWanted(5.0, 45 * SECOND)


@pytest.mark.parametrize(
    ("policy", "known"),
    [
        (a_policy(), {"peak": 600.0}),
        (a_policy(mode=Mode.SHADOW), {"peak": 600.0}),
        (a_policy(bounds=Bounds(20, 40)), {}),
        (a_policy(bounds=Bounds(0, 2)), {}),
        (a_policy(bounds=Bounds(8, 40, gang=8)), {}),
        (a_policy(), {"previous": 30.0}),
        (a_policy(overrides=(Override(30, NOON - SECOND, NOON + SECOND, "me", "a test"),)), {}),
    ],
    ids=["forecast", "shadow", "minimum", "maximum", "gang", "previous", "override"],
)
def test_nothing_but_items_that_are_there_makes_a_job(policy: ScalingPolicy, known: dict[str, object]) -> None:
    found = wanted(policy, 60.0, **known)
    assert found is not None
    assert found.jobs == 5.0


@pytest.mark.parametrize(("age", "left"), [(0, 45), (44, 1), (45, 0)])
def test_a_count_is_good_for_as_long_as_it_is_the_present(age: int, left: int) -> None:
    assert wanted(a_policy(), 60.0, age=age * SECOND) == JobsWanted(5.0, left * SECOND)


@pytest.mark.parametrize("age", [46, 300, 3600, -46])
def test_a_count_that_is_not_fresh_is_none_though_replicas_are_held(age: int) -> None:
    assert wanted(a_policy(), 60.0, age=age * SECOND, previous=5.0) is None


def test_a_signal_that_never_had_a_sample_leaves_the_items_unknown() -> None:
    assert wanted(a_policy(), None) is None


def test_no_items_are_no_jobs_and_known_to_be_none() -> None:
    assert wanted(a_policy(bounds=Bounds(0, 40)), 0.0) == JobsWanted(0.0, 45 * SECOND)


def test_demand_up_to_the_activation_is_no_item() -> None:
    policy = a_policy(activation=24.0, bounds=Bounds(0, 40))
    assert [wanted(policy, demand) for demand in (24.0, 36.0)] == [
        JobsWanted(0.0, 45 * SECOND),
        JobsWanted(3.0, 45 * SECOND),
    ]


@given(items=st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=3))
def test_jobs_are_never_more_than_the_items_ask_for(items: list[float]) -> None:
    signals = tuple(replace(a_policy().signals[0], name=f"s{place}") for place in range(len(items)))
    policy = a_policy(signals=signals)
    known = tuple(replace(a_signal(item, peak=9e6), name=f"s{place}") for place, item in enumerate(items))
    situation = replace(a_situation(known[0]), signals=known)
    found = jobs_wanted(recommend(situation, policy), policy)
    assert found is not None
    assert found.jobs == max(items) / 12.0
