"""Errors are measured on data that the parameters have not seen."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasters.backtest import Observed, fit_and_evaluate, rolling_origin
from forecasters.forecaster import TooLittleHistory
from forecasters.harmonic import Harmonic
from forecasters.last_value import LastValue
from forecasters.seasonal_naive import SeasonalNaive
from forecasters.series import Series
from tests.fakes.loads import FIVE_MINUTES, autoregressive, daily, series

HOUR = timedelta(hours=1)


def walked(values: list[float], **changes: object):
    """Walk persistence over values, from a state that was fitted on a flat past."""
    past = series([10.0] * 20)
    newer = Series(past.end + past.step, past.step, np.array(values))
    options = {"look_ahead": timedelta(minutes=10), "horizon": HOUR} | changes
    return rolling_origin(LastValue(), LastValue().fit(past), newer, **options)


def test_the_error_of_a_peak_is_the_largest_value_ahead_less_the_one_predicted() -> None:
    evaluation = walked([10.0, 14.0, 12.0, 11.0])  # peaks 14 and 12 ahead of 10 and 14
    assert evaluation.peak.count == 2
    assert evaluation.losses.origins == 2
    assert evaluation.peak.offset(0.5) == 4.0  # of the errors 4 and -2


def test_a_coarse_model_is_measured_on_demand_as_fine_as_there_is() -> None:
    newer = walked([10.0, 10.0, 10.0]).state
    start, minute = newer.origin - 2 * newer.step, newer.step / 5
    values = Series(start, minute, np.full(11, 10.0))
    peaks = Series(start, minute, np.array([10.0, 10.0, 30.0, *[10.0] * 8]))
    evaluation = walked([10.0, 10.0, 10.0], observed=Observed(values, peaks))
    assert evaluation.peak.offset(0.5) == 20.0
    assert evaluation.losses.reactive == pytest.approx(0.99 * 20.0)  # of one origin whose end is known


def test_origins_in_a_gap_and_peaks_that_fell_into_one_are_left_out() -> None:
    gap = float("nan")
    evaluation = walked([10.0, gap, gap, 10.0, gap, 15.0, 11.0])  # the first 10 sees nothing, 15 and 11 see the end
    assert evaluation.losses.origins == 1
    assert evaluation.peak.offset(0.5) == 5.0


def test_an_origin_every_five_minutes_is_enough() -> None:
    minute = timedelta(minutes=1)
    history = series(100.0 + autoregressive(2000), step=minute)
    evaluation = fit_and_evaluate(LastValue(), history, look_ahead=3 * minute, horizon=HOUR)
    assert evaluation.losses.origins == 200  # of the newer 1,000 rows


def test_the_state_that_serves_has_seen_everything() -> None:
    history = daily(6)
    evaluation = fit_and_evaluate(SeasonalNaive(), history, look_ahead=timedelta(minutes=5), horizon=HOUR)
    assert evaluation.state.origin == history.end
    assert evaluation.state.arrays["season"].tolist() == history.values[-288:].tolist()


def test_what_is_offered_covers_as_it_says_out_of_sample() -> None:
    evaluation = fit_and_evaluate(Harmonic(), daily(14), look_ahead=timedelta(minutes=15), horizon=5 * HOUR)
    assert evaluation.losses.coverage[0.9] == pytest.approx(0.9, abs=0.01)
    assert evaluation.losses.coverage[0.99] == pytest.approx(0.99, abs=0.01)
    assert evaluation.losses.mase is not None
    assert evaluation.losses.mase < 0.8  # noise of the seasonal naive method is twice that of one sample


def test_the_fan_covers_as_it_says_on_days_that_nobody_saw() -> None:
    load = daily(16)
    seen = Series(load.start, load.step, load.values[: 14 * 288])
    evaluation = fit_and_evaluate(Harmonic(), seen, look_ahead=timedelta(minutes=15), horizon=5 * HOUR)
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


def test_a_history_just_long_enough_is_fitted_on_what_the_model_needs() -> None:
    evaluation = fit_and_evaluate(SeasonalNaive(), daily(2.6), look_ahead=FIVE_MINUTES, horizon=HOUR)
    assert evaluation.losses.origins == pytest.approx(0.6 * 288, abs=3)


def test_a_history_that_leaves_nothing_to_measure_on_is_refused() -> None:
    with pytest.raises(TooLittleHistory, match=r"needs 10 h more history \(50 of 60 h\)"):
        fit_and_evaluate(SeasonalNaive(), daily(50 / 24), look_ahead=FIVE_MINUTES, horizon=HOUR)


def test_a_look_ahead_longer_than_the_data_gives_no_errors_and_no_scores() -> None:
    evaluation = walked([10.0, 11.0, 12.0], look_ahead=HOUR)
    assert evaluation.losses.origins == 0
    assert evaluation.losses.coverage == {}
    assert evaluation.losses.mase is None
