"""The capacity that decisions take from what is learned: changed seldom, and only by what matters.

What experts did is scored under a capacity, and is worked out anew from the history with each other one. An estimate
moves with every sample; what decisions take moves at most every three hours, and by more than 5 %. A fall that was
noticed waits for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from forecasters.packing import Packed, UnreadableState, pack, unpack
from scalers.capacity.drift import Direction
from scalers.capacity.learning import CapacityLearner, Estimate, Knowledge, LearningPolicy
from scalers.capacity.watching import Observation, Taken
from scalers.decision import LearnedCapacity

TAKEN_UP_EVERY = timedelta(hours=3)
MATTERS = 0.05  # of the capacity that decisions take: less changes no replica below 20

_KIND, _VERSION = "capacity in use", 1
_LEARNER, _IN_USE = "learner", "in use"


class Sizing:
    """One signal's capacity. Changes in place; for one thread.

    Attributes:
        in_use: what decisions take; None while it is the declared one.
    """

    def __init__(self, policy: LearningPolicy, *, meaning: str = "") -> None:
        """Begin with what is declared; `meaning` is a fingerprint of the objective: another one is learned anew."""
        self.in_use: LearnedCapacity | None = None
        self._policy, self._meaning = policy, meaning
        self._learner = CapacityLearner(policy)

    @property
    def estimate(self) -> Estimate:
        """What is known after the newest observation."""
        return self._learner.estimate

    @property
    def capacity(self) -> float:
        """What decisions take, demand units per replica."""
        return self._policy.declared if self.in_use is None else self.in_use.capacity

    def observe(self, observation: Observation) -> Taken:
        """Take in an observation, and say what became of it."""
        return self._learner.observe(observation)

    def take_up(self, now: datetime) -> LearnedCapacity | None:
        """Let decisions take what is known now, if it is time and matters; return it where they do."""
        estimate = self.estimate
        if abs(estimate.capacity - self.capacity) <= MATTERS * self.capacity:
            return None
        since = None if self.in_use is None else now - self.in_use.at
        if since is not None and since < TAKEN_UP_EVERY and not self._has_fallen(estimate):
            return None
        self.in_use = self._known(estimate, now)
        return self.in_use

    def stored(self) -> dict[str, bytes]:
        """Return what outlives a restart, by name."""
        texts, numbers = {"meaning": self._meaning}, {"declared": self._policy.declared}
        if (known := self.in_use) is not None:
            texts["sentence"] = known.sentence
            numbers |= {"at": known.at.timestamp(), "capacity": known.capacity, "samples": known.samples}
            numbers |= {"confidence": known.confidence}
            numbers |= {} if known.low is None or known.high is None else {"low": known.low, "high": known.high}
        return {_LEARNER: self._learner.encode(), _IN_USE: pack(Packed(_KIND, _VERSION, texts, numbers, {}, {}))}

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """Take up what an earlier process stored; what cannot be read, or was learned of something else, is not."""
        try:
            packed = unpack(stored[_IN_USE], kind=_KIND, version=_VERSION)
            if (packed.texts["meaning"], packed.numbers["declared"]) != (self._meaning, self._policy.declared):
                return
            learner = CapacityLearner.decode(stored[_LEARNER], self._policy)
            self.in_use = _in_use(packed)
        except (KeyError, ValueError, OverflowError):  # UnreadableState is a ValueError
            return
        self._learner = learner

    def _has_fallen(self, estimate: Estimate) -> bool:
        """Whether a fall was noticed that decisions do not know of."""
        drifted = estimate.drifted
        if drifted is None or drifted.direction is not Direction.DOWN or estimate.capacity >= self.capacity:
            return False
        return self.in_use is None or drifted.at > self.in_use.at

    def _known(self, estimate: Estimate, now: datetime) -> LearnedCapacity:
        interval = estimate.interval
        return LearnedCapacity(
            at=now,
            capacity=estimate.capacity,
            declared=self._policy.declared,
            low=None if interval is None else interval.low,
            high=None if interval is None else interval.high,
            confidence=self._policy.confidence,
            samples=estimate.samples,
            sentence=f"{_sentence(estimate, self._policy.confidence)}; declared {self._policy.declared:.3g}",
        )


def _sentence(estimate: Estimate, confidence: float) -> str:
    interval = estimate.interval
    if estimate.knowledge is Knowledge.LEARNED and interval is not None:
        between = f"{100 * confidence:.4g} % sure between {interval.low:.3g} and {interval.high:.3g}"
        return f"capacity {estimate.capacity:.3g} learned from {estimate.samples:.0f} samples, {between}"
    return f"capacity {estimate.sentence}"


def _in_use(packed: Packed) -> LearnedCapacity | None:
    numbers = packed.numbers
    if "capacity" not in numbers:
        return None
    if not (math.isfinite(numbers["capacity"]) and numbers["capacity"] > 0.0):
        raise UnreadableState(f"stored {_KIND} is {numbers['capacity']}, and none is at or below 0: learn anew")
    return LearnedCapacity(
        at=datetime.fromtimestamp(numbers["at"], tz=UTC),
        capacity=numbers["capacity"],
        declared=numbers["declared"],
        low=numbers.get("low"),
        high=numbers.get("high"),
        confidence=numbers["confidence"],
        samples=numbers["samples"],
        sentence=packed.texts["sentence"],
    )
