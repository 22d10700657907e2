"""Autoregressions: coefficients found again, paths and responses by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasters.autoregression import AutoRegression, fit_autoregression, impulse_response
from tests.fakes.loads import autoregressive


def test_the_process_is_found_again() -> None:
    found = fit_autoregression(autoregressive(5000, phi=0.8, deviation=3.0))
    assert found.coefficients == pytest.approx((0.8,), abs=0.03)
    assert found.variance == pytest.approx(9.0, rel=0.05)


def test_yule_walker_matches_the_published_example() -> None:
    # Lake Huron is fitted in Brockwell & Davis, Introduction to Time Series and Forecasting (3rd ed.), example 5.1.4;
    # an AR(2) with their coefficients has to come back from its own autocorrelations
    values = np.zeros(40_000)
    shocks = np.random.default_rng(5).normal(scale=0.4790**0.5, size=len(values))
    for row in range(2, len(values)):
        values[row] = 1.0538 * values[row - 1] - 0.2668 * values[row - 2] + shocks[row]
    found = fit_autoregression(values)
    assert found.coefficients[:2] == pytest.approx((1.0538, -0.2668), abs=0.02)
    assert found.variance == pytest.approx(0.4790, rel=0.03)


def test_gaps_are_left_out() -> None:
    values = autoregressive(5000, phi=0.8)
    values[np.random.default_rng(1).random(5000) < 0.3] = np.nan
    assert fit_autoregression(values).coefficients[0] == pytest.approx(0.8, abs=0.05)


def test_nothing_but_zeros_has_no_memory() -> None:
    assert fit_autoregression(np.zeros(100)) == AutoRegression((0.0,), 0.0)


def test_a_path_fades_as_the_coefficients_say() -> None:
    assert AutoRegression((0.5, 0.25), 1.0).path([4.0, 8.0], 3) == [4.0, 3.0, 2.5]


def test_a_response_starts_at_one() -> None:
    assert impulse_response((0.5, 0.25), 4) == [1.0, 0.5, 0.5, 0.375]
    assert impulse_response((0.5,), 1) == [1.0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6)), min_size=5, max_size=60))
def test_whatever_comes_in_no_innovation_is_blown_up(values: list[float]) -> None:
    response = impulse_response(fit_autoregression(np.array(values)).coefficients, 300)
    assert max(map(abs, response)) < 7.5
