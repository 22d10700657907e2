"""Offsets cover what they promise, also after the load has changed."""

from __future__ import annotations

import numpy as np
import pytest

from bench.forecasts.peak_errors import PeakErrors


def normal(count: int, *, seed: int = 1, deviation: float = 1.0) -> list[float]:
    return np.random.default_rng(seed).normal(scale=deviation, size=count).tolist()


def after(errors: list[float], level: float = 0.99) -> PeakErrors:
    known = PeakErrors((level,))
    for error in errors:
        known.add(error)
    return known


def offered(known: PeakErrors, errors: list[float]) -> np.ndarray:
    """Return what stood at the first level when each of these errors became known."""
    offsets = []
    for error in errors:
        offsets.append(known.offsets()[0])
        known.add(error)
    return np.array(offsets)


def test_without_errors_there_is_nothing_to_add() -> None:
    assert PeakErrors((0.5, 0.99)).offsets().tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("level", "true"), [(0.5, 0.0), (0.9, 1.28), (0.99, 2.33), (0.999, 3.09)])
def test_the_offset_of_normal_errors_is_near_the_normal_quantile(level: float, true: float) -> None:
    assert after(normal(3000), level).offsets()[0] == pytest.approx(true, abs=0.45)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.97, 0.99])
def test_what_was_offered_covers_as_it_says(level: float) -> None:
    errors = normal(2500)
    stood = offered(PeakErrors((level,)), errors)
    assert np.mean(np.array(errors)[500:] <= stood[500:]) == pytest.approx(level, abs=0.006)


def test_levels_are_followed_each_by_its_own_record() -> None:
    together = PeakErrors((0.5, 0.99))
    for error in normal(700):
        together.add(error)
    assert together.offsets().tolist() == [after(normal(700), level).offsets()[0] for level in (0.5, 0.99)]


def test_coverage_comes_back_after_errors_grew_fivefold() -> None:
    known = after(normal(2000), 0.95)
    larger = normal(900, seed=3, deviation=5.0)
    stood = offered(known, larger)
    assert np.mean(np.array(larger)[300:] <= stood[300:]) == pytest.approx(0.95, abs=0.02)  # from the second day on


def test_a_run_of_misses_raises_the_offset_before_the_quantiles_know() -> None:
    known = after(normal(2000))
    before = known.offsets()[0]
    for _ in range(3):
        known.add(20.0)
    assert known.offsets()[0] > 1.1 * before


def test_a_level_that_nobody_saw_exceeded_is_not_the_largest_error() -> None:
    errors = normal(400)
    assert after(errors, 0.9995).offsets()[0] > max(errors)


def test_errors_of_more_than_two_weeks_ago_are_forgotten() -> None:
    newest = normal(4020)  # quantiles are taken anew once an hour
    assert max(newest) < after([1e6] * 1000 + newest, 0.9995).offsets()[0] < 10.0


def test_another_unit_scales_the_offset() -> None:
    one, thousand = (after([factor * error for error in normal(500)]).offsets()[0] for factor in (1.0, 1000.0))
    assert thousand == pytest.approx(1000.0 * one, rel=1e-9)


def test_a_load_that_was_always_zero_asks_for_nothing() -> None:
    assert after([0.0] * 50).offsets()[0] == 0.0


@pytest.mark.parametrize("error", [float("nan"), float("inf")])
def test_an_error_that_is_no_number_is_refused(error: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        PeakErrors((0.99,)).add(error)
