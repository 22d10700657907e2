from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from scalers.bounds import rounded_up
from scalers.tolerance import past_tolerance


def hpa(answer: float, existing: int, tolerance: float) -> int:
    """What Kubernetes makes of an answer (replica_calculator.go, a metric with an average value of 1)."""
    usage = round(answer, 3)
    return existing if abs(usage / existing - 1) <= tolerance else math.ceil(usage)


def test_demand_above_what_is_there_passes_the_edge() -> None:
    answer = past_tolerance(10.2, 10.2, 10, 0.1)
    assert answer == 11.01
    assert hpa(answer, 10, 0.1) == 12


def test_a_foretold_need_above_half_the_tolerance_passes_the_edge() -> None:
    assert past_tolerance(10.6, 8.0, 10, 0.1) == 11.01


def test_a_foretold_need_below_half_the_tolerance_is_not_worth_two_replicas() -> None:
    assert past_tolerance(10.4, 8.0, 10, 0.1) == 10.4


def test_a_need_past_the_edge_needs_no_help() -> None:
    assert past_tolerance(11.3, 11.3, 10, 0.1) == 11.3


def test_a_need_below_what_is_there_is_left_alone() -> None:
    assert past_tolerance(9.2, 9.2, 10, 0.1) == 9.2


def test_a_target_at_zero_has_no_tolerance() -> None:
    assert past_tolerance(0.5, 0.5, 0, 0.1) == 0.5


def test_without_a_tolerance_the_need_is_the_answer() -> None:
    assert past_tolerance(10.001, 10.001, 10, 0.0) == 10.001


@given(st.floats(0, 3000), st.integers(1, 2000), st.sampled_from([0.0, 0.05, 0.1, 0.3]))
def test_no_demand_is_left_to_the_tolerance(demand: float, existing: int, tolerance: float) -> None:
    answer = past_tolerance(demand, demand, existing, tolerance)
    assert answer >= demand
    if rounded_up(demand) > existing:
        assert hpa(answer, existing, tolerance) >= rounded_up(demand)


@given(st.floats(0, 3000), st.floats(0, 3000), st.integers(0, 2000), st.sampled_from([0.0, 0.05, 0.1, 0.3]))
def test_the_step_never_lowers_and_never_asks_for_more_than_just_past_the_edge(
    need: float, raw_need: float, existing: int, tolerance: float
) -> None:
    answer = past_tolerance(need, raw_need, existing, tolerance)
    assert answer >= need
    assert answer == need or answer <= existing * (1 + tolerance) + 0.01
