"""Quantiles of forecast errors: conformal in the body, a fitted tail where too few errors were seen to count them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, sqrt

import numpy as np
from numpy.typing import NDArray

_BODY = 0.98  # above it errors are too few to be counted and the tail is extrapolated
_TAIL_ERRORS = 20.0  # effective errors that a tail is fitted to at least, where there are that many
_HEAVIEST = 0.3  # bound on the tail's shape: moments beyond it estimate nothing, and load is bounded by its users


@dataclass(frozen=True, slots=True, eq=False)
class ErrorQuantiles:
    """Quantiles of weighted errors that hold for the next, unseen, one."""

    errors: NDArray[np.float64]  # ascending, shape (n,), n at least 1
    shares: NDArray[np.float64]  # probability that the next error is at or below each
    tail_from: float  # error at which the tail begins
    tail_share: float  # probability that the next error lies beyond it
    shape: float  # of the generalized Pareto tail, 0 is exponential
    scale: float  # of it

    def at(self, level: float) -> float:
        """Return the quantile at a level in (0, 1); it never falls as the level rises."""
        if 1.0 - level >= self.tail_share:
            return min(float(self.errors[np.searchsorted(self.shares, level)]), self.tail_from)
        return self.tail_from + self._excess(self.tail_share / (1.0 - level))

    def _excess(self, ratio: float) -> float:
        if self.shape <= 0.0:
            return self.scale * log(ratio)
        return float(self.scale / self.shape * (ratio**self.shape - 1.0))


def error_quantiles(errors: NDArray[np.float64], *, half_life: float) -> ErrorQuantiles:
    """Return the quantiles of errors of which newer ones weigh more.

    The body is the weighted conformal quantile of Barber, Candès, Ramdas & Tibshirani, Conformal prediction beyond
    exchangeability, Annals of Statistics 51 (2023), eq. 11: the unseen error has a place, and a weight of 1, among the
    seen ones. The tail is a generalized Pareto distribution fitted by moments (Hosking & Wallis, Technometrics 29
    (1987), section 2), its mean excess taken one standard error high, so that a quantile which nobody has seen yet lies
    rather too far out than too near.

    Args:
        errors: oldest first, shape (n,), n at least 1, finite.
        half_life: number of errors after which the weight has halved.
    """
    weights = np.exp2(-np.arange(len(errors))[::-1] / half_life)
    order = np.argsort(errors, kind="stable")
    ascending, weights = errors[order], weights[order]
    whole = float(weights.sum()) + 1.0
    shares = np.cumsum(weights) / whole
    effective = (whole - 1.0) ** 2 / float(weights @ weights)
    body = max(0.5, min(_BODY, 1.0 - _TAIL_ERRORS / (effective + 1.0)))
    first = min(int(np.searchsorted(shares, body)), len(errors) - 1)
    excess, weight = ascending[first + 1 :] - ascending[first], weights[first + 1 :]
    shape, scale = _tail(excess, weight)
    return ErrorQuantiles(
        errors=ascending,
        shares=shares,
        tail_from=float(ascending[first]),
        tail_share=1.0 - float(shares[first]),
        shape=shape,
        scale=scale,
    )


def _tail(excess: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float]:
    """Return shape and scale of the generalized Pareto distribution of some excesses; (0, 0) where there are none."""
    whole = float(weights.sum())
    mean = float(excess @ weights) / whole if whole > 0.0 else 0.0
    if mean <= 0.0:
        return 0.0, 0.0
    variance = float(np.square(excess - mean) @ weights) / whole
    shape = 0.5 * (1.0 - mean**2 / variance) if variance > 0.0 else -inf
    shape = min(max(shape, 0.0), _HEAVIEST)
    effective = whole**2 / float(weights @ weights)
    cautious = mean * (1.0 + 1.0 / sqrt(effective))
    return shape, cautious * (1.0 - shape)
