"""Error quantiles hold for the next error, also beyond what was seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasters.conformal import error_quantiles

LEVELS = (0.05, 0.5, 0.9, 0.98, 0.99, 0.999, 0.9995)
EVEN = 1e9  # a half-life that weighs all errors the same


def test_the_next_error_has_a_place_among_those_seen() -> None:
    quantiles = error_quantiles(np.arange(1.0, 100.0), half_life=EVEN)  # 99 seen, the 100th to come
    assert [quantiles.at(level) for level in (0.095, 0.495, 0.785)] == [10.0, 50.0, 79.0]


def test_nine_errors_cannot_vouch_for_more_than_their_number() -> None:
    quantiles = error_quantiles(np.arange(1.0, 10.0), half_life=EVEN)
    assert quantiles.at(0.99) > 9.0  # the largest of nine holds for nine in ten


def test_newer_errors_weigh_more() -> None:
    errors = np.concatenate((np.zeros(500), np.full(100, 10.0)))
    assert error_quantiles(errors, half_life=EVEN).at(0.5) == 0.0
    assert error_quantiles(errors, half_life=50.0).at(0.5) == 10.0


@pytest.mark.parametrize(("level", "true"), [(0.99, 4.605), (0.999, 6.908), (0.9995, 7.601)])
def test_an_exponential_tail_is_continued(level: float, true: float) -> None:
    errors = np.random.default_rng(7).exponential(size=3000)
    found = error_quantiles(errors, half_life=EVEN).at(level)
    assert 0.95 * true < found < 1.6 * true


def test_beyond_the_tail_more_is_offered_than_the_largest_seen() -> None:
    errors = np.random.default_rng(7).normal(size=1000)
    assert error_quantiles(errors, half_life=EVEN).at(0.99995) > errors.max()


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=80))
def test_quantiles_never_fall_with_the_level(errors: list[float]) -> None:
    quantiles = error_quantiles(np.array(errors), half_life=50.0)
    found = [quantiles.at(level) for level in LEVELS]
    assert np.isfinite(found).all()
    assert found == sorted(found)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=80), st.sampled_from([0.001, 3.0, 1024.0]))
def test_another_unit_scales_the_quantiles(errors: list[int], factor: float) -> None:
    values = np.array(errors, dtype=np.float64)
    one, other = (error_quantiles(values * scale, half_life=50.0) for scale in (1.0, factor))
    assert [other.at(level) for level in LEVELS] == pytest.approx([one.at(level) * factor for level in LEVELS])
