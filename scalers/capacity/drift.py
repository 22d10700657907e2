"""Tells when a capacity is no longer what was learned: two one-sided cumulative sums of log-likelihood ratios.

Page, Continuous inspection schemes, Biometrika 41 (1954). While nothing has changed, a sum of log-likelihood ratios
that is kept at or above 0 reaches h on average no sooner than after exp(h) samples (Lorden, Procedures for reacting to
a change in distribution, Annals of Mathematical Statistics 42 (1971)). So h is the logarithm of the samples that may
lie between two false alarms.

What was learned is not exact, so a sample is held against the highest share of misses that it leaves room for where a
fall is looked for, and the lowest where a rise is. A likelihood ratio at that bound has a mean of at most 1 for every
share on its safe side, so the bound on false alarms holds for all of them. Samples are taken as independent, which
those of an incident are not; one of less than `alarm` over `_MOST` samples in a row is no drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from math import log

from scalers.capacity.evidence import Evidence, Interval

SAMPLES_BETWEEN_FALSE_ALARMS = 90 * 24 * 60.0  # of each direction: 90 days of minutes
FALLEN_TO, RISEN_TO = 0.8, 1.25  # of the capacity that was learned: the change that is looked for
_NEVER = 1e-6  # no share of misses is taken to be nearer to 0 or 1
_MOST = 0.4  # that one sample may add: so an alarm takes half an hour of minutes at the least


class Direction(Enum):
    """Which way the capacity went."""

    DOWN = auto()
    UP = auto()


@dataclass(frozen=True, slots=True)
class Drift:
    """The two sums as they stand."""

    down: float = 0.0
    up: float = 0.0

    def after(self, load: float, *, is_kept: bool, interval: Interval, learned: Evidence) -> Drift:
        """Return the sums with one sample more.

        Args:
            load: of the sample.
            is_kept: whether it kept the objective.
            interval: where the capacity lies as learned.
            learned: what that rests on, the sample not yet in it.
        """
        curve, share = learned.curve(), learned.missed_share(load)
        most = min(max(share.high, curve.missed(load, interval.low)), 1.0 - _NEVER)
        least = max(min(share.low, curve.missed(load, interval.high)), _NEVER)
        fallen = min(max(most, curve.missed(load, FALLEN_TO * interval.low)), 1.0 - _NEVER)
        risen = max(min(least, curve.missed(load, RISEN_TO * interval.high)), _NEVER)
        down, up = _ratio(fallen, most, is_kept=is_kept), _ratio(risen, least, is_kept=is_kept)
        return Drift(down=max(0.0, self.down + min(down, _MOST)), up=max(0.0, self.up + min(up, _MOST)))

    def alarm(self, samples_between_false_alarms: float = SAMPLES_BETWEEN_FALSE_ALARMS) -> Direction | None:
        """Return which way the capacity went, or None while nothing says so."""
        if self.down >= log(samples_between_false_alarms):
            return Direction.DOWN
        return Direction.UP if self.up >= log(samples_between_false_alarms) else None


def _ratio(changed: float, learned: float, *, is_kept: bool) -> float:
    """Return the logarithm of how much likelier a sample is with one share of misses than with another."""
    return log((1.0 - changed) / (1.0 - learned)) if is_kept else log(changed / learned)
