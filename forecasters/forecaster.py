"""The protocol that every forecasting model keeps, and the state it hands around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forecasters.forecast import Forecast
from forecasters.series import Series


class TooLittleHistory(ValueError):
    """A model cannot be fitted yet; the message says what is there and what is needed.

    Attributes:
        have: how much history there is, gaps not counted.
        need: how much the model asks for.
    """

    def __init__(self, *, have: timedelta, need: timedelta) -> None:
        super().__init__(_shortfall(have, need))
        self.have = have
        self.need = need


def require_history(history: Series, need: timedelta) -> None:
    """Check that a series holds enough values.

    Raises:
        TooLittleHistory: it does not.
    """
    have = history.present * history.step
    if have < need:
        raise TooLittleHistory(have=have, need=need)


def _shortfall(have: timedelta, need: timedelta) -> str:
    """Say it in minutes below three hours and in hours above, rounded so that the parts add up."""
    unit, name = (timedelta(minutes=1), "min") if need < timedelta(hours=3) else (timedelta(hours=1), "h")
    whole = -(-need // unit)
    missing = -((have - need) // unit)
    return f"needs {missing} {name} more history ({whole - missing} of {whole} {name})"


@dataclass(frozen=True, slots=True, eq=False)
class ModelState:
    """Everything a fitted model knows: parameters and the state after the last observation.

    Plain arrays only, so that it can be stored, sent to another process and loaded by a process that has never
    imported the library that fitted it.
    """

    model: str
    origin: datetime  # instant of the last grid point taken in, gap or not
    step: timedelta
    value: float  # last observed value: the level persistence starts from
    arrays: Mapping[str, NDArray[np.float64]]  # as of the last observation
    gaps: int = 0  # grid points between the last observation and the origin, the origin counted

    def after(self, value: float, arrays: Mapping[str, NDArray[np.float64]]) -> ModelState:
        """Return the state one step on, with an observation taken in."""
        return ModelState(self.model, self.origin + self.step, self.step, value, arrays)

    def after_gap(self) -> ModelState:
        """Return the state one step on, with nothing observed."""
        return ModelState(self.model, self.origin + self.step, self.step, self.value, self.arrays, self.gaps + 1)


def fitted_state(model: str, history: Series, arrays: Mapping[str, NDArray[np.float64]]) -> ModelState:
    """Return the state at the end of a history that holds at least one value."""
    last = int(np.flatnonzero(np.isfinite(history.values))[-1])
    trailing = len(history) - 1 - last
    return ModelState(model, history.end, history.step, float(history.values[last]), arrays, trailing)


def up_to_last_value(history: Series) -> Series:
    """Return the history without the gap it may end with."""
    known = np.flatnonzero(np.isfinite(history.values))
    rows = int(known[-1]) + 1 if known.size else 0
    return Series(history.start, history.step, history.values[:rows])


class Forecaster(Protocol):
    """One method. Stateless itself: what it learns is in the `ModelState`."""

    @property
    def name(self) -> str:
        """The name in policies, metrics and on the page, such as `seasonal-naive`."""
        ...

    def grid(self, step: timedelta) -> timedelta:
        """Return the step this model wants its history in, a multiple of the finest `step` that is kept for weeks."""
        ...

    def fit(self, history: Series) -> ModelState:
        """Learn from history on the model's own grid. May be slow; runs in the fit pool.

        Raises:
            TooLittleHistory: the history is too short or has too many gaps.
        """
        ...

    def update(self, state: ModelState, value: float) -> ModelState:
        """Take in the next grid point. What is not finite is a gap: time moves on, nothing is learned."""
        ...

    def forecast(self, state: ModelState, steps: int, levels: tuple[float, ...]) -> Forecast:
        """Return quantiles of the next `steps` grid points by the model's own, uncalibrated, spread.

        Raises:
            ValueError: steps is below 1, or the levels do not ascend in (0, 1) or lack 0.5.
        """
        ...
