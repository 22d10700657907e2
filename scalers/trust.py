"""Which forecaster answers: the one whose decisions have lately cost least, and reactive until one has earned it.

The decision loss of a forecaster is the pinball loss of its calibrated peak at the policy's quantile, averaged with
exponential forgetting; reactive's is that of the demand of now, unraised. Their ratio has no unit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

# A day forgets a bad week in a week and still averages over every hour of the clock.
_HALF_LIFE = timedelta(days=1)
# The chosen one stays until another is this much better, so that noise does not swap them.
_HYSTERESIS = 0.03
# Time that must have been scored before a forecaster may be trusted: an hour shows its errors, not its luck.
_LEAST_SCORED = timedelta(hours=1)

REACTIVE = "reactive"


@dataclass(frozen=True, slots=True)
class Record:
    """The decaying average of one contender's decision loss."""

    loss: float = 0.0  # decayed sum, demand units
    weight: float = 0.0  # decayed count

    @property
    def mean(self) -> float:
        """The average loss, demand units."""
        return self.loss / self.weight


class Trust:
    """Keeps the records of one signal's forecasters and says which of them is trusted."""

    def __init__(self, *, step: timedelta) -> None:
        """Start with nobody trusted; `step` is the time between two scorings."""
        self._keep: float = 0.5 ** (step / _HALF_LIFE)
        self._least = _LEAST_SCORED / step * 0.9  # the decayed count of an hour stays a little below its number
        self._records: dict[str, Record] = {}
        self._trusted: str | None = None

    @property
    def trusted(self) -> str | None:
        """The forecaster that answers; None is reactive."""
        return self._trusted

    def score(self, losses: Mapping[str, float]) -> None:
        """Take in one matured origin: the pinball loss of every forecaster that foretold it, and of `REACTIVE`."""
        for name, loss in losses.items():
            old = self._records.get(name, Record())
            self._records[name] = Record(old.loss * self._keep + loss, old.weight * self._keep + 1.0)
        self._choose()

    def replace(self, name: str, mean: float, scored: float) -> None:
        """Take a contender's record as measured elsewhere, such as out of sample over the history.

        Args:
            name: the forecaster, or `REACTIVE`.
            mean: its mean loss, demand units.
            scored: over how many steps.
        """
        weight = min(scored, 1 / (1 - self._keep))  # forgetting leaves no more than this to be remembered
        self._records[name] = Record(mean * weight, weight)
        self._choose()

    def loss_ratio(self, name: str) -> float | None:
        """Return a forecaster's loss relative to reactive's; None until both were scored long enough."""
        record, reactive = self._records.get(name), self._records.get(REACTIVE)
        if record is None or reactive is None or min(record.weight, reactive.weight) < self._least:
            return None
        if reactive.mean == 0.0:
            return 1.0 if record.mean == 0.0 else None
        return record.mean / reactive.mean

    def encode(self) -> bytes:
        """Return the records as bytes for the store."""
        rows = {name: [record.loss, record.weight] for name, record in self._records.items()}
        return json.dumps({"version": 1, "trusted": self._trusted, "records": rows}).encode()

    def restore(self, body: bytes) -> None:
        """Take up stored records; what cannot be read is earned anew."""
        try:
            stored = json.loads(body)
            records = {
                str(name): Record(float(loss), float(weight)) for name, (loss, weight) in stored["records"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        self._records = records
        self._trusted = stored.get("trusted")
        self._choose()

    def _choose(self) -> None:
        ratios = {name: self.loss_ratio(name) for name in self._records if name != REACTIVE}
        earned = {name: ratio for name, ratio in ratios.items() if ratio is not None and ratio <= 1.0}
        if not earned:
            self._trusted = None
            return
        best = min(earned, key=lambda name: (earned[name], name))
        current = self._trusted
        if current is None or current not in earned or earned[best] < earned[current] * (1 - _HYSTERESIS):
            self._trusted = best
