"""How far the largest demand of a look-ahead lies above what was predicted: the offset that decisions add.

The predicted peak is the value observed at the origin plus the rise that the model's median path shows up to the end of
the look-ahead, never below the observed value. Its error is the actual largest value less the predicted one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.conformal import ErrorQuantiles, error_quantiles
from forecasters.losses import pinball_loss
from forecasters.packing import Packed, UnreadableState, pack, unpack
from forecasters.series import EPOCH

SPACING = timedelta(minutes=5)  # between errors that are kept: closer ones tell nearly the same
REPORTED = (0.5, 0.8, 0.9, 0.95, 0.99)  # levels whose coverage is always followed

_KIND, _VERSION = "peak calibration", 1
_CAPACITY = 4000  # two weeks of errors, 16 KB
_HALF_LIFE = 576.0  # errors, two days: both halves of a day weigh about the same, last week's level little
_REFRESH = 12  # errors, an hour, until quantiles are taken anew
_FEW = 120  # errors below which each one is worth taking them anew
_TYPICAL_MEMORY = 288  # errors over which the typical level is averaged, a day
_SCORE_MEMORY = 2016  # errors over which coverage and loss are averaged, a week
_MOST_LEVELS = 12
_LOWEST_SHARE = 0.1  # of the typical level: below it noise no longer shrinks with the level
_LARGEST = float(np.finfo(np.float32).max)  # a finite error must not turn infinite in single precision
_EXPONENTS = (0.0, 0.5, 1.0)  # errors that ignore the level, are like those of counts, grow with it
_FEWEST_FOR_EXPONENT = 100


@dataclass(slots=True)
class _Track:
    """One level's own record, and how much it is asked for in place of its nominal risk.

    Adaptive conformal inference: Gibbs & Candès, NeurIPS 2021, eq. 2. The risk moves in steps that are a share of it,
    and within bounds, so that a few misses neither end in an infinite quantile nor a lucky week in a bare one.
    """

    level: float
    risk: float  # adapted, in place of 1 - level
    count: float = 0.0
    covered: float = 0.0
    loss: float = 0.0  # demand units

    def learn(self, error: float, offset: float) -> None:
        """Take in an error, and the offset that stood when it became known, both in demand units."""
        nominal = 1.0 - self.level
        is_miss = error > offset
        pace = min(0.02, nominal / 2)
        risk = self.risk + pace * (nominal - is_miss)
        self.risk = min(max(risk, nominal / 8), 2 * nominal, (1 + nominal) / 2)
        self.count = min(self.count + 1, _SCORE_MEMORY)
        self.covered += ((not is_miss) - self.covered) / self.count
        self.loss += (pinball_loss(error, offset, self.level) - self.loss) / self.count


class PeakCalibration:
    """Errors of predicted peaks, newest two weeks, and the offsets they ask for. Changes in place; for one thread.

    Errors are kept relative to level^exponent; `choose_exponent` finds in past errors whether noise grows with the
    level. Offsets scale with the unit of the demand whatever the exponent.
    """

    def __init__(self, *, exponent: float = 0.0, typical: float = 0.0, level: float = 0.99) -> None:
        """Start without errors; `level` is that of the decisions, followed from the first error on."""
        self._exponent = exponent
        self._typical = typical  # level, demand units
        self._scores: NDArray[np.float32] = np.empty(0, dtype=np.float32)  # oldest first
        self._newest: datetime | None = None
        self._tracks = {each: _Track(each, 1.0 - each) for each in (*REPORTED, level)}
        self._quantiles: ErrorQuantiles | None = None
        self._unused = 0  # errors added since the quantiles were taken

    @property
    def count(self) -> int:
        """How many errors are kept."""
        return len(self._scores)

    def add(self, error: float, *, predicted: float | None = None, at: datetime | None = None) -> None:
        """Learn from a peak whose look-ahead has passed.

        Args:
            error: actual less predicted peak, demand units, finite.
            predicted: the predicted peak; without it the typical level stands for it.
            at: the origin. One within 5 min of the last kept is left out; without it every error is kept.

        Raises:
            ValueError: error is not finite.
        """
        if not np.isfinite(error):
            raise ValueError(f"error of a peak must be finite, got {error}: leave peaks out that fell into a gap")
        if at is not None:
            if self._newest is not None and at - self._newest < SPACING:
                return
            self._newest = at
        if len(self._scores):
            for track in self._tracks.values():
                track.learn(error, self._offset(track, predicted))
        self._keep(error, predicted)

    def offset(self, level: float, *, predicted: float | None = None) -> float:
        """Return what to add to a predicted peak so that demand stays at or below the sum with probability `level`.

        From the first call on, the level's coverage is followed and the offset adapts to it. It may be below 0, where
        the model predicts too much. It is 0 as long as there are no errors: look at `count` before trusting it.

        Args:
            level: in (0, 1), such as 0.99; beyond what the errors resolve, the tail is extrapolated.
            predicted: the predicted peak, demand units; without it the typical level stands for it.

        Raises:
            ValueError: level is not in (0, 1).
        """
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be in (0, 1), got {level}")
        return self._offset(self._track(level), predicted) if len(self._scores) else 0.0

    def coverage(self, level: float) -> float | None:
        """Return the share of peaks at or below what was offered at a level, over a week; None if not followed."""
        track = self._tracks.get(level)
        return track.covered if track is not None and track.count else None

    def pinball(self, level: float) -> float | None:
        """Return the mean pinball loss of what was offered at a level, demand units; None where it was not followed."""
        track = self._tracks.get(level)
        return track.loss if track is not None and track.count else None

    def encode(self) -> bytes:
        """Return the bytes of it, at most 24 KiB."""
        numbers = {"exponent": self._exponent, "typical": self._typical}
        if self._newest is not None:
            numbers["newest"] = (self._newest - EPOCH).total_seconds()
        tracks = [[track.level, track.risk, track.count, track.covered, track.loss] for track in self._tracks.values()]
        doubles = {"tracks": np.array(tracks, dtype=np.float64)}
        return pack(Packed(_KIND, _VERSION, {}, numbers, doubles, {"scores": self._scores}))

    @classmethod
    def decode(cls, body: bytes) -> PeakCalibration:
        """Return what was encoded.

        Raises:
            UnreadableState: the bytes are damaged or of an unknown version.
        """
        packed = unpack(body, kind=_KIND, version=_VERSION)
        try:
            found = cls(exponent=packed.numbers["exponent"], typical=packed.numbers["typical"])
            found._scores = packed.singles["scores"]
            if "newest" in packed.numbers:
                found._newest = EPOCH + timedelta(seconds=packed.numbers["newest"])
            found._tracks = {row[0]: _Track(*row) for row in packed.doubles["tracks"].tolist()}
        except (KeyError, TypeError, OverflowError) as error:
            raise UnreadableState(f"stored {_KIND} lacks or misstates a field ({error}): fit anew") from error
        return found

    def _keep(self, error: float, predicted: float | None) -> None:
        score = np.float32(np.clip(error / self._scale(predicted, error), -_LARGEST, _LARGEST))
        self._scores = np.append(self._scores[-(_CAPACITY - 1) :], score)
        self._unused += 1
        if self._unused >= _REFRESH or len(self._scores) < _FEW:
            self._quantiles = None
        if predicted is not None:
            self._typical += (predicted - self._typical) / min(len(self._scores), _TYPICAL_MEMORY)

    def _offset(self, track: _Track, predicted: float | None) -> float:
        if self._quantiles is None:
            self._quantiles = error_quantiles(self._scores.astype(np.float64), half_life=_HALF_LIFE)
            self._unused = 0
        return self._quantiles.at(1.0 - track.risk) * self._scale(predicted, 0.0)

    def _scale(self, predicted: float | None, error: float) -> float:
        """Return what an error at a level is divided by; at level 0 of a series that was always 0, the error itself."""
        if self._exponent == 0.0:
            return 1.0
        level = self._typical if predicted is None else max(predicted, _LOWEST_SHARE * self._typical)
        return float((level or abs(error) or 1.0) ** self._exponent)

    def _track(self, level: float) -> _Track:
        if level not in self._tracks:
            asked = [known for known in self._tracks if known not in REPORTED]
            if len(self._tracks) >= _MOST_LEVELS:
                del self._tracks[asked[0]]
            self._tracks[level] = _Track(level, 1.0 - level)
        return self._tracks[level]


def choose_exponent(errors: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Return 0, 0.5 or 1: the power of the level that leaves the size of errors least correlated with it, by ranks.

    Args:
        errors: of predicted peaks, shape (n,), demand units.
        predicted: the peaks, shape (n,). Under 100 of them the errors are taken as they are.
    """
    if len(errors) < _FEWEST_FOR_EXPONENT or not np.any(predicted > 0.0):
        return 0.0
    level = np.maximum(predicted, _LOWEST_SHARE * predicted.mean())
    size = np.abs(errors)
    return min(_EXPONENTS, key=lambda exponent: abs(_rank_correlation(size / level**exponent, level)))


def _rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return Spearman's correlation, ties broken by position; 0 where one of the two does not vary."""
    if np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return 0.0
    ranks = [np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
