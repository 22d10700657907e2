"""Seasons are found where they are, and nowhere else."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasters.seasons import Season, find_seasons
from tests.fakes.loads import autoregressive, daily, series

DAY = 288  # steps of 5 min


def test_a_daily_load_has_a_day() -> None:
    assert find_seasons(daily(7)) == {Season.DAY}


def test_quiet_weekends_make_a_week() -> None:
    assert find_seasons(daily(14, weekend=0.5)) == {Season.DAY, Season.WEEK}


def test_a_week_that_is_the_same_every_day_is_no_week() -> None:
    assert find_seasons(daily(28)) == {Season.DAY}


def test_two_days_are_too_short_to_tell() -> None:
    assert find_seasons(daily(2)) == set()


def test_a_step_above_an_hour_shows_no_season() -> None:
    assert find_seasons(daily(14, step=timedelta(hours=2))) == set()


@pytest.mark.parametrize("phi", [0.0, 0.9, 0.999, 1.0])
def test_noise_has_no_season(phi: float) -> None:
    found = [find_seasons(series(500 + autoregressive(7 * DAY, phi=phi, seed=seed))) for seed in range(20)]
    assert sum(map(bool, found)) <= 1  # the test lets noise pass once in a hundred


@pytest.mark.parametrize("hours", [5, 7, 36])
def test_another_period_is_no_day(hours: int) -> None:
    wave = 100 + 20 * np.sin(2 * np.pi * np.arange(10 * DAY) / (12 * hours))
    assert Season.DAY not in find_seasons(series(wave))


def test_a_trend_hides_no_day_and_makes_none() -> None:
    trend = np.arange(10.0 * DAY)
    assert find_seasons(series(daily(10).values + trend)) == {Season.DAY}
    assert find_seasons(series(trend)) == set()


def test_gaps_hide_no_day() -> None:
    holed = daily(7).values.copy()
    holed[np.random.default_rng(2).random(len(holed)) < 0.3] = np.nan
    holed[500:620] = np.nan
    assert find_seasons(series(holed)) == {Season.DAY}


@pytest.mark.parametrize("level", [0.0, 42.0, float("nan")])
def test_what_does_not_vary_has_no_season(level: float) -> None:
    assert find_seasons(series([level] * (14 * DAY))) == set()
