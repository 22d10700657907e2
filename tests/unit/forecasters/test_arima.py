"""The numpy recursion gives statsmodels' own numbers."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.arima.model import ARIMA

from forecasters.arima import Arima
from forecasters.forecaster import ModelState
from forecasters.series import Series
from tests.fakes.loads import autoregressive, daily, series

MODEL = Arima()
HISTORY = daily(3.5)
ONE_SIGMA_UP = 0.8413447460685429  # level of one standard deviation


@pytest.fixture(scope="module")
def state() -> ModelState:
    return MODEL.fit(HISTORY)


def reference(state: ModelState, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return path and standard deviation that statsmodels forecasts from the same parameters."""
    phi, theta = state.arrays["transition"][1:3, 1], state.arrays["impact"][2:4]
    model = ARIMA(values, order=(2, 1, 2), trend="n", enforce_stationarity=False, enforce_invertibility=False)
    forecast = model.smooth(np.concatenate((phi, theta, state.arrays["variance"]))).get_forecast(60)
    return forecast.predicted_mean, forecast.se_mean


def test_path_and_spread_equal_statsmodels(state: ModelState) -> None:
    path, deviation = reference(state, HISTORY.values)
    median, above = MODEL.forecast(state, 60, (0.5, ONE_SIGMA_UP)).quantiles
    np.testing.assert_allclose(median, path, rtol=1e-4)
    np.testing.assert_allclose(above - median, deviation, rtol=1e-4)


def test_updates_equal_a_filter_over_the_longer_series(state: ModelState) -> None:
    more = [101.0, 95.0, 110.0, 99.0]
    after = state
    for value in more:
        after = MODEL.update(after, value)
    path, _ = reference(state, np.append(HISTORY.values, more))
    np.testing.assert_allclose(MODEL.forecast(after, 60, (0.5,)).quantiles[0], path, rtol=1e-4)


def test_the_first_value_after_a_gap_weighs_as_in_the_kalman_filter(state: ModelState) -> None:
    after = state
    for value in [*[float("nan")] * 6, 140.0]:
        after = MODEL.update(after, value)
    path, _ = reference(state, np.concatenate((HISTORY.values, [np.nan] * 6, [140.0])))
    np.testing.assert_allclose(MODEL.forecast(after, 60, (0.5,)).quantiles[0], path, rtol=1e-3)


def test_only_the_last_2016_rows_are_looked_at() -> None:
    recent = autoregressive(2016) + 100.0
    long = MODEL.fit(series(np.concatenate((np.full(3000, 1e6), recent))))
    short = MODEL.fit(series(recent))
    np.testing.assert_array_equal(long.arrays["transition"], short.arrays["transition"])


def test_a_straight_line_of_changes_is_a_random_walk() -> None:
    flat = MODEL.fit(Series(HISTORY.start, HISTORY.step, np.full(200, 5.0)))
    assert flat.arrays["variance"].tolist() == [0.0]
    assert MODEL.forecast(flat, 3, (0.5,)).quantiles.tolist() == [[5.0, 5.0, 5.0]]
