"""Rolling-origin evaluation: walks a fitted model over data it has not seen and keeps what it got wrong.

Each origin sees only what came before it; parameters stay as fitted, the state takes in every sample, as in service
between two fits (Tashman, Out-of-sample tests of forecasting accuracy, Int. J. Forecasting 16 (2000)).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.fan_calibration import KNOTS, FanCalibration
from forecasters.forecaster import Forecaster, ModelState, TooLittleHistory
from forecasters.losses import mean_absolute_scaled_error, mean_pinball_loss
from forecasters.peak_calibration import REPORTED, SPACING, PeakCalibration, choose_exponent
from forecasters.series import Series
from forecasters.spread import normal_scores

_LEVELS = (0.5, 0.9)
_NORMAL_TOP = float(normal_scores(_LEVELS)[-1])
_SCORED = timedelta(days=7)  # the newest part, on which errors are measured
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Losses:
    """How a model did on data that its parameters had not seen; what could not be measured is left out or None."""

    origins: int  # forecasts that were scored
    mase: float | None  # of the median at the end of the look-ahead
    pinball: Mapping[float, float]  # of the calibrated peak by level, demand units
    coverage: Mapping[float, float]  # of the calibrated peak by level
    decision: float | None = None  # pinball loss of the calibrated peak at the level that decides, demand units
    reactive: float | None = None  # the same of the value at the origin, which is what reactive scaling goes by


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a rolling-origin evaluation gave."""

    state: ModelState  # after the last value
    peak: PeakCalibration  # of what it foretold of the largest demand within the look-ahead
    fan: FanCalibration
    losses: Losses


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Demand as decisions see it. All models are measured on it, however coarse their own grids are."""

    values: Series
    peaks: Series  # the largest value within each step, on the same grid


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """Forecasts of a walk, one row per origin."""

    state: ModelState
    origins: NDArray[np.int64]  # rows of the origins, shape (n,)
    rises: NDArray[np.float64]  # of the median within the look-ahead, not below 0, shape (n,)
    ends: NDArray[np.float64]  # medians at the end of the look-ahead, shape (n,)
    medians: NDArray[np.float64]  # at the knots, shape (n, knots); NaN past the horizon
    deviations: NDArray[np.float64]  # likewise


def rolling_origin(
    forecaster: Forecaster,
    state: ModelState,
    newer: Series,
    *,
    look_ahead: timedelta,
    horizon: timedelta,
    older: Series | None = None,
    observed: Observed | None = None,
    level: float = 0.99,
) -> Evaluation:
    """Return what a model foretold wrongly, from an origin every 5 min or every step, whichever is longer.

    Args:
        forecaster: the model.
        state: fitted on what lies before `newer`, which follows it without a break.
        newer: data to walk over, on the model's grid.
        look_ahead: over which the largest demand is predicted.
        horizon: how far the fan reaches.
        older: what the state was fitted on; MASE is scaled by it and is None without.
        observed: what peaks are told from, on a grid as fine as there is; without it `newer` itself.
        level: of the quantile that decides.
    """
    ahead = max(1, -(-look_ahead // newer.step))
    reach = max(ahead, min(KNOTS[-1], horizon // newer.step))
    walk = _walk(forecaster, state, newer.values, look_ahead=look_ahead / newer.step, reach=reach)
    demand, actual = _seen_from(walk.origins, newer, observed or Observed(newer, newer), look_ahead)
    peak = _calibrate_peak(actual, demand + walk.rises, walk, newer, level)
    fan = FanCalibration.from_errors(_fan_errors(walk, newer.values))
    ends = _ahead(newer.values, walk.origins, ahead)
    return Evaluation(
        state=walk.state,
        peak=peak,
        fan=fan,
        losses=Losses(
            origins=peak.count,
            mase=None if older is None else _mase(ends, walk.ends, older),
            pinball={level: loss for level in REPORTED if (loss := peak.pinball(level)) is not None},
            coverage={level: share for level in REPORTED if (share := peak.coverage(level)) is not None},
            decision=peak.pinball(level),
            reactive=mean_pinball_loss(actual, demand, level),
        ),
    )


def fit_and_evaluate(
    forecaster: Forecaster,
    history: Series,
    *,
    look_ahead: timedelta,
    horizon: timedelta,
    observed: Observed | None = None,
    level: float = 0.99,
) -> Evaluation:
    """Fit on the older part, walk over the newer, then fit on all of it.

    The newer part is the last week, or the last half of a shorter history; where that leaves the model too little, it
    is what the model can do without. The errors thus belong to parameters a little older than those that serve, as
    they will be in service shortly before the next fit.

    Raises:
        TooLittleHistory: the history is too short to be fitted on and measured on.
    """
    older, state = _fit_older(forecaster, history)
    newer = _rest(history, len(older))
    scored = rolling_origin(
        forecaster,
        state,
        newer,
        look_ahead=look_ahead,
        horizon=horizon,
        older=older,
        observed=observed,
        level=level,
    )
    return replace(scored, state=forecaster.fit(history))


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


def _walk(
    forecaster: Forecaster, state: ModelState, values: NDArray[np.float64], *, look_ahead: float, reach: int
) -> _Walk:
    """Walk over the values; `look_ahead` is in steps."""
    ahead = max(1, math.ceil(look_ahead))
    stride = max(1, SPACING // state.step)
    knots = [knot - 1 for knot in KNOTS if knot <= reach]
    origins: list[int] = []
    rises: list[float] = []
    ends: list[float] = []
    medians = np.full((len(values) // stride + 1, len(KNOTS)), np.nan)
    deviations = np.full_like(medians, np.nan)
    for row, value in enumerate(values.tolist()):
        state = forecaster.update(state, value)
        if row % stride or not np.isfinite(value):
            continue
        forecast = forecaster.forecast(state, reach, _LEVELS)
        median, top = forecast.quantiles
        medians[len(origins), : len(knots)] = median[knots]
        deviations[len(origins), : len(knots)] = (top[knots] - median[knots]) / _NORMAL_TOP
        rises.append(_rise(forecast.value_at_origin, median, look_ahead))
        ends.append(float(median[ahead - 1]))
        origins.append(row)
    count = len(origins)
    return _Walk(
        state,
        np.array(origins, dtype=np.int64),
        np.array(rises, dtype=np.float64),
        np.array(ends, dtype=np.float64),
        medians[:count],
        deviations[:count],
    )


def _rise(origin: float, median: NDArray[np.float64], look_ahead: float) -> float:
    """Return how far a path rises above its origin within the look-ahead, its end interpolated."""
    whole = int(look_ahead)
    last = median[whole - 1] if whole else origin
    end = last + (look_ahead - whole) * (median[whole] - last) if whole < len(median) else last
    return max(0.0, float(max(end, median[:whole].max(initial=end))) - origin)


def _seen_from(
    origins: NDArray[np.int64], newer: Series, observed: Observed, look_ahead: timedelta
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the demand at each origin and the largest within the look-ahead after it; NaN where unknown."""
    values = observed.values
    rows = (newer.start - values.start) // values.step + origins * (newer.step // values.step)
    is_inside = (rows >= 0) & (rows < len(values))
    rows = np.where(is_inside, rows, 0)
    largest = _largest_ahead(observed.peaks.values, max(1, -(-look_ahead // values.step)))
    return np.where(is_inside, values.values[rows], np.nan), np.where(is_inside, largest[rows], np.nan)


def _calibrate_peak(
    actual: NDArray[np.float64], peaks: NDArray[np.float64], walk: _Walk, newer: Series, level: float
) -> PeakCalibration:
    """Return a calibration that has seen the errors in the order in which they came to be known."""
    known = np.isfinite(actual) & np.isfinite(peaks)
    errors, predicted = actual[known] - peaks[known], peaks[known]
    typical = float(predicted.mean()) if predicted.size else 0.0
    calibration = PeakCalibration(exponent=choose_exponent(errors, predicted), typical=typical, level=level)
    for row, error, peak in zip(walk.origins[known].tolist(), errors.tolist(), predicted.tolist(), strict=True):
        calibration.add(error, predicted=peak, at=newer.start + row * newer.step)
    return calibration


def _largest_ahead(values: NDArray[np.float64], ahead: int) -> NDArray[np.float64]:
    """Return the largest of the next `ahead` values at each row; NaN where under half are known or the end is past."""
    largest = np.full(len(values), np.nan)
    if len(values) <= ahead:
        return largest
    windows = np.lib.stride_tricks.sliding_window_view(values[1:], ahead)
    known = np.isfinite(windows)
    best = np.where(known, windows, -np.inf).max(axis=1)
    largest[: len(windows)] = np.where(2 * known.sum(axis=1) >= ahead, best, np.nan)
    return largest


def _fan_errors(walk: _Walk, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (actual - median) / deviation at the knots; NaN where the model states no deviation."""
    actual = np.column_stack([_ahead(values, walk.origins, knot) for knot in KNOTS])
    errors = np.full(actual.shape, np.nan)
    np.divide(actual - walk.medians, walk.deviations, out=errors, where=walk.deviations > 0.0)
    return errors


def _ahead(values: NDArray[np.float64], origins: NDArray[np.int64], steps: int) -> NDArray[np.float64]:
    """Return the values so many steps after some rows, NaN past the end."""
    padded = np.concatenate((values, np.full(steps, np.nan)))
    ahead: NDArray[np.float64] = padded[origins + steps]
    return ahead


def _mase(actual: NDArray[np.float64], median: NDArray[np.float64], older: Series) -> float | None:
    day = round(_DAY / older.step)
    season = day if 2 * day <= len(older) else 1
    return mean_absolute_scaled_error(actual, median, older.values, season)
