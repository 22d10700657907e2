from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasters.forecast import BeyondHorizon, Forecast

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_forecast() -> Forecast:
    """10 at noon, then medians 20, 40, 30; the 90 % quantile lies 10 above."""
    median = np.array([20.0, 40.0, 30.0])
    return Forecast("arima", NOON, MINUTE, 10.0, (0.5, 0.9), np.stack([median, median + 10.0]))


def test_a_value_is_looked_up_by_time_and_interpolated() -> None:
    forecast = a_forecast()
    assert forecast.at(0.5, NOON) == 10.0
    assert forecast.at(0.5, NOON + 1.5 * MINUTE) == 30.0
    assert forecast.at(0.9, forecast.end) == 40.0


def test_a_level_between_two_stored_ones_is_interpolated() -> None:
    assert a_forecast().path(0.7).tolist() == pytest.approx([25.0, 45.0, 35.0])


@pytest.mark.parametrize("level", [0.4, 0.95])
def test_a_level_that_is_not_stored_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match=r"outside 0\.5 to 0\.9"):
        a_forecast().path(level)


@pytest.mark.parametrize("late", [-MINUTE, 3.01 * MINUTE])
def test_nothing_is_told_beyond_the_horizon(late: timedelta) -> None:
    with pytest.raises(BeyondHorizon):
        a_forecast().at(0.5, NOON + late)


def test_a_peak_counts_the_steps_inside_and_both_interpolated_ends() -> None:
    forecast = a_forecast()
    assert forecast.peak(0.5, NOON, forecast.end) == 40.0
    assert forecast.peak(0.5, NOON, NOON + 1.5 * MINUTE) == 30.0
    assert forecast.peak(0.5, NOON + 2.5 * MINUTE, forecast.end) == 35.0


def test_anchored_it_passes_through_the_newest_observation_and_returns_to_itself() -> None:
    anchored = a_forecast().anchored(NOON, 40.0)
    assert anchored.at(0.5, NOON) == 40.0
    assert anchored.path(0.5).tolist() == pytest.approx([40.0, 50.0, 30.0])
    assert anchored.path(0.9).tolist() == pytest.approx([50.0, 60.0, 40.0])


def test_anchoring_never_foretells_less_than_nothing() -> None:
    assert a_forecast().anchored(NOON + 2 * MINUTE, 0.0).path(0.5).min() == 0.0
