"""The published fan covers what it says."""

from __future__ import annotations

import numpy as np
import pytest

from forecasters.fan_calibration import KNOTS, FanCalibration
from forecasters.forecaster import fitted_state
from forecasters.packing import UnreadableState
from forecasters.spread import normal_forecast
from tests.fakes.loads import series

LEVELS = (0.01, 0.1, 0.5, 0.9, 0.99)


def forecast(levels: tuple[float, ...] = LEVELS, steps: int = 60):
    state = fitted_state("some-model", series([100.0]), {})
    return normal_forecast(state, np.full(steps, 100.0), np.full(steps, 2.0), levels)


def learned(deviation: float, count: int = 2000) -> FanCalibration:
    errors = np.random.default_rng(1).normal(scale=deviation, size=(count, len(KNOTS)))
    return FanCalibration.from_errors(errors)


def test_without_a_record_the_models_own_spread_stands() -> None:
    np.testing.assert_allclose(FanCalibration().calibrated(forecast()).quantiles, forecast().quantiles)


def test_a_spread_that_was_three_times_too_narrow_is_widened() -> None:
    quantiles = learned(3.0).calibrated(forecast()).quantiles
    truth = 100 + 6.0 * np.array([-2.326, -1.282, 0.0, 1.282, 2.326])
    np.testing.assert_allclose(quantiles[:, 0], truth, atol=2.5)
    np.testing.assert_allclose(quantiles[1:4, 59], truth[1:4], atol=1.2)


def test_horizons_are_widened_each_by_its_own_record() -> None:
    errors = np.random.default_rng(1).normal(size=(2000, len(KNOTS))) * np.array([1.0, 1.0, 1.0, 1.0, 1.0, 4.0])
    above = FanCalibration.from_errors(errors).calibrated(forecast()).quantiles[3] - 100.0
    assert above[0] == pytest.approx(2.56, abs=0.3)
    assert above[59] == pytest.approx(10.2, abs=1.2)
    assert above[0] < above[39] < above[59]


def test_spread_to_one_side_is_kept_to_one_side() -> None:
    errors = np.abs(np.random.default_rng(1).normal(size=(1000, len(KNOTS))))
    quantiles = FanCalibration.from_errors(errors).calibrated(forecast()).quantiles
    assert (quantiles[:3] == 100.0).all()
    assert (quantiles[3] > 102.0).all()


def test_the_median_is_not_moved_and_levels_stay_in_order() -> None:
    errors = np.random.default_rng(1).normal(loc=5.0, size=(1000, len(KNOTS)))
    quantiles = FanCalibration.from_errors(errors).calibrated(forecast((0.001, 0.3, 0.5, 0.6, 0.9999))).quantiles
    assert (quantiles[2] == 100.0).all()
    assert (np.diff(quantiles, axis=0) >= 0.0).all()


def test_a_bare_median_comes_back_as_it_is() -> None:
    bare = forecast((0.5,))
    assert learned(3.0).calibrated(bare) is bare


def test_a_handful_of_errors_changes_nothing() -> None:
    np.testing.assert_allclose(learned(3.0, count=10).calibrated(forecast()).quantiles, forecast().quantiles)


def test_it_comes_back_from_its_bytes() -> None:
    calibration = learned(2.0)
    restored = FanCalibration.decode(calibration.encode())
    np.testing.assert_array_equal(
        restored.calibrated(forecast()).quantiles, calibration.calibrated(forecast()).quantiles
    )


@pytest.mark.parametrize("body", [b"", b"\x05\x00\x00\x00abc", FanCalibration().encode()[:-3]])
def test_damaged_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(UnreadableState):
        FanCalibration.decode(body)
