"""CPU of the forecasters: a refit, an update, a forecast, and a fit with its evaluation as the pool runs it.

One thread, medians. Where there is no limit the figure is only stated.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.figures import Figure
from forecasters.backtest import fit_and_evaluate
from forecasters.forecaster import Forecaster
from forecasters.series import Series
from forecasters.state import encode_state
from forecasters.table import FORECASTERS

LEVELS = (0.1, 0.5, 0.9)
REFIT_LIMIT_MS = 2.0
UPDATE_LIMIT_MS = 0.2
WALK_LIMIT_S = {"last-value": 1.5, "seasonal-naive": 1.5, "harmonic": 1.5, "holt-winters": 4.0, "arima": 4.0}
SLOW = {"holt-winters", "arima"}


def measure() -> list[Figure]:
    week, fortnight = load(2016, timedelta(minutes=5)), load(20_000, timedelta(minutes=1))
    figures: list[Figure] = []
    for forecaster in FORECASTERS.values():
        figures += of_model(forecaster, week, limited=True)
        figures += of_model(forecaster, fortnight, limited=False)
        figures.append(of_evaluation(forecaster, fortnight))
    return figures


def of_model(forecaster: Forecaster, kept_history: Series, *, limited: bool) -> list[Figure]:
    """Return refit, update and a 60-step forecast; only the harmonic model on 2,016 points has limits."""
    limited = limited and forecaster.name == "harmonic"
    history = kept_history.coarsened(forecaster.grid(kept_history.step))
    state = forecaster.fit(history)  # imports what the model imports
    title = f"{forecaster.name}, {len(history)} points"
    refit = cpu_ms(lambda: forecaster.fit(history), repeats=3 if forecaster.name in SLOW else 15)
    update = cpu_ms(lambda: forecaster.update(state, 101.0), repeats=15, inner=100)
    forecast = cpu_ms(lambda: forecaster.forecast(state, 60, LEVELS), repeats=15, inner=50)
    return [
        Figure(f"{title}: refit", refit, "ms CPU", REFIT_LIMIT_MS if limited else None),
        Figure(f"{title}: update", update, "ms CPU", UPDATE_LIMIT_MS if limited else None),
        Figure(f"{title}: forecast of 60 steps", forecast, "ms CPU"),
        Figure(f"{title}: state", len(encode_state(state)) / 1024, "KiB"),
    ]


def of_evaluation(forecaster: Forecaster, kept_history: Series) -> Figure:
    """Return what the pool spends on a fit with its walk over seven days."""
    history = kept_history.coarsened(forecaster.grid(kept_history.step))
    spent = cpu_ms(lambda: fit_and_evaluate(forecaster, history, horizon=timedelta(hours=1)), repeats=1)
    name = f"{forecaster.name}: fit, walk over 7 d, fit again"
    return Figure(name, spent / 1000, "s CPU", WALK_LIMIT_S[forecaster.name])


def cpu_ms(call: Callable[[], object], *, repeats: int, inner: int = 1) -> float:
    """Return the median CPU milliseconds of one call."""
    spent = []
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(inner):
            call()
        spent.append((time.process_time() - began) / inner)
    return 1000 * statistics.median(spent)


def load(rows: int, step: timedelta) -> Series:
    """Return a daily shape with quieter weekends and AR(1) noise."""
    random = np.random.default_rng(1)
    noise = np.zeros(rows)
    for row in range(1, rows):
        noise[row] = 0.8 * noise[row - 1] + random.normal(scale=3.0)
    days = np.arange(rows) * (step / timedelta(days=1))
    level = np.where(days // 1 % 7 < 5, 1.0, 0.7)
    return Series(datetime(2026, 1, 5, tzinfo=UTC), step, level * (100 + 40 * np.sin(2 * np.pi * days)) + noise)
