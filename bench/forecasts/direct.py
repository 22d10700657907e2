"""The model of the peak itself, as decisions read it: seen by `agent/peak_sight.py`, fitted by `scalers/walk.py`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from agent.coarse_past import rows_of
from agent.fitting.walked import MODEL
from agent.history.grid import History
from agent.local_time import LocalTime
from agent.peak_sight import PeakSight
from agent.sources.source import Sample
from bench.forecasts.predictor import Quantiles
from forecasters.peak_model import PeakModel
from forecasters.series import Series
from scalers.walk import refit

_KEPT = timedelta(days=14)  # `forecast.history` of a policy that does not say otherwise
_FINE = timedelta(hours=6)  # of it at the policy's step
_UTC = LocalTime("UTC")
_NO_BUG = math.inf  # demand above it would be seen as it: there is no metric's bug here


@dataclass(slots=True)
class _Fitted:
    model: PeakModel
    history: History
    sight: PeakSight
    newest: datetime
    says: Quantiles | None = None


class PeakQuantiles:
    """The quantile regression that is anchored at the demand of now, its quantiles as they are."""

    def __init__(self, steps: int) -> None:
        """Foretell the largest of so many steps."""
        self._steps = steps
        self._fitted: _Fitted | None = None

    def fit(self, history: Series) -> None:
        """Fit on the newest fortnight, as the agent does.

        Raises:
            ValueError: the history is shorter than half a day.
        """
        kept = History(history.step, fine_span=max(_FINE, 8 * self._steps * history.step), coarse_span=_KEPT)
        kept.backfill_fine(history)
        model = refit(rows_of(kept.coarse(), kept.coarse_step, most=_NO_BUG, local=_UTC), self._steps)
        if model is None:
            raise ValueError(f"{MODEL} was given {len(history)} rows of {history.step}: give it half a day or more")
        sight = PeakSight(kept, ahead=self._steps, most=_NO_BUG, local=_UTC)
        self._fitted = _Fitted(model, kept, sight, history.end)

    def observe(self, value: float) -> None:
        """Take in the next value, and foretell from what is seen with it."""
        if (fitted := self._fitted) is None:
            raise AssertionError(f"{MODEL} was handed a value before it was fitted")
        fitted.newest += fitted.history.step
        fitted.history.append(Sample(fitted.newest, value), fitted.newest)
        fitted.says = np.array(fitted.model.peaks_of(fitted.sight.look(value).row))

    def peaks(self) -> Mapping[str, Quantiles]:
        """Return one row."""
        if self._fitted is None or self._fitted.says is None:
            raise AssertionError(f"{MODEL} was asked before it was handed a value")
        return {MODEL: self._fitted.says}
