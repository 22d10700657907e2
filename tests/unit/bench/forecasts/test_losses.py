"""Losses by hand, with errors of both signs."""

from __future__ import annotations

import numpy as np
import pytest

from bench.forecasts.losses import coverage, mean_absolute_scaled_error, mean_pinball_loss

GAP = float("nan")


@pytest.mark.parametrize(
    ("actual", "quantile", "loss"),
    [(12.0, 10.0, 1.8), (8.0, 10.0, 0.2), (10.0, 10.0, 0.0)],
)
def test_a_high_quantile_pays_nine_times_more_for_what_lies_above(actual: float, quantile: float, loss: float) -> None:
    assert mean_pinball_loss(np.array([actual, GAP]), np.array([quantile, 1.0]), 0.9) == pytest.approx(loss)


def test_a_pinball_loss_is_not_defined_where_nothing_is_known() -> None:
    assert mean_pinball_loss(np.array([GAP]), np.array([1.0]), 0.9) is None


def test_mase_is_one_for_errors_as_large_as_the_seasonal_naive() -> None:
    history = np.array([1.0, 5.0, 3.0, 3.0])  # differs by 2 from two steps before
    actual, median = np.array([10.0, 10.0, GAP]), np.array([8.0, 12.0, 0.0])
    assert mean_absolute_scaled_error(actual, median, history, 2) == 1.0


def test_mase_is_not_defined_without_a_naive_error() -> None:
    flat = np.array([3.0, 3.0, 3.0])
    assert mean_absolute_scaled_error(np.array([1.0]), np.array([2.0]), flat, 1) is None


def test_mase_is_not_defined_where_nothing_was_forecast() -> None:
    assert mean_absolute_scaled_error(np.array([GAP]), np.array([2.0]), np.array([1.0, 2.0]), 1) is None


def test_coverage_counts_what_is_known() -> None:
    assert coverage(np.array([1.0, 5.0, GAP, 3.0]), np.array([2.0, 2.0, 2.0, 3.0])) == pytest.approx(2 / 3)
    assert coverage(np.array([GAP]), np.array([2.0])) is None
