"""From a median path and a standard deviation to a forecast: the one place that knows the models' normal spread.

The spread is only a first guess; what is published is widened or narrowed by `forecasters.fan_calibration`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from forecasters.forecast import Forecast
from forecasters.forecaster import ModelState

_STANDARD = NormalDist()


@lru_cache(maxsize=256)
def normal_scores(levels: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the standard normal quantiles of some levels, shape (levels,); not to be written to."""
    scores = np.array([_STANDARD.inv_cdf(level) for level in levels])
    scores.flags.writeable = False
    return scores


def check_request(steps: int, levels: tuple[float, ...]) -> None:
    """Check what a forecast is asked for.

    Raises:
        ValueError: steps is below 1, or the levels do not ascend in (0, 1) or lack 0.5.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    ascends = all(low < high for low, high in pairwise(levels))
    if not ascends or 0.5 not in levels or not 0 < levels[0] <= levels[-1] < 1:
        raise ValueError(f"levels must ascend in (0, 1) and hold 0.5, got {levels}")


def normal_forecast(
    state: ModelState, median: NDArray[np.float64], deviation: NDArray[np.float64], levels: tuple[float, ...]
) -> Forecast:
    """Return a forecast with normal quantiles, never below 0.

    Args:
        state: of the model that forecasts.
        median: the path from the first step after the last observation on, shape (gaps + steps,), demand units.
            The steps that the state's gap has already passed are left out of the forecast.
        deviation: standard deviation at each of them, demand units.
        levels: as `Forecaster.forecast` takes them.
    """
    path, spread = median[state.gaps :], deviation[state.gaps :]
    quantiles = np.maximum(path + normal_scores(levels)[:, np.newaxis] * spread, 0.0)
    return Forecast(state.model, state.origin, state.step, state.value, levels, quantiles)


def random_walk_deviation(variance: float, steps: int) -> NDArray[np.float64]:
    """Return the standard deviation of a random walk after 1 to `steps` steps, given that of one step squared."""
    deviation: NDArray[np.float64] = np.sqrt(variance * np.arange(1.0, steps + 1))
    return deviation


def moving_average_deviation(variance: float, weights: Sequence[float]) -> NDArray[np.float64]:
    """Return the standard deviation h steps ahead of a process whose innovations act on with the given weights.

    Args:
        variance: of the one-step innovations.
        weights: psi_0 = 1, psi_1, … (Brockwell & Davis, Time Series: Theory and Methods, eq. 5.3.24), shape (steps,).
    """
    deviation: NDArray[np.float64] = np.sqrt(variance * np.cumsum(np.square(weights)))
    return deviation
