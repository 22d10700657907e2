"""How far off a forecast was: pinball loss, MASE, coverage. What cannot be told is None, never a good score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def mean_pinball_loss(actual: NDArray[np.float64], quantile: NDArray[np.float64], level: float) -> float | None:
    """Return the loss that is least when `quantile` is exceeded with probability 1 - `level`; None where none is known.

    Koenker & Bassett, Regression Quantiles, Econometrica 46 (1978). The mean over the known pairs, demand units.
    """
    misses = _known(actual - quantile)
    return float(np.maximum(level * misses, (level - 1.0) * misses).mean()) if misses.size else None


def mean_absolute_scaled_error(
    actual: NDArray[np.float64], median: NDArray[np.float64], history: NDArray[np.float64], season: int
) -> float | None:
    """Return MASE: the mean absolute error over that of the seasonal naive method within the history.

    Hyndman & Koehler, Another look at measures of forecast accuracy, Int. J. Forecasting 22 (2006), eq. 3.

    Args:
        actual: shape (n,), demand units, NaN where unknown.
        median: what was forecast of each, shape (n,).
        history: what the method had learned from, shape (m,), NaN at gaps.
        season: season length in steps; 1 scales by the last value.

    Returns:
        None where nothing was forecast, or the naive method made no error.
    """
    errors = _known(actual - median)
    naive = _known(history[season:] - history[:-season])
    if not errors.size or not naive.size or not (scale := float(np.abs(naive).mean())) > 0.0:
        return None
    return float(np.abs(errors).mean()) / scale


def coverage(actual: NDArray[np.float64], quantile: NDArray[np.float64]) -> float | None:
    """Return the share of known values at or below their forecast quantile; None where none is known."""
    known = np.isfinite(actual) & np.isfinite(quantile)
    return float((actual <= quantile)[known].mean()) if known.any() else None


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known: NDArray[np.float64] = values[np.isfinite(values)]
    return known
