"""Made-up loads of known structure, the same on every run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.series import Series

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)


def autoregressive(rows: int, *, phi: float = 0.8, deviation: float = 3.0, seed: int = 1) -> NDArray[np.float64]:
    """Return x(t) = phi * x(t - 1) + normal noise, shape (rows,)."""
    shocks = np.random.default_rng(seed).normal(scale=deviation, size=rows)
    values = np.zeros(rows)
    for row in range(1, rows):
        values[row] = phi * values[row - 1] + shocks[row]
    return values


def daily(days: float, *, step: timedelta = FIVE_MINUTES, noise: float = 3.0, weekend: float = 1.0) -> Series:
    """Return 100 give or take 40 over the day, plus noise; Saturdays and Sundays times `weekend`."""
    rows = round(timedelta(days=days) / step)
    phase = np.arange(rows) * (step / timedelta(days=1))
    shape = 100.0 + 40.0 * np.sin(2 * np.pi * phase)
    level = np.where(phase // 1 % 7 < 5, 1.0, weekend)
    return series(level * shape + autoregressive(rows, deviation=noise), step=step)


def series(values: NDArray[np.float64] | list[float], *, step: timedelta = FIVE_MINUTES) -> Series:
    """Return values on a grid that starts on a Monday."""
    return Series(MONDAY, step, np.asarray(values, dtype=np.float64))
