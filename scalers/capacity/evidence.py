"""What observations say about the load at which an objective begins to be missed: a posterior on a grid.

Loads are binned on a logarithmic scale around a reference, and each bin counts samples that kept the objective and
that missed it. The chance of a miss rises with the load as a logistic curve, above a share that no load explains:

    p(x) = lapse + (1 - lapse) / (1 + exp(-(ln x - centre) / spread))

It is how a threshold of perception is found from seen and unseen (Watson & Pelli, QUEST, Perception & Psychophysics 33
(1983); the lapse rate: Wichmann & Hill, Perception & Psychophysics 63 (2001)). Capacity is the load at which one sample
in ten is missed for the load's sake. Loads that never occurred leave the posterior flat: nothing is proved about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import asin, exp, log, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

_REACH = log(16.0)  # loads from a sixteenth to sixteen times the reference are told apart
_WIDTH = log(1.05)  # of a bin: capacity is found to about 2 %
BINS = round(2 * _REACH / _WIDTH)
_SPREADS = (0.02, 0.05, 0.1, 0.2)  # in ln load: from a sharp knee to a soft one
_LAPSES = (0.005, 0.02, 0.05, 0.15)
_LAPSE_PRIOR = (0.3, 0.3, 0.25, 0.15)
_MISSED_AT_CAPACITY = 0.1  # share of samples that the load makes miss at capacity
_SURE = 2.576  # standard deviations that leave 1 % outside
_LOGIT = log(_MISSED_AT_CAPACITY / (1.0 - _MISSED_AT_CAPACITY))

MOST_PER_BIN = 240.0  # samples: what was seen at a load is forgotten as that load is seen again, four hours of minutes


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a number lies: a capacity in demand units per replica, or a share."""

    low: float
    high: float

    @property
    def ratio(self) -> float:
        """How wide it is: the high end over the low one."""
        return self.high / self.low


@dataclass(frozen=True, slots=True)
class Curve:
    """The chance of a miss by load, relative to a capacity."""

    spread: float
    lapse: float

    def missed(self, load: float, capacity: float) -> float:
        """Return the probability that a sample at a load misses the objective, in (0, 1)."""
        position = (log(load) - log(capacity)) / self.spread + _LOGIT
        return self.lapse + (1.0 - self.lapse) / (1.0 + exp(-min(max(position, -500.0), 500.0)))


