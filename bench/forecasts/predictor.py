"""What a model must be for this benchmark: quantiles of the largest demand of the look-ahead, from the past alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.forecasts.peak_errors import PeakErrors
from forecasters import peak_model
from forecasters.series import Series

LEVELS = peak_model.LEVELS  # decisions follow no other quantile of the peak

Quantiles = NDArray[np.float64]


class PeakPredictor(Protocol):
    """Foretells the largest demand of the look-ahead that follows the newest value it was handed."""

    def fit(self, history: Series) -> None:
        """Learn from a history without gaps that the next value observed follows; a refit's has all observed so far."""
        ...

    def observe(self, value: float) -> None:
        """Take in the value of the next grid point."""
        ...

    def peaks(self) -> Mapping[str, Quantiles]:
        """Return the quantiles at `LEVELS`, shape (levels,), by the name of the row they belong to.

        Most give one row. A model that can be read in several ways gives several for the price of one fit.
        """
        ...


class FanModel(Protocol):
    """A model that foretells each step, not the largest of them."""

    @property
    def name(self) -> str:
        """The name of its row."""
        ...

    def fit(self, history: Series) -> None:
        """As a `PeakPredictor`'s."""
        ...

    def observe(self, value: float) -> None:
        """As a `PeakPredictor`'s."""
        ...

    def fan(self, steps: int) -> Quantiles:
        """Return quantiles at `LEVELS` of each of the next steps, shape (levels, steps)."""
        ...


class CalibratedPath:
    """A fan model read for the peak: the largest of the median, no lower than now, plus what past errors ask for.

    It learns its errors itself, from what it is handed: a peak's error is known once its look-ahead has passed.
    """

    def __init__(self, model: FanModel, steps: int) -> None:
        """Read `model` over a look-ahead of so many steps."""
        self._model = model
        self._steps = steps
        self._errors = PeakErrors(LEVELS)
        self._recent: deque[float] = deque(maxlen=steps)
        self._pending: deque[float] = deque()  # foretold peaks whose look-ahead is not over, oldest first
        self.fan: Quantiles = np.empty((len(LEVELS), 0))

    def fit(self, history: Series) -> None:
        """Fit the model; errors that are known stay known, and the newest peak is foretold anew."""
        if self._pending:
            self._pending.pop()
        self._model.fit(history)
        self._foretell(float(history.values[-1]))

    def observe(self, value: float) -> None:
        """Take in the next value, learn from the peak whose look-ahead it ends, and foretell the next."""
        self._model.observe(value)
        self._recent.append(value)
        if len(self._pending) == self._steps:
            self._errors.add(max(self._recent) - self._pending.popleft())
        self._foretell(value)

    def peaks(self) -> Mapping[str, Quantiles]:
        """Return one row, of the model's name."""
        return {self._model.name: np.maximum(self._pending[-1] + self._errors.offsets(), 0.0)}

    def _foretell(self, newest: float) -> None:
        self.fan = self._model.fan(self._steps)
        median = self.fan[LEVELS.index(0.5)]
        self._pending.append(max(newest, float(median.max())))


class WithOwnIntervals:
    """A calibrated path, and beside it what the model's own intervals say: the largest of the steps' quantiles."""

    def __init__(self, path: CalibratedPath) -> None:
        """Add a row to `path`."""
        self._path = path

    def fit(self, history: Series) -> None:
        """Fit the model, once for both rows."""
        self._path.fit(history)

    def observe(self, value: float) -> None:
        """Take in the next value."""
        self._path.observe(value)

    def peaks(self) -> Mapping[str, Quantiles]:
        """Return both rows, the model's own reading under its bare name."""
        own = self._path.fan.max(axis=1)
        return {
            row: values
            for name, calibrated in self._path.peaks().items()
            for row, values in ((name, own), (f"{name}, calibrated", calibrated))
        }
