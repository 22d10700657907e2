"""How far the largest demand of a look-ahead lies above what a path foretold of it, and what that asks to be added."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasters.conformal import ErrorQuantiles, error_quantiles

_KEPT = 4000  # errors, two weeks at one per 5 min
_HALF_LIFE = 576.0  # errors, two days: both halves of a day weigh about the same, last week's level little
_REFRESH = 12  # errors, an hour, until quantiles are taken anew
_FEW = 120  # errors below which each one is worth taking them anew


@dataclass(slots=True)
class _Risk:
    """How much of a risk is asked for in place of the nominal one, 1 - level.

    Adaptive conformal inference: Gibbs & Candès, NeurIPS 2021, eq. 2. The risk moves in steps that are a share of it,
    and within bounds, so that a few misses neither end in an infinite quantile nor a lucky week in a bare one.
    """

    nominal: float
    adapted: float

    def learn(self, *, is_miss: bool) -> None:
        """Take in whether an error was above the offset that stood when it became known."""
        pace = min(0.02, self.nominal / 2)
        risk = self.adapted + pace * (self.nominal - is_miss)
        self.adapted = min(max(risk, self.nominal / 8), 2 * self.nominal, (1 + self.nominal) / 2)


class PeakErrors:
    """The newest two weeks of errors of foretold peaks. Changes in place."""

    def __init__(self, levels: tuple[float, ...]) -> None:
        """Begin without errors; each level is in (0, 1), and followed from the second error on."""
        self._risks = tuple(_Risk(1.0 - level, 1.0 - level) for level in levels)
        self._errors: deque[float] = deque(maxlen=_KEPT)  # oldest first
        self._quantiles: ErrorQuantiles | None = None
        self._unused = 0  # errors added since the quantiles were taken

    def add(self, error: float) -> None:
        """Learn from a peak whose look-ahead has passed: actual less foretold peak, demand units, finite.

        Raises:
            ValueError: error is not finite.
        """
        if not np.isfinite(error):
            raise ValueError(f"error of a peak must be finite, got {error}: leave peaks out that fell into a gap")
        if self._errors:
            for risk, offset in zip(self._risks, self.offsets().tolist(), strict=True):
                risk.learn(is_miss=error > offset)
        self._errors.append(error)
        self._unused += 1
        if self._unused >= _REFRESH or len(self._errors) < _FEW:
            self._quantiles = None

    def offsets(self) -> NDArray[np.float64]:
        """Return what to add to a foretold peak so that demand stays at or below the sum as often as each level says.

        Shape (levels,), demand units; below 0 where too much is foretold, and 0 as long as there are no errors.
        """
        if not self._errors:
            return np.zeros(len(self._risks))
        if self._quantiles is None:
            self._quantiles = error_quantiles(np.array(self._errors), half_life=_HALF_LIFE)
            self._unused = 0
        return np.array([self._quantiles.at(1.0 - risk.adapted) for risk in self._risks])
