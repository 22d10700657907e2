"""Demand pinned at a capacity: cut-off peaks are told, real ones are not."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasters.ceiling import Ceiling, find_ceiling
from tests.fakes.loads import autoregressive, daily, series

STEP = timedelta(seconds=15)
DAY = 5760


def looked_at(values: NDArray[np.float64], spacing: timedelta = STEP) -> Ceiling | None:
    return find_ceiling(series(values, step=STEP), spacing)


def served(demand: NDArray[np.float64], capacity: float) -> NDArray[np.float64]:
    """What a service of a capacity serves of a demand, with a queue that waits for ever."""
    queue, out = 0.0, np.empty(len(demand))
    for row, asked in enumerate(demand.tolist()):
        out[row] = min(capacity, asked + queue)
        queue += asked - out[row]
    return out


def test_a_service_that_serves_at_most_120_is_told_with_level_times_and_length() -> None:
    found = looked_at(served(daily(5, step=STEP, noise=1.0).values, 125.0))

    assert found is not None
    assert found.level == pytest.approx(125.0)
    assert found.plateaus == 5
    assert timedelta(hours=30) < found.total < timedelta(hours=60)
    assert timedelta(hours=6) < found.longest < timedelta(hours=12)


def test_noise_of_the_measurement_does_not_hide_the_ceiling() -> None:
    jitter = np.random.default_rng(3).normal(scale=1.0, size=5 * DAY)

    assert looked_at(served(daily(5, step=STEP, noise=2.0).values, 120.0) + jitter) is not None


def test_rows_of_five_minutes_show_it_too() -> None:
    coarse = served(daily(5, step=STEP).values, 120.0).reshape(-1, 20).mean(axis=1)

    assert looked_at(np.repeat(coarse, 20), timedelta(minutes=5)) is not None


@pytest.mark.parametrize("noise", [0.0, 1.0, 5.0])
def test_a_day_with_a_round_peak_is_not_pinned(noise: float) -> None:
    assert looked_at(daily(7, step=STEP, noise=noise).values) is None


def test_a_busy_plateau_with_the_noise_of_demand_is_not_pinned() -> None:
    hour = np.arange(5 * DAY) / 240 % 24
    shape = np.interp(hour, [0, 8, 9, 17, 18, 24], [30, 30, 100, 100, 30, 30])

    assert looked_at(shape * (1 + 0.01 * autoregressive(len(shape), deviation=1.0))) is None


def test_a_constant_a_slope_and_nothing_are_not_pinned() -> None:
    assert looked_at(np.full(DAY, 50.0)) is None
    assert looked_at(np.linspace(1.0, 50.0, DAY)) is None
    assert looked_at(np.zeros(DAY)) is None
    assert looked_at(np.full(DAY, np.nan)) is None


def test_the_unit_of_the_demand_does_not_matter() -> None:
    values = served(daily(3, step=STEP, noise=1.0).values, 120.0)
    one, other = looked_at(values), looked_at(values * 1000)

    assert one is not None
    assert other is not None
    assert other.level == pytest.approx(1000 * one.level)
    assert other.longest == one.longest
