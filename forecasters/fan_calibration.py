"""Makes the published fan cover what it says: the model's normal spread gives way to that of its real errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forecasters.conformal import error_quantiles
from forecasters.forecast import Forecast
from forecasters.packing import Packed, UnreadableState, pack, unpack
from forecasters.spread import normal_scores

KNOTS = (1, 2, 5, 10, 20, 60)  # steps ahead at which errors are measured; between them the scores are interpolated

_KIND, _VERSION = "fan calibration", 1
_LEVELS = (0.01, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99)
_NORMAL = normal_scores(_LEVELS)
_MIDDLE = _LEVELS.index(0.5)
_FEWEST = 30  # errors at a knot below which the model's own spread stands
_HALF_LIFE = 576.0  # errors, two days at one per 5 min


class FanCalibration:
    """Error quantiles by horizon, in units of the model's own standard deviation. Immutable.

    Dividing by the model's deviation leaves the shape over the horizon to the model and the size to its record, the
    normalized scores of Papadopoulos et al. (2008), taken at each horizon apart.
    """

    def __init__(self, scores: NDArray[np.float64] | None = None) -> None:
        """Take a table of shape (knots, levels); without one the model's own spread stands."""
        self._scores = np.tile(_NORMAL, (len(KNOTS), 1)) if scores is None else scores

    @classmethod
    def from_errors(cls, errors: NDArray[np.float64]) -> FanCalibration:
        """Learn from past errors.

        Args:
            errors: (actual - median) / deviation, shape (origins, knots), oldest first, NaN where unknown. A knot with
                under 30 of them takes the row of the one before it, the first the normal distribution.
        """
        rows: list[NDArray[np.float64]] = []
        for knot in range(len(KNOTS)):
            known = errors[np.isfinite(errors[:, knot]), knot]
            before = rows[-1] if rows else np.array(_NORMAL)
            rows.append(_row(known) if len(known) >= _FEWEST else before)
        return cls(np.array(rows))

    def calibrated(self, forecast: Forecast) -> Forecast:
        """Return a forecast with the same median whose other quantiles cover what they say."""
        top = forecast.levels[-1]
        if top == 0.5:
            return forecast
        median = forecast.path(0.5)
        wanted = normal_scores(forecast.levels)
        deviation = (forecast.quantiles[-1] - median) / wanted[-1]
        table = np.array([_at_levels(row, wanted) for row in self._scores])
        place = np.log(np.arange(1.0, forecast.steps + 1))
        scores = np.array([np.interp(place, np.log(KNOTS), column) for column in table.T])
        quantiles = np.maximum.accumulate(np.maximum(median + scores * deviation, 0.0), axis=0)
        return replace(forecast, quantiles=quantiles)

    def encode(self) -> bytes:
        """Return the bytes of it."""
        return pack(Packed(_KIND, _VERSION, {}, {}, {"scores": self._scores}, {}))

    @classmethod
    def decode(cls, body: bytes) -> FanCalibration:
        """Return what was encoded.

        Raises:
            UnreadableState: the bytes are damaged or of an unknown version.
        """
        scores = unpack(body, kind=_KIND, version=_VERSION).doubles.get("scores")
        if scores is None or scores.shape != (len(KNOTS), len(_LEVELS)):
            raise UnreadableState(f"stored {_KIND} has no table of {len(KNOTS)} knots: fit anew")
        return cls(scores)


def _row(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the error quantiles at the levels kept, each side outward from the median."""
    above = error_quantiles(errors, half_life=_HALF_LIFE)
    below = error_quantiles(-errors, half_life=_HALF_LIFE)
    row = np.zeros(len(_LEVELS))
    for index, level in enumerate(_LEVELS):
        if level > 0.5:
            row[index] = max(above.at(level), 0.0)
        elif level < 0.5:
            row[index] = min(-below.at(1.0 - level), 0.0)
    return row


def _at_levels(row: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a row at other levels, given by their normal scores; beyond the ends as the normal tail goes on."""
    inside = np.interp(wanted, _NORMAL, row)
    last = max(float(row[-1]), 0.0) / _NORMAL[-1]
    first = min(float(row[0]), 0.0) / _NORMAL[0]
    inside = np.where(wanted > _NORMAL[-1], last * wanted, inside)
    scores: NDArray[np.float64] = np.where(wanted < _NORMAL[0], first * wanted, inside)
    return scores
