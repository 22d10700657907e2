"""Holt-Winters: additive, damped trend, a season of one day; fitted by statsmodels, carried on by numpy alone.

Error-correction form and forecast variances after Hyndman, Koehler, Ord & Snyder, Forecasting with Exponential
Smoothing (2008), table 2.1 and table 6.1 (class 1), model ETS(A,Ad,A).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.forecast import Forecast
from forecasters.forecaster import ModelState, fitted_state, require_history, up_to_last_value
from forecasters.seasons import Season, find_seasons
from forecasters.series import Series
from forecasters.spread import check_request, moving_average_deviation, normal_forecast

_DAY = timedelta(days=1)
_LONGEST_SEASON = 288  # steps; the cost of a fit grows with their square
_FEWEST = timedelta(days=2)  # two seasons, from which the first one's shape is taken
_ROWS = 2016  # a week of 5 min
_ITERATIONS = 50
_DIGITS = 9  # values are rounded to it after scaling, so that a change of unit leads the optimiser along the same path


@dataclass(frozen=True, slots=True)
class _Smoothing:
    level: float  # alpha
    trend: float  # beta, as the error acts on the trend: statsmodels' smoothing_trend times alpha
    season: float  # gamma
    damping: float  # phi


class HoltWinters:
    """Level, fading trend and a daily season, each corrected by a share of the newest error."""

    name = "holt-winters"

    def grid(self, step: timedelta) -> timedelta:
        """Return the least multiple of the step that is 5 min or more and, where there is one, divides a day."""
        coarsest = -(-_DAY // step // _LONGEST_SEASON)
        candidates = range(max(1, coarsest), 2 * max(1, coarsest) + 1)
        fitting = (count for count in candidates if not _DAY % (count * step))
        return next(fitting, max(1, coarsest)) * step

    def fit(self, history: Series) -> ModelState:
        """Estimate on at most the last 2,016 rows, gaps bridged by straight lines; no season where none is found.

        Raises:
            TooLittleHistory: less than two days of values.
        """
        recent = history.last(_ROWS)
        require_history(recent, _FEWEST)
        known = up_to_last_value(recent)
        season = round(_DAY / known.step) if Season.DAY in find_seasons(known) else 0
        if len(known) < 2 * season:
            season = 0
        arrays = _estimate(known.filled(), season)
        state = ModelState(self.name, history.end, history.step, 0.0, arrays)
        squares = []
        for value in known.values.tolist():
            if np.isfinite(value):
                squares.append((value - _expected(state.arrays, state.gaps)) ** 2)
            state = self.update(state, value)
        arrays = {**state.arrays, "variance": np.array([float(np.mean(squares))])}
        return fitted_state(self.name, history, arrays)

    def update(self, state: ModelState, value: float) -> ModelState:
        """Take in the next grid point."""
        if not np.isfinite(value):
            return state.after_gap()
        smoothing = _smoothing(state.arrays)
        level, trend = state.arrays["level"].tolist()
        fade = smoothing.damping**state.gaps
        level += trend * _sum_of_powers(smoothing.damping, state.gaps)
        trend *= fade * smoothing.damping
        season = np.roll(state.arrays["season"], -state.gaps - 1)
        error = value - level - trend - season[-1]
        season[-1] += smoothing.season * error
        found = np.array([level + trend + smoothing.level * error, trend + smoothing.trend * error])
        return state.after(value, {**state.arrays, "level": found, "season": season})

    def forecast(self, state: ModelState, steps: int, levels: tuple[float, ...]) -> Forecast:
        """Return level, fading trend and season, with the class-1 variance."""
        check_request(steps, levels)
        smoothing = _smoothing(state.arrays)
        level, trend = state.arrays["level"].tolist()
        season = state.arrays["season"]
        ahead = np.arange(state.gaps + steps)
        fading = np.cumsum(smoothing.damping ** (ahead + 1.0))
        median = level + trend * fading + season[ahead % len(season)]
        deviation = moving_average_deviation(
            float(state.arrays["variance"][0]), _error_weights(smoothing, len(season), fading).tolist()
        )
        return normal_forecast(state, median, deviation, levels)


def _estimate(values: NDArray[np.float64], season: int) -> dict[str, NDArray[np.float64]]:
    """Return smoothing parameters and the state before the first value; a season of length 1 and 0 is none."""
    scale = float(np.abs(values).mean())
    if scale == 0.0 or np.ptp(values) <= 1e-9 * scale:
        return _arrays(_Smoothing(0.0, 0.0, 0.0, 0.0), float(values[0]), 0.0, np.zeros(1))
    # imported here because only the fit pool may pay for it: 200 MiB and two seconds
    from statsmodels.tools.sm_exceptions import ConvergenceWarning  # noqa: PLC0415
    from statsmodels.tsa.holtwinters import ExponentialSmoothing  # noqa: PLC0415

    model = ExponentialSmoothing(
        np.round(values / scale, _DIGITS),
        trend="add",
        damped_trend=True,
        seasonal="add" if season else None,
        seasonal_periods=season or None,
        initialization_method="heuristic",  # estimating 288 seasonal values takes 15,000 evaluations
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # iterations are bounded on purpose
        found = model.fit(minimize_kwargs={"options": {"maxiter": _ITERATIONS}}).params
    alpha = float(found["smoothing_level"])
    smoothing = _Smoothing(
        level=alpha,
        trend=alpha * float(found["smoothing_trend"]),
        season=float(found["smoothing_seasonal"]) if season else 0.0,
        damping=float(found["damping_trend"]),
    )
    first = np.asarray(found["initial_seasons"], dtype=np.float64) * scale if season else np.zeros(1)
    return _arrays(smoothing, float(found["initial_level"]) * scale, float(found["initial_trend"]) * scale, first)


def _arrays(
    smoothing: _Smoothing, level: float, trend: float, season: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    return {
        "smoothing": np.array([smoothing.level, smoothing.trend, smoothing.season, smoothing.damping]),
        "level": np.array([level, trend]),
        "season": season,  # of the next steps, oldest observation first
    }


def _smoothing(arrays: Mapping[str, NDArray[np.float64]]) -> _Smoothing:
    return _Smoothing(*arrays["smoothing"].tolist())


def _expected(arrays: Mapping[str, NDArray[np.float64]], gaps: int) -> float:
    """Return what is expected one step after a gap of so many."""
    level, trend = arrays["level"].tolist()
    season = arrays["season"]
    damping = _smoothing(arrays).damping
    return float(level + trend * _sum_of_powers(damping, gaps + 1) + season[gaps % len(season)])


def _sum_of_powers(base: float, count: int) -> float:
    """Return base + base^2 + … + base^count."""
    return count if base == 1.0 else base * (1.0 - base**count) / (1.0 - base)


def _error_weights(smoothing: _Smoothing, season: int, fading: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1, c_1, c_2, … of table 6.1: what an error now adds to the forecast so many steps on."""
    steps = np.arange(1, len(fading))
    returns = smoothing.season * (steps % season == 0)
    weights: NDArray[np.float64] = np.concatenate(([1.0], smoothing.level + smoothing.trend * fading[:-1] + returns))
    return weights
