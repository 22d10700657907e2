"""One fit: whatever goes wrong is an outcome that says why."""

from __future__ import annotations

import pickle
from datetime import timedelta

import numpy as np
import pytest

from agent.fitting.fit import MOST_ROWS, run_fit
from agent.fitting.inline import InlineFits
from agent.fitting.pool import FitFailed, FitJob, Fitted
from forecasters.fan_calibration import FanCalibration
from forecasters.forecast import Forecast
from forecasters.forecaster import ModelState
from forecasters.harmonic import Harmonic
from forecasters.last_value import LastValue
from forecasters.series import Series
from tests.fakes.loads import autoregressive, daily, series

MINUTE = timedelta(minutes=1)


def job(model: str, history: Series) -> FitJob:
    return FitJob("ml/chat/demand", model, history, horizon=timedelta(hours=1))


class Recording:
    """A forecaster that notes how much history it was given, or raises what it was told to."""

    name = "recording"

    def __init__(self, error: Exception | None = None) -> None:
        self.rows: list[int] = []
        self._error = error

    def grid(self, step: timedelta) -> timedelta:
        return step

    def fit(self, history: Series) -> ModelState:
        self.rows.append(len(history))
        if self._error is not None:
            raise self._error
        return LastValue().fit(history)

    def update(self, state: ModelState, value: float) -> ModelState:
        return LastValue().update(state, value)

    def forecast(self, state: ModelState, steps: int, levels: tuple[float, ...]) -> Forecast:
        return LastValue().forecast(state, steps, levels)


def test_a_fit_brings_state_and_calibration() -> None:
    history = daily(7)
    outcome = run_fit(job("harmonic", history))
    assert isinstance(outcome, Fitted)
    assert (outcome.signal, outcome.model) == ("ml/chat/demand", "harmonic")
    assert outcome.state.origin == history.end
    assert outcome.calibration is not None
    fan = Harmonic().forecast(outcome.state, 3, (0.1, 0.5, 0.9))
    assert not np.array_equal(FanCalibration.decode(outcome.calibration).calibrated(fan).quantiles, fan.quantiles)
    assert outcome.cpu_seconds > 0


def test_too_little_history_says_how_much_is_missing() -> None:
    outcome = run_fit(job("seasonal-naive", daily(1)))
    assert outcome == FitFailed(
        "ml/chat/demand", "seasonal-naive", "needs 36 h more history (24 of 60 h)", needs_history=True
    )


def test_an_unknown_model_names_those_that_are_known() -> None:
    outcome = run_fit(job("prophet", daily(1)))
    assert isinstance(outcome, FitFailed)
    assert not outcome.needs_history
    assert outcome.reason.startswith("model prophet is not known: use one of arima, harmonic, holt-winters")


@pytest.mark.parametrize("error", [ValueError("no root"), ZeroDivisionError("by zero"), np.linalg.LinAlgError("rank")])
def test_a_model_that_raises_costs_its_fit_only(error: Exception) -> None:
    outcome = run_fit(job("recording", daily(1)), {"recording": Recording(error)})
    assert isinstance(outcome, FitFailed)
    assert outcome.reason == f"{type(error).__name__}: {error}"
    assert not outcome.needs_history


def test_no_fit_sees_more_than_its_share() -> None:
    model = Recording()
    run_fit(job("recording", series(100.0 + autoregressive(MOST_ROWS + 5000), step=MINUTE)), {"recording": model})
    assert max(model.rows) == 20_000


def test_job_and_outcome_travel_between_processes() -> None:
    asked = pickle.loads(pickle.dumps(job("last-value", daily(1))))
    outcome = pickle.loads(pickle.dumps(run_fit(asked)))
    assert isinstance(outcome, Fitted)
    assert outcome.state.value == daily(1).values[-1]


async def test_inline_fits_answer_in_the_order_of_the_batch() -> None:
    batch = [job("harmonic", daily(1)), job("seasonal-naive", daily(1)), job("last-value", daily(1))]
    outcomes = await InlineFits().fit(batch, timedelta(seconds=1))
    assert [outcome.model for outcome in outcomes] == ["harmonic", "seasonal-naive", "last-value"]
    assert [type(outcome).__name__ for outcome in outcomes] == ["Fitted", "FitFailed", "Fitted"]
