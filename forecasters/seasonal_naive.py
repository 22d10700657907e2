"""Seasonal naive: the value one day, or one week, earlier."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.forecast import Forecast
from forecasters.forecaster import ModelState, fitted_state, require_history, up_to_last_value
from forecasters.seasons import Season, find_seasons
from forecasters.series import Series
from forecasters.spread import check_request, normal_forecast

_FEWEST_DAYS = timedelta(days=2)


class SeasonalNaive:
    """Repeats the last season: a week where the history shows one, else a day."""

    name = "seasonal-naive"

    def grid(self, step: timedelta) -> timedelta:
        """Return the step as it is."""
        return step

    def fit(self, history: Series) -> ModelState:
        """Keep the last season and the variance of what it missed.

        Raises:
            TooLittleHistory: less than two days of values.
        """
        require_history(history, _FEWEST_DAYS)
        season = Season.WEEK if Season.WEEK in find_seasons(history) else Season.DAY
        length = max(1, round(season.value / history.step))
        known = up_to_last_value(history)
        errors = known.values[length:] - known.values[:-length]
        seen = errors[np.isfinite(errors)]
        variance = float(np.mean(np.square(seen))) if seen.size else 0.0
        return fitted_state(self.name, history, _arrays(_last_season(known, length), variance))

    def update(self, state: ModelState, value: float) -> ModelState:
        """Take in the next grid point."""
        if not np.isfinite(value):
            return state.after_gap()
        season, variance = state.arrays["season"], float(state.arrays["variance"][0])
        turned = np.roll(season, -state.gaps - 1)  # what was forecast for the gap stands for it
        variance += ((value - turned[-1]) ** 2 - variance) / len(season)
        turned[-1] = value
        return state.after(value, _arrays(turned, variance))

    def forecast(self, state: ModelState, steps: int, levels: tuple[float, ...]) -> Forecast:
        """Return the last season again and again, less sure each time."""
        check_request(steps, levels)
        season = state.arrays["season"]
        ahead = np.arange(state.gaps + steps)
        variance = state.arrays["variance"][0] * (ahead // len(season) + 1)
        return normal_forecast(state, season[ahead % len(season)], np.sqrt(variance), levels)


def _arrays(season: NDArray[np.float64], variance: float) -> dict[str, NDArray[np.float64]]:
    return {"season": season, "variance": np.array([variance], dtype=np.float64)}


def _last_season(known: Series, length: int) -> NDArray[np.float64]:
    """Return the newest value at each point of the season, points never seen drawn between their neighbours."""
    cycles = -(-len(known) // length)
    padded = np.full(cycles * length, np.nan)
    padded[len(padded) - len(known) :] = known.values
    table = padded.reshape(cycles, length)
    newest = cycles - 1 - np.argmax(np.isfinite(table)[::-1], axis=0)
    season = table[newest, np.arange(length)]
    return Series(known.start, known.step, season).filled()
