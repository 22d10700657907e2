"""Our models as predictors: every forecaster of the table, and models that foretell the peak itself.

A forecaster added to `forecasters/table.py` is here without a line. One that foretells the peak itself is a line in
`DIRECT`, with a class that keeps `PeakPredictor`.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.forecasts.direct import PeakQuantiles
from bench.forecasts.predictor import LEVELS, CalibratedPath, PeakPredictor, Quantiles
from forecasters.forecaster import Forecaster, ModelState
from forecasters.series import Series
from forecasters.table import FORECASTERS

DIRECT: tuple[Callable[[int], PeakPredictor], ...] = (PeakQuantiles,)  # each takes the look-ahead in steps


def ours(steps: int) -> list[PeakPredictor]:
    """Return fresh predictors for a look-ahead of so many steps."""
    read = [CalibratedPath(TableModel(forecaster), steps) for forecaster in FORECASTERS.values()]
    return [*read, *(make(steps) for make in DIRECT)]


class TableModel:
    """A forecaster of the table, its state carried from value to value."""

    def __init__(self, forecaster: Forecaster) -> None:
        """Start unfitted."""
        self._forecaster = forecaster
        self._state: ModelState | None = None

    @property
    def name(self) -> str:
        """The forecaster's name."""
        return self._forecaster.name

    def fit(self, history: Series) -> None:
        """Fit on the history as it is.

        Raises:
            ValueError: the forecaster wants a coarser grid than this benchmark walks on.
        """
        if self._forecaster.grid(history.step) != history.step:
            raise ValueError(f"{self.name} wants a grid coarser than {history.step}: carry its state on that here")
        self._state = self._forecaster.fit(history)

    def observe(self, value: float) -> None:
        """Update the state."""
        self._state = self._forecaster.update(self._fitted(), value)

    def fan(self, steps: int) -> Quantiles:
        """Return the forecaster's own, uncalibrated quantiles."""
        return self._forecaster.forecast(self._fitted(), steps, LEVELS).quantiles

    def _fitted(self) -> ModelState:
        if self._state is None:
            raise AssertionError(f"{self.name} was asked before it was fitted")
        return self._state
