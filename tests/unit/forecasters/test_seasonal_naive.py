"""The value one season earlier."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasters.seasonal_naive import SeasonalNaive
from tests.fakes.loads import daily, series

HOUR = timedelta(hours=1)
MODEL = SeasonalNaive()


def test_yesterday_comes_again() -> None:
    hours = [float(hour) for hour in range(48)]
    median = MODEL.forecast(MODEL.fit(series(hours, step=HOUR)), 26, (0.5,)).quantiles[0]
    assert median.tolist() == [*hours[24:], 24.0, 25.0]


def test_last_week_comes_again_where_weekdays_differ() -> None:
    state = MODEL.fit(daily(14, weekend=0.5))  # ends on a Sunday evening
    assert len(state.arrays["season"]) == 7 * 288


def test_the_spread_is_that_of_the_seasonal_error_and_grows_by_the_season() -> None:
    hours = [10.0] * 24 + [13.0] * 24
    median, above = MODEL.forecast(MODEL.fit(series(hours, step=HOUR)), 25, (0.5, 0.8413447460685429)).quantiles
    assert (above - median)[[0, 23, 24]] == pytest.approx([3.0, 3.0, 3.0 * 2**0.5])


def test_a_gap_yesterday_takes_the_day_before() -> None:
    hours = np.array([5.0] * 24 + [7.0] * 24 + [9.0] * 24)
    hours[50] = np.nan
    median = MODEL.forecast(MODEL.fit(series(hours, step=HOUR)), 4, (0.5,)).quantiles[0]
    assert median.tolist() == [9.0, 9.0, 7.0, 9.0]


def test_after_a_gap_the_season_is_still_in_step() -> None:
    state = MODEL.fit(series([float(hour) for hour in range(48)], step=HOUR))
    for value in (float("nan"), float("nan"), 100.0):
        state = MODEL.update(state, value)
    median = MODEL.forecast(state, 24, (0.5,)).quantiles[0]
    assert median[0] == 27.0
    assert median[-1] == 100.0
