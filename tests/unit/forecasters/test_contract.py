"""What every forecaster of the table promises."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasters.forecast import BeyondHorizon
from forecasters.forecaster import ModelState, TooLittleHistory
from forecasters.series import Series
from forecasters.state import decode_state, encode_state
from forecasters.table import FORECASTERS
from tests.fakes.loads import daily, series

LEVELS = (0.01, 0.1, 0.5, 0.9, 0.99)
QUARTER = timedelta(minutes=15)
WEEK = daily(7, step=QUARTER)  # 672 rows: the dear models are fitted twenty times
ROOT = Path(__file__).parents[3]

every = pytest.mark.parametrize("name", sorted(FORECASTERS))


@cache
def fitted(name: str) -> ModelState:
    return FORECASTERS[name].fit(WEEK)


def fan(name: str, history: Series) -> np.ndarray:
    model = FORECASTERS[name]
    return model.forecast(model.fit(history), 24, LEVELS).quantiles


@every
def test_a_forecast_has_a_row_per_level_and_a_column_per_step(name: str) -> None:
    forecast = FORECASTERS[name].forecast(fitted(name), 24, LEVELS)
    assert forecast.quantiles.shape == (5, 24)
    assert (forecast.model, forecast.origin, forecast.step) == (name, WEEK.end, WEEK.step)
    assert forecast.value_at_origin == WEEK.values[-1]


@every
def test_higher_levels_never_lie_lower_and_none_lies_below_zero(name: str) -> None:
    quantiles = FORECASTERS[name].forecast(fitted(name), 288, LEVELS).quantiles
    assert (np.diff(quantiles, axis=0) >= 0).all()
    assert (quantiles >= 0).all()


@every
def test_the_same_history_gives_the_same_state(name: str) -> None:
    again = FORECASTERS[name].fit(WEEK)
    assert encode_state(again) == encode_state(fitted(name))


@every
def test_short_history_is_refused_with_what_is_missing(name: str) -> None:
    with pytest.raises(TooLittleHistory, match=r"needs \d+ (h|min) more history") as refusal:
        FORECASTERS[name].fit(WEEK.last(10))
    assert refusal.value.have == timedelta(minutes=150)
    assert refusal.value.need > timedelta(minutes=150)


@every
def test_history_that_is_all_gaps_is_refused(name: str) -> None:
    with pytest.raises(TooLittleHistory):
        FORECASTERS[name].fit(series([np.nan] * 672, step=QUARTER))


@every
def test_a_look_ahead_past_the_horizon_is_refused(name: str) -> None:
    forecast = FORECASTERS[name].forecast(fitted(name), 12, LEVELS)
    with pytest.raises(BeyondHorizon):
        forecast.at(0.5, WEEK.end + 12 * QUARTER + timedelta(seconds=1))


@every
@pytest.mark.parametrize("levels", [(0.1, 0.9), (0.5, 0.1), (0.5, 1.0), (0.5, 0.5)])
def test_levels_out_of_order_or_without_a_median_are_refused(name: str, levels: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="levels must ascend"):
        FORECASTERS[name].forecast(fitted(name), 12, levels)


@every
def test_a_gap_moves_the_origin_and_nothing_else(name: str) -> None:
    model, before = FORECASTERS[name], fitted(name)
    after = model.update(before, float("nan"))
    assert after.origin == before.origin + WEEK.step
    assert after.value == before.value
    later = model.forecast(before, 13, LEVELS).quantiles[:, 1:]
    np.testing.assert_array_equal(model.forecast(after, 12, LEVELS).quantiles, later)


@every
def test_what_is_not_a_number_is_a_gap(name: str) -> None:
    model = FORECASTERS[name]
    gap = encode_state(model.update(fitted(name), float("nan")))
    assert encode_state(model.update(fitted(name), float("inf"))) == gap
    assert encode_state(model.update(fitted(name), float("-inf"))) == gap


@every
def test_a_sample_becomes_the_value_at_the_origin(name: str) -> None:
    after = FORECASTERS[name].update(FORECASTERS[name].update(fitted(name), float("nan")), 123.0)
    assert (after.value, after.gaps) == (123.0, 0)
    assert after.origin == WEEK.end + 2 * WEEK.step


@every
def test_an_update_leaves_the_state_it_was_given_alone(name: str) -> None:
    before = encode_state(fitted(name))
    FORECASTERS[name].update(fitted(name), 123.0)
    assert encode_state(fitted(name)) == before


@every
def test_a_gap_at_the_end_of_the_history_is_as_if_it_came_after_the_fit(name: str) -> None:
    model = FORECASTERS[name]
    ends_in_gap = model.fit(Series(WEEK.start, WEEK.step, np.append(WEEK.values[2:], [np.nan, np.nan])))
    assert ends_in_gap.gaps == 2
    assert ends_in_gap.value == WEEK.values[-1]


@every
@pytest.mark.parametrize("factor", [1e-3, 7.0])
def test_another_unit_scales_the_forecast(name: str, factor: float) -> None:
    scaled = Series(WEEK.start, WEEK.step, WEEK.values * factor)
    expected = FORECASTERS[name].forecast(fitted(name), 24, LEVELS).quantiles * factor
    np.testing.assert_allclose(fan(name, scaled), expected, rtol=1e-6)


@every
def test_a_shift_by_whole_weeks_changes_nothing(name: str) -> None:
    shifted = Series(WEEK.start + timedelta(weeks=3), WEEK.step, WEEK.values)
    expected = FORECASTERS[name].forecast(fitted(name), 24, LEVELS).quantiles
    np.testing.assert_allclose(fan(name, shifted), expected, rtol=1e-9)


@every
def test_a_stored_state_forecasts_the_same(name: str) -> None:
    model = FORECASTERS[name]
    restored = decode_state(encode_state(model.update(fitted(name), float("nan"))))
    expected = model.forecast(model.update(fitted(name), float("nan")), 24, LEVELS).quantiles
    np.testing.assert_array_equal(model.forecast(restored, 24, LEVELS).quantiles, expected)


@every
@pytest.mark.parametrize("level", [0.0, 42.0])
def test_a_constant_load_stays_as_it_is(name: str, level: float) -> None:
    np.testing.assert_allclose(fan(name, series([level] * 672, step=QUARTER))[2], level, atol=1e-6)


@every
def test_a_load_that_moved_up_is_not_forecast_back_down(name: str) -> None:
    moved = WEEK.values.copy()
    moved[-96:] += 200.0
    last = moved[-1]
    assert fan(name, series(moved, step=QUARTER))[2, 0] > last - 50.0


@every
def test_an_absurd_spike_leaves_finite_forecasts(name: str) -> None:
    spiked = WEEK.values.copy()
    spiked[300] = 1e18
    assert np.isfinite(fan(name, series(spiked, step=QUARTER))).all()


@every
def test_gaps_anywhere_leave_finite_forecasts(name: str) -> None:
    holed = WEEK.values.copy()
    holed[np.random.default_rng(3).random(len(holed)) < 0.2] = np.nan
    holed[:5] = holed[230:370] = holed[-3:] = np.nan
    assert np.isfinite(fan(name, series(holed, step=QUARTER))).all()


@every
@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.one_of(st.floats(0, 1e18), st.just(float("nan"))), max_size=30))
def test_no_sequence_of_samples_breaks_a_forecast(name: str, values: list[float]) -> None:
    model, state = FORECASTERS[name], fitted(name)
    for value in values:
        state = model.update(state, value)
    quantiles = model.forecast(state, 12, LEVELS).quantiles
    assert np.isfinite(quantiles).all()
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles, axis=0) >= 0).all()


@settings(max_examples=25, deadline=None)
@given(known=st.lists(st.booleans(), min_size=576, max_size=576), name=st.sampled_from(["last-value", "harmonic"]))
def test_any_pattern_of_gaps_is_fitted_or_refused(known: list[bool], name: str) -> None:
    holed = np.where(known, daily(2).values, np.nan)
    try:
        quantiles = fan(name, series(holed))
    except TooLittleHistory:
        assert sum(known) < 60
    else:
        assert np.isfinite(quantiles).all()


@every
@pytest.mark.parametrize("seconds", [15, 60, 300, 900])
def test_a_model_asks_for_a_multiple_of_the_step_that_is_kept(name: str, seconds: int) -> None:
    step = timedelta(seconds=seconds)
    assert FORECASTERS[name].grid(step) % step == timedelta(0)


def test_serving_imports_neither_statsmodels_nor_pandas_nor_scipy() -> None:
    program = """
import sys
from forecasters.state import decode_state
from forecasters.table import FORECASTERS
state = decode_state(bytes.fromhex(sys.stdin.read()))
model = FORECASTERS[state.model]
model.forecast(model.update(state, 100.0), 12, (0.5, 0.9))
print(sorted({name.partition(".")[0] for name in sys.modules} & {"statsmodels", "pandas", "scipy"}))
"""
    for name in ("arima", "holt-winters"):
        stored = encode_state(fitted(name)).hex()
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, input=stored, capture_output=True, text=True, check=True, cwd=ROOT)
        assert done.stdout == "[]\n"