class Evidence:
    """Decaying counts by load. Changes in place; for one thread."""

    def __init__(self, reference: float) -> None:
        """Start with nothing seen; `reference` is a load in the middle of what is plausible, above 0."""
        self.reference = reference
        self.kept: NDArray[np.float64] = np.zeros(BINS)
        self.missed: NDArray[np.float64] = np.zeros(BINS)

    def add(self, load: float, *, is_kept: bool) -> None:
        """Count one sample at a load above 0; loads out of reach count at the end of the scale."""
        bin_ = self._bin(load)
        fading = 1.0 - 1.0 / MOST_PER_BIN
        self.kept[bin_] *= fading
        self.missed[bin_] *= fading
        (self.kept if is_kept else self.missed)[bin_] += 1.0

    def copy(self) -> Evidence:
        """Return one that stays as it is when this one goes on."""
        found = Evidence(self.reference)
        found.kept, found.missed = self.kept.copy(), self.missed.copy()
        return found

    def table(self) -> NDArray[np.float32]:
        """Return the counts, kept and missed, shape (2, BINS)."""
        return np.stack([self.kept, self.missed]).astype(np.float32)

    @classmethod
    def of_table(cls, reference: float, table: NDArray[np.float32]) -> Evidence:
        """Return what `table` gave.

        Raises:
            ValueError: it is of another shape, or holds what cannot be counted.
        """
        if table.shape != (2, BINS) or not (np.isfinite(table).all() and (table >= 0.0).all()):
            raise ValueError(f"counts must be finite, at least 0 and of shape (2, {BINS})")
        found = cls(reference)
        found.kept, found.missed = table.astype(np.float64)
        return found

    @property
    def samples(self) -> float:
        """How many samples are remembered."""
        return float(self.kept.sum() + self.missed.sum())

    def missed_share(self, load: float) -> Interval:
        """Return where the share of misses around a load lies, 99 % sure, whatever the curve says.

        Normal on the scale of arcsin of the root, over the bin and its neighbours, half a sample added to either side.
        """
        near = slice(max(self._bin(load) - 1, 0), self._bin(load) + 2)
        missed, kept = float(self.missed[near].sum()) + 0.5, float(self.kept[near].sum()) + 0.5
        centre, reach = asin(sqrt(missed / (missed + kept))), _SURE / (2.0 * sqrt(missed + kept))
        return Interval(sin(max(centre - reach, 0.0)) ** 2, sin(min(centre + reach, pi / 2.0)) ** 2)

    def highest_kept(self, fewest: float) -> float | None:
        """Return the highest load at or above which the objective was kept for so many samples; None if nowhere."""
        enough = np.flatnonzero(np.cumsum(self.kept[::-1])[::-1] >= fewest)
        return self._load(int(enough[-1])) if enough.size else None

    def interval(self, confidence: float) -> Interval:
        """Return the equal-tailed interval that holds the capacity with a probability."""
        grid = _grid()
        posterior = self._posterior()
        cumulative = np.cumsum(posterior[grid.order])
        tail = (1.0 - confidence) / 2.0
        last = len(cumulative) - 1
        ends = [min(int(np.searchsorted(cumulative, share)), last) for share in (tail, 1.0 - tail)]
        low, high = (float(grid.capacities[grid.order][end]) for end in ends)
        return Interval(self.reference * exp(low - grid.spacing / 2), self.reference * exp(high + grid.spacing / 2))

    def curve(self) -> Curve:
        """Return the expected shape of the curve."""
        grid, posterior = _grid(), self._posterior()
        return Curve(spread=float(posterior @ grid.spreads), lapse=float(posterior @ grid.lapses))

    def _posterior(self) -> NDArray[np.float64]:
        grid = _grid()
        kept, missed = self.kept.astype(np.float32), self.missed.astype(np.float32)
        logs = grid.prior + (grid.log_kept @ kept + grid.log_missed @ missed).astype(np.float64)
        weights = np.exp(logs - logs.max())
        posterior: NDArray[np.float64] = weights / weights.sum()
        return posterior

    def _bin(self, load: float) -> int:
        return min(max(int((log(load / self.reference) + _REACH) / _WIDTH), 0), BINS - 1)

    def _load(self, bin_: int) -> float:
        return self.reference * exp((bin_ + 0.5) * _WIDTH - _REACH)


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Every hypothesis, one row each: shared by all policies, since loads are relative."""

    capacities: NDArray[np.float64]  # ln of the capacity over the reference, shape (hypotheses,)
    spreads: NDArray[np.float64]
    lapses: NDArray[np.float64]
    prior: NDArray[np.float64]  # ln
    log_kept: NDArray[np.float32]  # shape (hypotheses, bins); singles, for there are 400,000 of each
    log_missed: NDArray[np.float32]
    order: NDArray[np.int64]  # of ascending capacity
    spacing: float  # of the capacities, in ln


@lru_cache(maxsize=1)
def _grid() -> _Grid:
    capacity = np.linspace(-_REACH, _REACH, 2 * BINS + 1)
    capacities, spreads, lapses = (axis.ravel() for axis in np.meshgrid(capacity, _SPREADS, _LAPSES, indexing="ij"))
    prior = np.log(np.tile(_LAPSE_PRIOR, len(capacities) // len(_LAPSES)))
    loads = (np.arange(BINS) + 0.5) * _WIDTH - _REACH
    position = (loads[np.newaxis, :] - capacities[:, np.newaxis]) / spreads[:, np.newaxis] + _LOGIT
    missed = lapses[:, np.newaxis] + (1.0 - lapses[:, np.newaxis]) / (1.0 + np.exp(-np.clip(position, -500.0, 500.0)))
    kept = np.clip(1.0 - missed, 1e-12, 1.0)
    order = np.argsort(capacities, kind="stable")
    spacing = float(capacity[1] - capacity[0])
    log_kept, log_missed = np.log(kept).astype(np.float32), np.log(missed).astype(np.float32)
    return _Grid(capacities, spreads, lapses, prior, log_kept, log_missed, order, spacing)
