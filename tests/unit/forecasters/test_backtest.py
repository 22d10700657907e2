"""Errors are measured on data that the parameters have not seen."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasters.backtest import fit_and_evaluate, rolling_origin
from forecasters.forecaster import ModelState, TooLittleHistory
from forecasters.harmonic import Harmonic
from forecasters.last_value import LastValue
from forecasters.seasonal_naive import SeasonalNaive
from forecasters.series import Series
from tests.fakes.loads import autoregressive, daily, series

HOUR = timedelta(hours=1)
GAP = float("nan")


class Counted(SeasonalNaive):
    """Notes how many rows it was fitted on."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def fit(self, history: Series) -> ModelState:
        state = super().fit(history)
        self.rows.append(len(history))
        return state


def walked(values: list[float], *, horizon: timedelta = HOUR) -> np.ndarray:
    """Walk persistence over values, from a past that moves by 2 each step."""
    past = series([10.0, 12.0] * 10)
    newer = Series(past.end + past.step, past.step, np.array(values))
    return rolling_origin(LastValue(), LastValue().fit(past), newer, horizon=horizon)


def test_an_error_is_what_came_less_the_path_in_the_models_own_deviations() -> None:
    one, two = (walked([10.0, 14.0, 16.0])[0, knot] for knot in (0, 1))
    assert one == pytest.approx(2.0)
    assert two == pytest.approx(3.0 / np.sqrt(2.0))


def test_origins_in_a_gap_and_values_that_fell_into_one_are_left_out() -> None:
    errors = walked([10.0, GAP, GAP, 10.0, GAP, 15.0, 11.0])  # of the four values one is followed by another
    assert len(errors) == 4
    assert np.isfinite(errors[:, 0]).tolist() == [False, False, True, False]


def test_an_origin_every_five_minutes_is_enough() -> None:
    minute = timedelta(minutes=1)
    history = series(100.0 + autoregressive(2000), step=minute)
    older, newer = history.between(history.start, history.start + 999 * minute), history.last(1000)
    errors = rolling_origin(LastValue(), LastValue().fit(older), newer, horizon=HOUR)
    assert len(errors) == 200


def test_past_the_horizon_and_past_the_data_nothing_is_known() -> None:
    near = walked([10.0, 11.0, 12.0, 13.0], horizon=timedelta(minutes=10))
    assert np.isfinite(near).any(axis=0).tolist() == [True, True, False, False, False, False]
    assert not np.isfinite(near[-1]).any()


def test_a_grid_coarser_than_the_horizon_is_measured_one_step_ahead() -> None:
    errors = walked([10.0, 14.0, 16.0], horizon=timedelta(minutes=1))
    assert np.isfinite(errors).any(axis=0).tolist() == [True, False, False, False, False, False]


def test_the_state_that_serves_has_seen_everything() -> None:
    history = daily(6)
    evaluation = fit_and_evaluate(SeasonalNaive(), history, horizon=HOUR)
    assert evaluation.state.origin == history.end
    assert evaluation.state.arrays["season"].tolist() == history.values[-288:].tolist()


def test_the_fan_covers_as_it_says_on_days_that_nobody_saw() -> None:
    load = daily(16)
    seen = Series(load.start, load.step, load.values[: 14 * 288])
    evaluation = fit_and_evaluate(Harmonic(), seen, horizon=5 * HOUR)
    state, covered = evaluation.state, []
    for row in range(14 * 288, 16 * 288 - 20):
        state = Harmonic().update(state, float(load.values[row]))
        if row % 3:
            continue
        fan = evaluation.fan.calibrated(Harmonic().forecast(state, 20, (0.1, 0.5, 0.9)))
        covered.append((fan.quantiles[[0, 2]][:, [0, 4, 19]] < load.values[[row + 1, row + 5, row + 20]])[::-1])
    above = np.mean(covered, axis=0)
    np.testing.assert_allclose(above[0], 0.1, atol=0.05)
    np.testing.assert_allclose(above[1], 0.9, atol=0.05)


@pytest.mark.parametrize(("days", "older"), [(16, 9 * 288), (6, 3 * 288)])
def test_the_last_week_or_half_is_measured_on(days: int, older: int) -> None:
    model = Counted()
    fit_and_evaluate(model, daily(days), horizon=HOUR)
    assert model.rows == [older, days * 288]


def test_a_history_just_long_enough_is_fitted_on_what_the_model_needs() -> None:
    model, history = Counted(), daily(2.6)
    fit_and_evaluate(model, history, horizon=HOUR)
    assert model.rows == [pytest.approx(2 * 288, abs=3), len(history)]


def test_a_history_that_leaves_nothing_to_measure_on_is_refused() -> None:
    with pytest.raises(TooLittleHistory, match=r"needs 10 h more history \(50 of 60 h\)"):
        fit_and_evaluate(SeasonalNaive(), daily(50 / 24), horizon=HOUR)


def test_without_a_single_error_the_models_own_spread_stands() -> None:
    flat = series([100.0] * 40)
    evaluation = fit_and_evaluate(LastValue(), flat, horizon=HOUR)
    fan = LastValue().forecast(evaluation.state, 3, (0.1, 0.5, 0.9))
    np.testing.assert_array_equal(evaluation.fan.calibrated(fan).quantiles, fan.quantiles)
