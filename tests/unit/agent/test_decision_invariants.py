"""What holds of every decision, with the experts and their model at work: bounds, units, weeks, repetition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasters.series import Series
from scalers.decision import Decision
from scalers.policy import Bounds, Mode, ScalingPolicy
from tests.fakes.driven import STEP, Driven
from tests.fakes.engine import START
from tests.fakes.loads import autoregressive, daily
from tests.fakes.situations import CAPACITY, a_policy

WEEK = timedelta(days=7)
PAST, LIVE = timedelta(days=2), timedelta(hours=1)  # ends after a choice anew, and past a ramp that comes every hour


@cache
def load(seed: int) -> NDArray[np.float64]:
    """Return days at 15 s with a daily shape, bursts of five minutes every hour, and noise; shape (n,)."""
    days = (PAST + LIVE) / timedelta(days=1)
    shape = daily(days, step=STEP, noise=0.0).values
    random = np.random.default_rng(seed)
    bursts = (np.arange(len(shape)) % 240 < 20) * random.uniform(30.0, 90.0, len(shape))
    noise = autoregressive(len(shape), phi=0.97, deviation=1.0, seed=seed)
    return np.maximum(shape + bursts + noise, 0.0)


def policy(**changes: object) -> ScalingPolicy:
    """A policy whose experts are those of `auto`."""
    families = ("quantile-regression", "hold", "analog", "volatility")
    return a_policy(**{"models": (), "families": families} | changes)


def lived(
    seed: int, *, unit: float = 1.0, start: datetime = START, changes: Mapping[str, object] | None = None
) -> list[Decision]:
    """Return the decisions of an hour after two days of history, all demand and capacity times `unit`."""
    signal = replace(policy().signals[0], capacity=CAPACITY * unit)
    driven = Driven(policy(signals=(signal,), **(changes or {})))
    values, rows = load(seed) * unit, PAST // STEP
    driven.learn(Series(start - PAST, STEP, values[:rows]))
    return [driven.read(start + row * STEP, float(value)) for row, value in enumerate(values[rows:])]


@cache
def plain(seed: int) -> Sequence[Decision]:
    return tuple(lived(seed))


def numbers(decisions: Sequence[Decision]) -> NDArray[np.float64]:
    """Return need and answer of each, and the model's median of the peak, in replicas; shape (n, 3)."""
    rows = []
    for decision in decisions:
        (known,) = decision.signals
        assert known.peak is not None
        rows.append((decision.need, decision.answer, known.peak.median / known.capacity))
    return np.array(rows, np.float64)


SEEDS = (1, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_forecast_is_at_work_in_what_these_tests_look_at(seed: int) -> None:
    assert {str(decision.basis) for decision in plain(seed)} == {"forecast"}
    need, answer, median = numbers(plain(seed)).T
    raw = np.array([decision.raw_need for decision in plain(seed)])
    assert np.ptp(answer) > 1.0
    assert (need > 1.02 * raw).any()
    assert (median > 1.02 * raw).any()


@pytest.mark.parametrize("bounds", [Bounds(1, 40), Bounds(12, 14), Bounds(0, 9), Bounds(4, 16, 4)], ids=str)
@pytest.mark.parametrize("mode", list(Mode))
def test_no_answer_is_below_the_raw_need_or_min_or_above_max(bounds: Bounds, mode: Mode) -> None:
    for decision in lived(1, changes={"bounds": bounds, "mode": mode, "tolerance": 0.1}):
        assert decision.raw_need is not None
        for answer in (decision.answer, decision.for_keda):
            assert answer is not None
            assert bounds.minimum <= answer <= bounds.maximum
            assert answer >= min(decision.raw_need, bounds.maximum) - 1e-7  # whole gangs forgive a hair


@pytest.mark.parametrize("unit", [1000.0, 0.001, 7.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_unit_of_demand_changes_nothing(seed: int, unit: float) -> None:
    np.testing.assert_allclose(numbers(lived(seed, unit=unit)), numbers(plain(seed)), rtol=1e-6)


@pytest.mark.parametrize("weeks", [1, 3, 53, -200])
def test_whole_weeks_later_or_earlier_the_same_is_answered(weeks: int) -> None:
    np.testing.assert_allclose(numbers(lived(1, start=START + weeks * WEEK)), numbers(plain(1)), rtol=1e-6)


def test_the_same_input_gives_the_same_output_from_the_first_fit_on() -> None:
    assert [repr(decision) for decision in lived(2)] == [repr(decision) for decision in plain(2)]


@pytest.mark.parametrize("missing", [1, 7, 39])
def test_a_gap_scales_nothing_in_whatever_the_experts_expect_after_it(missing: int) -> None:
    """The gap begins where demand, and with it the forecast, is falling: after a burst."""
    driven, values, rows = Driven(policy()), load(1), PAST // STEP
    driven.learn(Series(START - PAST, STEP, values[:rows]))
    held = []
    for row in range(22 + missing):
        is_gap = row >= 22
        decision = driven.read(START + row * STEP, None if is_gap else float(values[rows + row]))
        held.append(decision.answer)
        if is_gap:
            assert decision.answer is not None
            assert decision.answer >= (held[21] or 0.0)
    after = driven.read(START + (22 + missing) * STEP, float(values[rows + 22 + missing]))
    assert after.answer is not None
    assert after.answer < (held[21] or 0.0)  # which the demand alone would have brought
