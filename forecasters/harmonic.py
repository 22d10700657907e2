"""Harmonic regression on the seasons found, with autoregressive errors: numpy only, cheap enough to refit at will.

Dynamic harmonic regression after Hyndman & Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), section
10.5: sine and cosine terms carry the seasons, an AR process what is left. Frequencies are whole multiples of one per
week, so a term repeats exactly from week to week.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.autoregression import AutoRegression, fit_autoregression, impulse_response
from forecasters.forecast import Forecast
from forecasters.forecaster import ModelState, fitted_state, require_history, up_to_last_value
from forecasters.seasons import Season, find_seasons
from forecasters.series import EPOCH, Series
from forecasters.spread import check_request, moving_average_deviation, normal_forecast

_FEWEST_ROWS = 60
_WEEK_SECONDS = 7 * 86_400
_DAY_TERMS = tuple(7 * k for k in range(1, 13))  # down to two hours, in cycles per week
_WEEK_TERMS = (1, 2, 3, 4, 5, 6, 8, 9, 12, 13, 15, 16, 20, 22)  # the week itself, and days that differ by weekday
_PENALTY = 1e-3  # ridge per row and squared harmonic number: fast terms need more evidence
_FEW_STEPS = 16  # up to which trigonometry of each term is cheaper than powers of one
_HALF_LIFE_SECONDS = 7 * 86_400.0  # of a row's weight, so that a level that moved is not averaged away


class Harmonic:
    """Fourier ridge on day and week, AR errors of order 1 to 4."""

    name = "harmonic"

    def grid(self, step: timedelta) -> timedelta:
        """Return the step as it is."""
        return step

    def fit(self, history: Series) -> ModelState:
        """Learn seasons, their shape, and how departures from it fade.

        Raises:
            TooLittleHistory: fewer than 60 values.
        """
        require_history(history, _FEWEST_ROWS * history.step)
        known = up_to_last_value(history)
        frequencies = _frequencies(find_seasons(known), known.step)
        coefficients, residuals = _ridge(known, frequencies)
        errors = fit_autoregression(residuals)
        arrays = {
            "frequencies": np.array(frequencies, dtype=np.float64),
            "coefficients": coefficients,
            "phi": np.array(errors.coefficients),
            "variance": np.array([errors.variance]),
            "residuals": _newest(residuals, len(errors.coefficients)),
        }
        return fitted_state(self.name, history, arrays)

    def update(self, state: ModelState, value: float) -> ModelState:
        """Take in the next grid point."""
        if not np.isfinite(value):
            return state.after_gap()
        phi = state.arrays["phi"].tolist()
        residuals = state.arrays["residuals"].tolist()
        faded = _faded(phi, residuals, state.gaps)
        recent = [value - float(_seasonal(state, first=state.gaps + 1, steps=1)[0]), *faded[::-1], *residuals]
        arrays = {**state.arrays, "residuals": np.array(recent[: len(phi)], dtype=np.float64)}
        return state.after(value, arrays)

    def forecast(self, state: ModelState, steps: int, levels: tuple[float, ...]) -> Forecast:
        """Return the seasonal shape plus what is left of the newest departures from it."""
        check_request(steps, levels)
        reach = state.gaps + steps
        phi = state.arrays["phi"].tolist()
        median = _seasonal(state, first=1, steps=reach)
        median += np.array(_faded(phi, state.arrays["residuals"].tolist(), reach))
        weights = impulse_response(phi, reach)
        deviation = moving_average_deviation(float(state.arrays["variance"][0]), weights)
        return normal_forecast(state, median, deviation, levels)


def _frequencies(seasons: frozenset[Season], step: timedelta) -> tuple[int, ...]:
    """Return the terms to fit in cycles per week, those left out that the step is too coarse to show."""
    terms = (_DAY_TERMS if Season.DAY in seasons else ()) + (_WEEK_TERMS if Season.WEEK in seasons else ())
    fastest = _WEEK_SECONDS / step.total_seconds() / 2  # Nyquist
    return tuple(sorted(term for term in set(terms) if term < fastest))


def _ridge(known: Series, frequencies: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coefficients and the residuals of all rows, NaN at gaps."""
    seconds = known.seconds()
    design = _design(seconds, frequencies)
    present = np.isfinite(known.values)
    age = seconds[-1] - seconds
    weights = np.where(present, np.exp2(-age / _HALF_LIFE_SECONDS), 0.0)
    values = np.where(present, known.values, 0.0)
    weighted = design * weights[:, np.newaxis]
    gram = weighted.T @ design
    number = np.concatenate(([0.0], np.repeat(np.array(frequencies) / 7.0, 2)))
    gram[np.diag_indices_from(gram)] += _PENALTY * weights.sum() * np.square(number)
    # the rank of a season with rows missing may fall short; lstsq then takes the smallest coefficients
    coefficients = np.asarray(np.linalg.lstsq(gram, weighted.T @ values, rcond=None)[0], dtype=np.float64)
    return coefficients, known.values - design @ coefficients


def _design(seconds: NDArray[np.float64], frequencies: Sequence[int]) -> NDArray[np.float64]:
    """Return a column of ones and a cosine and a sine per frequency, shape (n, 1 + 2 * frequencies)."""
    design = np.ones((len(seconds), 1 + 2 * len(frequencies)))
    if not frequencies:
        return design
    turn = np.exp(2j * np.pi * (seconds % _WEEK_SECONDS) / _WEEK_SECONDS)
    powers: dict[int, NDArray[np.complex128]] = {0: np.ones_like(turn), 1: turn}
    for column, frequency in enumerate(frequencies):
        wave = _power(powers, frequency)
        design[:, 1 + 2 * column] = wave.real
        design[:, 2 + 2 * column] = wave.imag
    return design


def _power(powers: dict[int, NDArray[np.complex128]], exponent: int) -> NDArray[np.complex128]:
    """Return a power of `powers[1]` by few products of earlier ones: trigonometry of each term costs ten times that."""
    if exponent not in powers:
        largest = max(known for known in powers if known <= exponent)
        powers[exponent] = powers[largest] * _power(powers, exponent - largest)
    return powers[exponent]


def _seasonal(state: ModelState, *, first: int, steps: int) -> NDArray[np.float64]:
    """Return the seasonal shape from the `first` step after the last observation on, shape (steps,)."""
    observed = (state.origin - state.gaps * state.step - EPOCH).total_seconds()
    seconds = observed + state.step.total_seconds() * np.arange(first, first + steps, dtype=np.float64)
    frequencies, coefficients = state.arrays["frequencies"], state.arrays["coefficients"]
    shape: NDArray[np.float64]
    if steps > _FEW_STEPS:
        shape = _design(seconds, [int(each) for each in frequencies]) @ coefficients
    else:
        angles = np.multiply.outer(seconds % _WEEK_SECONDS * (2 * np.pi / _WEEK_SECONDS), frequencies)
        shape = coefficients[0] + np.cos(angles) @ coefficients[1::2] + np.sin(angles) @ coefficients[2::2]
    return shape


def _faded(phi: list[float], residuals: list[float], steps: int) -> list[float]:
    return AutoRegression(tuple(phi), 0.0).path(residuals, steps)


def _newest(residuals: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return the last residuals, newest first; a gap takes the value before it, or 0 where there is none."""
    recent: list[float] = []
    last = 0.0
    for residual in residuals[-8 * order :].tolist():
        last = residual if np.isfinite(residual) else last
        recent.append(last)
    return np.array(recent[::-1][:order])
