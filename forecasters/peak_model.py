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
from forecasters.peak_features import USUAL_LEVELS, features, recent_table
from forecasters.quantile_regression import fit_quantiles
from forecasters.usual import UsualAt, usual_at

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.98)
MOST_ROWS = 20_160  # two weeks of minutes
_LEAST_HISTORY, _LEAST_ROWS = timedelta(hours=3), 144  # of known outcomes; both are needed
# A level that a past has only begun to know, such as that of this time yesterday when there is a day of it, says
# nothing yet: a rule learned from its few rows told 240 to become a million. On real and made-up loads of 1 and 5 min,
# after a day and after a week, the pinball loss of the hours after a fit is 2 to 16 % lower than without this in seven
# of eight comparisons, 2 % higher in one.
_LEAST_KNOWN, _LEAST_ROWS_KNOWN = timedelta(hours=6), 72  # both are needed
# A line carried on beyond all that it was fitted on may say anything. A load that grows may rise by more than it ever
# did; one that rises by more than twice as much is not foretold.
_MOST_RISE = 2.0
_KIND, _VERSION = "peak model", 2


@dataclass(frozen=True, slots=True, eq=False)
class PeakModel:
    """A fitted model: what it was fitted up to, and its coefficients."""

    fitted_to: int  # grid index of the newest row that it was fitted on
    coefficients: NDArray[np.float64]  # shape (levels, features + 1), the constant last
    most: float  # that the peak may lie above the demand of now, demand units

    def peaks(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the quantiles of the peak at `LEVELS`, never below the demand of now; shape (n, levels).

        Args:
            table: from `peak_features.features`, whose last column is the demand of now.
        """
        rises = table @ self.coefficients[:, :-1].T + self.coefficients[:, -1]
        peaks: NDArray[np.float64] = table[:, -1:] + np.clip(np.maximum.accumulate(rises, axis=1), 0.0, self.most)
        return peaks

    def peaks_of(self, row: Sequence[float]) -> list[float]:
        """Return the same of one row, from `peak_features.RowOfNow`."""
        peaks, highest = [], 0.0
        for rise in (self.coefficients @ np.array([*row, 1.0])).tolist():
            highest = min(max(highest, rise), self.most)
            peaks.append(row[-1] + highest)
        return peaks

    def encode(self) -> bytes:
        """Return the model as bytes."""
        numbers = {"fitted_to": self.fitted_to, "most": self.most}
        return pack(Packed(_KIND, _VERSION, {}, numbers, {"coefficients": self.coefficients}, {}))

    @classmethod
    def decode(cls, body: bytes) -> PeakModel:
        """Return the model that `encode` was called on.

        Raises:
            UnreadableState: the bytes are damaged or of an unknown version.
        """
        packed = unpack(body, kind=_KIND, version=_VERSION)
        try:
            numbers = packed.numbers
            return cls(int(numbers["fitted_to"]), packed.doubles["coefficients"], float(numbers["most"]))
        except KeyError as error:
            raise UnreadableState(f"stored {_KIND} lacks {error}: fit anew") from error


def fit_peak_model(outcomes: Outcomes, table: NDArray[np.float64], *, until: int | None = None) -> PeakModel:
    """Fit on the outcomes that are known at a row of their past.

    Args:
        outcomes: of the past.
        table: features of every row of the past, from `feature_table`.
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
    rises = outcomes.rise[rows]
    coefficients = fit_quantiles(_without_young(table[rows], past.minutes), rises, LEVELS)
    return PeakModel(past.first + end - 1, coefficients, most=max(0.0, _MOST_RISE * float(rises.max())))


def feature_table(outcomes: Outcomes, *, usual_of: UsualAt = usual_at) -> NDArray[np.float64]:
    """Return the features of every row of a past for a fit: NaN where a usual level is not known."""
    past = outcomes.past
    recent, maxima = recent_table(past)
    usual = usual_of(outcomes, np.arange(len(past)))
    table = features(recent, maxima, usual, look_ahead=outcomes.ahead * past.minutes, minutes=past.minutes)
    if usual.gaps is not None:
        table[:, USUAL_LEVELS][usual.gaps] = np.nan
    return table


def _without_young(table: NDArray[np.float64], minutes: float) -> NDArray[np.float64]:
    """Write 0, "as now", where a usual level is not known, and in all rows where few know it; return the table."""
    levels = table[:, USUAL_LEVELS]
    unknown = np.isnan(levels)
    rows_known = len(table) - unknown.sum(axis=0)
    levels[unknown] = 0.0
    levels[:, rows_known < max(_LEAST_ROWS_KNOWN, _LEAST_KNOWN / timedelta(minutes=minutes))] = 0.0
    return table
