"""Offsets cover what they promise, also after the load has changed."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasters.packing import UnreadableState
from forecasters.peak_calibration import PeakCalibration, choose_exponent
from tests.fakes.loads import MONDAY

SPACING = timedelta(minutes=5)


def normal(count: int, *, seed: int = 1, deviation: float = 1.0) -> list[float]:
    return np.random.default_rng(seed).normal(scale=deviation, size=count).tolist()


def after(errors: list[float]) -> PeakCalibration:
    calibration = PeakCalibration()
    for error in errors:
        calibration.add(error)
    return calibration


def test_without_errors_there_is_nothing_to_add_and_nothing_covered() -> None:
    empty = PeakCalibration()
    assert (empty.count, empty.offset(0.99)) == (0, 0.0)
    assert empty.coverage(0.99) is None
    assert empty.pinball(0.99) is None


@pytest.mark.parametrize(("level", "true"), [(0.5, 0.0), (0.9, 1.28), (0.99, 2.33), (0.999, 3.09)])
def test_the_offset_of_normal_errors_is_near_the_normal_quantile(level: float, true: float) -> None:
    assert after(normal(3000)).offset(level) == pytest.approx(true, abs=0.45)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_what_was_offered_covers_as_it_says(level: float) -> None:
    assert after(normal(2500)).coverage(level) == pytest.approx(level, abs=0.006)


def test_coverage_of_another_level_is_followed_once_it_is_asked_for() -> None:
    calibration = after(normal(300))
    assert calibration.coverage(0.97) is None
    calibration.offset(0.97)
    for error in normal(1500, seed=2):
        calibration.add(error)
    assert calibration.coverage(0.97) == pytest.approx(0.97, abs=0.01)


def test_a_policy_that_changes_its_risk_often_fills_nothing() -> None:
    calibration = after(normal(10))
    for level in np.linspace(0.6, 0.7, 50):
        calibration.offset(float(level))
    assert len(calibration.encode()) < 1500


def test_coverage_comes_back_after_errors_grew_fivefold() -> None:
    calibration = after(normal(2000))
    larger = normal(900, seed=3, deviation=5.0)
    for error in larger[:300]:  # a day
        calibration.add(error)
    offset = []
    for error in larger[300:]:
        offset.append(calibration.offset(0.95))
        calibration.add(error)
    covered = np.mean(np.array(larger[300:]) <= np.array(offset))
    assert covered == pytest.approx(0.95, abs=0.02)


def test_a_run_of_misses_raises_the_offset_before_the_quantiles_know() -> None:
    calibration = after(normal(2000))
    before = calibration.offset(0.99)
    for _ in range(3):
        calibration.add(20.0)
    assert calibration.offset(0.99) > 1.1 * before


def test_a_level_that_nobody_saw_exceeded_is_not_the_largest_error() -> None:
    errors = normal(400)
    assert after(errors).offset(0.9995) > max(errors)


def test_errors_closer_than_five_minutes_are_left_out() -> None:
    calibration = PeakCalibration()
    for tick in range(40):
        calibration.add(1.0, at=MONDAY + tick * timedelta(seconds=15))
    assert calibration.count == 2


def test_the_newest_two_weeks_are_kept_in_24_kib() -> None:
    calibration = after([0.0] * 1000 + normal(4000))
    assert calibration.count == 4000
    assert len(calibration.encode()) <= 24 * 1024


def test_errors_that_grow_with_the_level_are_offered_in_proportion() -> None:
    levels = np.tile([10.0, 1000.0], 500)
    errors = levels * 0.1 * np.array(normal(1000))
    exponent = choose_exponent(errors, levels)
    calibration = PeakCalibration(exponent=exponent, typical=float(levels.mean()))
    for error, level in zip(errors.tolist(), levels.tolist(), strict=True):
        calibration.add(error, predicted=level)
    assert exponent == 1.0
    low, high = (calibration.offset(0.9, predicted=level) for level in (100.0, 1000.0))
    assert high == pytest.approx(10 * low)


@pytest.mark.parametrize(("power", "exponent"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_the_power_of_the_level_in_the_noise_is_found(power: float, exponent: float) -> None:
    levels = np.random.default_rng(1).uniform(50, 1000, size=2000)
    assert choose_exponent(levels**power * np.array(normal(2000)), levels) == exponent


def test_few_errors_are_taken_as_they_are() -> None:
    assert choose_exponent(np.arange(50.0), np.arange(50.0)) == 0.0


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_another_unit_scales_the_offset(exponent: float) -> None:
    offsets = []
    for factor in (1.0, 1000.0):
        calibration = PeakCalibration(exponent=exponent, typical=0.0)
        for error in normal(500):
            calibration.add(factor * error, predicted=factor * (100.0 + error))
        offsets.append(calibration.offset(0.99, predicted=factor * 80.0))
    assert offsets[1] == pytest.approx(1000.0 * offsets[0], rel=1e-6)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_a_load_that_was_always_zero_asks_for_nothing(exponent: float) -> None:
    calibration = PeakCalibration(exponent=exponent)
    for _ in range(50):
        calibration.add(0.0, predicted=0.0)
    assert calibration.offset(0.99, predicted=0.0) == 0.0


def test_it_comes_back_from_its_bytes_and_goes_on_alike() -> None:
    calibration = after(normal(700))
    calibration.add(1.0, at=MONDAY)
    restored = PeakCalibration.decode(calibration.encode())
    for one in (calibration, restored):
        one.add(4.0, at=MONDAY + SPACING)
        one.add(9.0, at=MONDAY + 1.5 * SPACING)
    assert restored.count == 702
    assert restored.coverage(0.9) == calibration.coverage(0.9)
    assert PeakCalibration.decode(restored.encode()).offset(0.99) == PeakCalibration.decode(
        calibration.encode()
    ).offset(0.99)


def test_damaged_bytes_are_refused() -> None:
    with pytest.raises(UnreadableState):
        PeakCalibration.decode(after([1.0]).encode()[:-1])
    with pytest.raises(UnreadableState):
        PeakCalibration.decode(b"")


@pytest.mark.parametrize("error", [float("nan"), float("inf")])
def test_an_error_that_is_no_number_is_refused(error: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        PeakCalibration().add(error)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_level_outside_zero_to_one_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level must be in"):
        PeakCalibration().offset(level)
