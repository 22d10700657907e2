"""The numpy recursion gives statsmodels' own numbers."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from forecasters.forecaster import ModelState
from forecasters.holt_winters import HoltWinters
from tests.fakes.loads import MONDAY, autoregressive, daily, series

MODEL = HoltWinters()
HOUR = timedelta(hours=1)
ALPHA, BETA, GAMMA, PHI = 0.4, 0.1, 0.2, 0.9
ONE_SIGMA_UP = 0.8413447460685429  # level of one standard deviation


def smoothed(values: np.ndarray, season: np.ndarray) -> ModelState:
    """Return the state after walking known parameters over some values."""
    arrays = {
        "smoothing": np.array([ALPHA, BETA, GAMMA, PHI]),
        "level": np.array([100.0, 1.0]),
        "season": season,
        "variance": np.array([9.0]),
    }
    state = ModelState("holt-winters", MONDAY - HOUR, HOUR, 100.0, arrays)
    for value in values.tolist():
        state = MODEL.update(state, value)
    return state


def reference(values: np.ndarray, season: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return path and standard deviation of statsmodels' ETS(A,Ad,A) with the same parameters and start."""
    model = ETSModel(
        pd.Series(values, index=pd.date_range(MONDAY, periods=len(values), freq="h")),
        error="add",
        trend="add",
        damped_trend=True,
        seasonal="add",
        seasonal_periods=len(season),
        initialization_method="known",
        initial_level=100.0,
        initial_trend=1.0,
        initial_seasonal=season,
    )
    result = model.smooth([ALPHA, BETA, GAMMA, PHI])
    prediction = result.get_prediction(start=len(values), end=len(values) + 59)
    path = np.asarray(prediction.predicted_mean)
    return path, np.sqrt(np.asarray(prediction.forecast_variance) * 9.0 / result.scale)


@pytest.fixture(scope="module")
def load() -> tuple[np.ndarray, np.ndarray]:
    season = 10 * np.sin(2 * np.pi * np.arange(24) / 24)
    return 100 + np.tile(season, 10) + autoregressive(240), season


def test_path_and_spread_equal_statsmodels(load: tuple[np.ndarray, np.ndarray]) -> None:
    path, deviation = reference(*load)
    median, above = MODEL.forecast(smoothed(*load), 60, (0.5, ONE_SIGMA_UP)).quantiles
    np.testing.assert_allclose(median, path, rtol=1e-6)
    np.testing.assert_allclose(above - median, deviation, rtol=1e-6)


def test_a_fit_forecasts_what_statsmodels_forecasts() -> None:
    history = daily(7, step=timedelta(minutes=30))
    scale = float(np.abs(history.values).mean())
    theirs = ExponentialSmoothing(
        history.values / scale,
        trend="add",
        damped_trend=True,
        seasonal="add",
        seasonal_periods=48,
        initialization_method="heuristic",
    ).fit()
    ours = MODEL.forecast(MODEL.fit(history), 60, (0.5,)).quantiles[0]
    np.testing.assert_allclose(ours, theirs.forecast(60) * scale, rtol=1e-4)


def test_after_a_gap_level_trend_and_season_are_where_the_forecast_had_them(
    load: tuple[np.ndarray, np.ndarray],
) -> None:
    before = smoothed(*load)
    path = MODEL.forecast(before, 30, (0.5,)).quantiles[0]
    after = before
    for _ in range(5):
        after = MODEL.update(after, float("nan"))
    after = MODEL.update(after, float(path[5]))  # just as foretold
    np.testing.assert_allclose(MODEL.forecast(after, 24, (0.5,)).quantiles[0], path[6:])


@pytest.mark.parametrize(
    ("step", "grid"),
    [
        (timedelta(seconds=15), timedelta(minutes=5)),
        (timedelta(seconds=60), timedelta(minutes=5)),
        (timedelta(seconds=120), timedelta(minutes=6)),
        (timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(hours=1), timedelta(hours=1)),
        (timedelta(seconds=7), timedelta(seconds=301)),
    ],
)
def test_a_day_has_at_most_288_steps(step: timedelta, grid: timedelta) -> None:
    assert MODEL.grid(step) == grid


def test_without_a_season_the_level_is_kept() -> None:
    state = MODEL.fit(series(200.0 + autoregressive(600, phi=0.5)))
    assert state.arrays["season"].tolist() == [0.0]
    assert MODEL.forecast(state, 12, (0.5,)).quantiles[0] == pytest.approx(200.0, abs=10.0)
