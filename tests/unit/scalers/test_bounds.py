from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalers.bounds import rounded_up, whole_gangs, within
from scalers.policy import Bounds


@pytest.mark.parametrize(
    ("replicas", "gang", "whole"), [(0.0, 4, 0.0), (0.01, 4, 4.0), (4.0, 4, 4.0), (4.2, 4, 8.0), (16.5, 8, 24.0)]
)
def test_a_need_takes_whole_gangs_and_the_smallest_need_takes_one(replicas: float, gang: int, whole: float) -> None:
    assert whole_gangs(replicas, gang) == whole


def test_without_gangs_the_fraction_stays_for_the_hpa() -> None:
    assert whole_gangs(10.2, 1) == 10.2


def test_a_quotient_a_hair_above_a_whole_number_costs_no_gang() -> None:
    assert whole_gangs(0.1 * 3 / 0.1, 3) == 3.0
    assert 0.1 * 3 / 0.1 > 3.0


@pytest.mark.parametrize(("replicas", "moved"), [(0.0, 2.0), (2.0, 2.0), (7.5, 7.5), (40.0, 40.0), (1e300, 40.0)])
def test_bounds_are_inclusive(replicas: float, moved: float) -> None:
    assert within(replicas, Bounds(2, 40)) == moved


@pytest.mark.parametrize(
    ("answer", "replicas"), [(10.0, 10), (10.0004, 10), (10.0006, 11), (10.001, 11), (9.9996, 10), (0.0, 0)]
)
def test_the_hpa_rounds_up_what_keda_rounded_to_three_decimals(answer: float, replicas: int) -> None:
    assert rounded_up(answer) == replicas


@given(st.floats(0, 1e6), st.integers(1, 64))
def test_whole_gangs_hold_the_need_and_are_never_a_gang_too_many(replicas: float, gang: int) -> None:
    whole = whole_gangs(replicas, gang)
    assert whole >= replicas - 1e-6
    assert whole <= replicas + gang
    assert gang == 1 or whole % gang == 0


@given(st.floats(0, 1e6), st.integers(1, 64))
def test_whole_gangs_of_whole_gangs_are_the_same(replicas: float, gang: int) -> None:
    whole = whole_gangs(replicas, gang)
    assert whole_gangs(whole, gang) == whole
