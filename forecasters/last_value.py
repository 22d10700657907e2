"""Persistence: the last value stays. The reference that every other model has to beat."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.forecast import Forecast
from forecasters.forecaster import ModelState, fitted_state, require_history
from forecasters.series import Series
from forecasters.spread import check_request, normal_forecast, random_walk_deviation

_FEWEST_ROWS = 12  # below it a variance says nothing
_MEMORY = 720  # steps over which the variance of a step is averaged once that many have been seen


class LastValue:
    """A random walk without drift; its spread grows with the square root of time."""

    name = "last-value"

    def grid(self, step: timedelta) -> timedelta:
        """Return the step as it is."""
        return step

    def fit(self, history: Series) -> ModelState:
        """Learn the variance of one step.

        Raises:
            TooLittleHistory: fewer than 12 values, or no two of them in a row.
        """
        require_history(history, _FEWEST_ROWS * history.step)
        steps = np.diff(history.values)
        known = steps[np.isfinite(steps)][-_MEMORY:]
        variance = float(np.mean(np.square(known))) if known.size else 0.0
        return fitted_state(self.name, history, _arrays(variance, len(known)))

    def update(self, state: ModelState, value: float) -> ModelState:
        """Take in the next grid point."""
        if not np.isfinite(value):
            return state.after_gap()
        variance, seen = state.arrays["variance"]
        square = (value - state.value) ** 2 / (state.gaps + 1)  # a jump over a gap is that many steps
        seen = min(seen + 1, _MEMORY)
        return state.after(value, _arrays(variance + (square - variance) / seen, seen))

    def forecast(self, state: ModelState, steps: int, levels: tuple[float, ...]) -> Forecast:
        """Return the last value at every step."""
        check_request(steps, levels)
        reach = state.gaps + steps
        deviation = random_walk_deviation(float(state.arrays["variance"][0]), reach)
        return normal_forecast(state, np.full(reach, state.value), deviation, levels)


def _arrays(variance: float, seen: float) -> dict[str, NDArray[np.float64]]:
    return {"variance": np.array([variance, seen], dtype=np.float64)}
