"""Quantiles of the largest demand within the look-ahead, foretold directly: not the largest of each point's quantile.

Linear in the features of `peak_features`, anchored at the demand of now: without evidence it says that nothing rises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.forecaster import TooLittleHistory
from forecasters.packing import Packed, UnreadableState, pack, unpack
from forecasters.past import Outcomes
from forecasters.peak_features import features, recent_table
from forecasters.quantile_regression import fit_quantiles
from forecasters.usual import UsualAt, usual_at

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.98)
MOST_ROWS = 20_160  # two weeks of minutes
_LEAST_HISTORY, _LEAST_ROWS = timedelta(hours=3), 144  # of known outcomes; both are needed
_KIND, _VERSION = "peak model", 1


@dataclass(frozen=True, slots=True, eq=False)
class PeakModel:
    """A fitted model: what it was fitted up to, and its coefficients."""

    fitted_to: int  # grid index of the newest row that it was fitted on
    coefficients: NDArray[np.float64]  # shape (levels, features + 1), the constant last

    def peaks(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the quantiles of the peak at `LEVELS`, never below the demand of now; shape (n, levels).

        Args:
            table: from `peak_features.features`, whose last column is the demand of now.
        """
        rises = table @ self.coefficients[:, :-1].T + self.coefficients[:, -1]
        return table[:, -1:] + np.maximum(np.maximum.accumulate(rises, axis=1), 0.0)

    def peaks_of(self, row: Sequence[float]) -> list[float]:
        """Return the same of one row, from `peak_features.RowOfNow`."""
        peaks, highest = [], 0.0
        for rise in (self.coefficients @ np.array([*row, 1.0])).tolist():
            highest = max(highest, rise)
            peaks.append(row[-1] + highest)
        return peaks

    def encode(self) -> bytes:
        """Return the model as bytes."""
        numbers = {"fitted_to": self.fitted_to}
        return pack(Packed(_KIND, _VERSION, {}, numbers, {"coefficients": self.coefficients}, {}))

    @classmethod
    def decode(cls, body: bytes) -> PeakModel:
        """Return the model that `encode` was called on.

        Raises:
            UnreadableState: the bytes are damaged or of an unknown version.
        """
        packed = unpack(body, kind=_KIND, version=_VERSION)
        try:
            return cls(int(packed.numbers["fitted_to"]), packed.doubles["coefficients"])
        except KeyError as error:
            raise UnreadableState(f"stored {_KIND} lacks {error}: fit anew") from error


def fit_peak_model(outcomes: Outcomes, table: NDArray[np.float64], *, until: int | None = None) -> PeakModel:
    """Fit on the outcomes that are known at a row of their past.

    Args:
        outcomes: of the past.
        table: features of every row of the past.
        until: the row at which the fit takes place, the newest if None.

    Raises:
        TooLittleHistory: the known outcomes are fewer than 144 rows, or less than three hours.
    """
    past = outcomes.past
    end = (len(past) if until is None else until) - outcomes.ahead
    begin = max(0, end - MOST_ROWS)
    rows = begin + np.flatnonzero(outcomes.known[begin : max(begin, end)])
    have = timedelta(minutes=len(rows) * past.minutes)
    need = max(_LEAST_HISTORY, timedelta(minutes=_LEAST_ROWS * past.minutes))
    if have < need:
        raise TooLittleHistory(have=have, need=need)
    return PeakModel(past.first + end - 1, fit_quantiles(table[rows], outcomes.rise[rows], LEVELS))


def feature_table(outcomes: Outcomes, *, usual_of: UsualAt = usual_at) -> NDArray[np.float64]:
    """Return the features of every row of a past."""
    past = outcomes.past
    recent, maxima = recent_table(past)
    return features(
        recent,
        maxima,
        usual_of(outcomes, np.arange(len(past))),
        look_ahead=outcomes.ahead * past.minutes,
        minutes=past.minutes,
    )
