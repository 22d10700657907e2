"""Rolling-origin evaluation: walks a fitted model over data it has not seen and keeps by how much its path was wrong.

Each origin sees only what came before it; parameters stay as fitted, the state takes in every sample, as in service
between two fits (Tashman, Out-of-sample tests of forecasting accuracy, Int. J. Forecasting 16 (2000)).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.fan_calibration import KNOTS, FanCalibration
from forecasters.forecaster import Forecaster, ModelState, TooLittleHistory
from forecasters.series import Series
from forecasters.spread import normal_scores

_LEVELS = (0.5, 0.9)
_NORMAL_TOP = float(normal_scores(_LEVELS)[-1])
_SCORED = timedelta(days=7)  # the newest part, on which errors are measured
_SPACING = timedelta(minutes=5)  # between origins: closer ones tell nearly the same


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A model fitted on a whole history, and how wide its fan must be."""

    state: ModelState  # after the last value
    fan: FanCalibration  # from errors on data that the parameters had not seen


def fit_and_evaluate(forecaster: Forecaster, history: Series, *, horizon: timedelta) -> Evaluation:
    """Fit on the older part, walk over the newer, then fit on all of it.

    The newer part is the last week, or the last half of a shorter history; where that leaves the model too little, it
    is what the model can do without. The errors thus belong to parameters a little older than those that serve, as
    they will be in service shortly before the next fit.

    Raises:
        TooLittleHistory: the history is too short to be fitted on and measured on.
    """
    older, state = _fit_older(forecaster, history)
    errors = rolling_origin(forecaster, state, _rest(history, len(older)), horizon=horizon)
    return Evaluation(forecaster.fit(history), FanCalibration.from_errors(errors))


def rolling_origin(
    forecaster: Forecaster, state: ModelState, newer: Series, *, horizon: timedelta
) -> NDArray[np.float64]:
    """Return what a model foretold wrongly, from an origin every 5 min or every step, whichever is longer.

    Args:
        forecaster: the model.
        state: fitted on what lies before `newer`, which follows it without a break.
        newer: data to walk over, on the model's grid.
        horizon: how far the fan reaches; its first step is measured in any case.

    Returns:
        (actual - median) / deviation, shape (origins, knots), as `FanCalibration.from_errors` takes it: NaN past the
        horizon, where the value is not known, and where the model states no deviation.
    """
    reach = max(1, min(KNOTS[-1], horizon // newer.step))
    knots = np.array([knot for knot in KNOTS if knot <= reach])
    stride = max(1, _SPACING // newer.step)
    ahead = np.concatenate((newer.values, np.full(reach, np.nan)))
    errors: list[NDArray[np.float64]] = []
    for row, value in enumerate(newer.values.tolist()):
        state = forecaster.update(state, value)
        if row % stride or not np.isfinite(value):
            continue
        median, top = forecaster.forecast(state, reach, _LEVELS).quantiles[:, knots - 1]
        errors.append(_errors(ahead[row + knots], median, (top - median) / _NORMAL_TOP))
    return np.array(errors, dtype=np.float64).reshape(len(errors), len(KNOTS))


def _errors(
    actual: NDArray[np.float64], median: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the errors at all knots, in units of the deviation; given are the knots within the horizon."""
    errors = np.full(len(KNOTS), np.nan)
    np.divide(actual - median, deviation, out=errors[: len(actual)], where=deviation > 0.0)
    return errors


def _fit_older(forecaster: Forecaster, history: Series) -> tuple[Series, ModelState]:
    rows = len(history) - min(len(history) // 2, _SCORED // history.step)
    older = _first(history, rows)
    try:
        return older, forecaster.fit(older)
    except TooLittleHistory as short:
        need = short.need * 5 / 4  # a fifth of the history to measure on is the least
        if history.present * history.step < need:
            raise TooLittleHistory(have=history.present * history.step, need=need) from short
        enough = int(np.searchsorted(np.cumsum(np.isfinite(history.values)), -(-short.need // history.step))) + 1
        older = _first(history, max(rows, enough))
        return older, forecaster.fit(older)


def _first(history: Series, rows: int) -> Series:
    return Series(history.start, history.step, history.values[:rows])


def _rest(history: Series, rows: int) -> Series:
    return Series(history.start + rows * history.step, history.step, history.values[rows:])
