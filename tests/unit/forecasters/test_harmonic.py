"""Harmonic regression finds the shape and lets departures fade."""

from __future__ import annotations

import numpy as np
import pytest

from forecasters.harmonic import Harmonic
from forecasters.series import Series
from tests.fakes.loads import daily, series

MODEL = Harmonic()
DAY = 288


def truth(first: int, steps: int) -> np.ndarray:
    return 100 + 40 * np.sin(2 * np.pi * np.arange(first, first + steps) / DAY)


def test_a_clean_day_is_continued() -> None:
    history = series(truth(0, 7 * DAY))
    median = MODEL.forecast(MODEL.fit(history), DAY, (0.5,)).quantiles[0]
    np.testing.assert_allclose(median, truth(7 * DAY, DAY), atol=0.3)


def test_a_noisy_day_is_foretold_better_than_by_the_day_before() -> None:
    history = daily(8)
    median = MODEL.forecast(MODEL.fit(history.last(7 * DAY)), DAY, (0.5,)).quantiles[0]
    shape = truth(0, DAY)
    assert np.abs(median - shape).mean() < 2.0  # the noise around it has a deviation of 5


def test_a_quiet_weekend_is_expected_where_there_was_one() -> None:
    until_friday = daily(19, weekend=0.5)
    median = MODEL.forecast(MODEL.fit(until_friday), DAY, (0.5,)).quantiles[0]
    assert median.mean() == pytest.approx(50.0, abs=8.0)  # weekdays have 100


def test_a_departure_fades_back_to_the_shape() -> None:
    state = MODEL.fit(daily(7))
    bumped = MODEL.update(state, float(truth(7 * DAY, 1)[0]) + 30.0)
    median = MODEL.forecast(bumped, DAY, (0.5,)).quantiles[0]
    above = median - truth(7 * DAY + 1, DAY)
    assert above[0] == pytest.approx(24.0, abs=3.0)  # phi of 0.8
    assert abs(above[DAY // 2]) < 4.0


def test_without_a_season_the_level_and_its_memory_remain() -> None:
    state = MODEL.fit(daily(1))
    assert state.arrays["frequencies"].size == 0
    assert MODEL.forecast(state, 1, (0.5,)).quantiles[0, 0] == pytest.approx(state.value, abs=8.0)


def test_the_forecast_does_not_depend_on_how_long_ago_1970_was() -> None:
    later = Series(daily(7).start.replace(year=2096, month=1, day=2), daily(7).step, daily(7).values)  # a Monday too
    expected = MODEL.forecast(MODEL.fit(daily(7)), 12, (0.5,)).quantiles
    np.testing.assert_allclose(MODEL.forecast(MODEL.fit(later), 12, (0.5,)).quantiles, expected, rtol=1e-6)
