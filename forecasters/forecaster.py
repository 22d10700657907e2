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
    """A model cannot be fitted yet; the message says what is there and what is needed."""


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
    arrays: Mapping[str, NDArray[np.float64]]


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
        """Take in the next grid point. NaN is a gap: time moves on, nothing is learned."""
        ...

    def forecast(self, state: ModelState, steps: int, levels: tuple[float, ...]) -> Forecast:
        """Return quantiles of the next `steps` grid points by the model's own, uncalibrated, spread."""
        ...
