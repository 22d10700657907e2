"""The learned capacities of one policy at work: objectives are read, samples taken in, what they come to is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.log import logger
from agent.policy.objectives import Lesson
from agent.reading import read
from agent.snapshot import Condition
from agent.sources.source import Source, SourceError
from scalers.capacity.drift import Direction
from scalers.capacity.learning import Knowledge
from scalers.capacity.objective import Limit
from scalers.capacity.sizing import Sizing
from scalers.capacity.watching import Observation
from scalers.decision import LearnedCapacity, Replicas, SignalInput
from scalers.policy import PolicyKey, SignalPolicy
from scalers.recommend import fresh_for
from scalers.sentence import amount

_CONDITION = "CapacityKnown"
_TOLD_FOR = timedelta(days=1)  # a change of the capacity is news, whatever is known of the new one
_PREFIX = "capacity/"  # of the names in the store


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective with what reads it."""

    name: str
    limit: Limit
    source: Source | SourceError  # an error stands for a source that cannot be asked at all


@dataclass(frozen=True, slots=True)
class Learning:
    """How the capacity of one signal is learned, and by what."""

    lesson: Lesson
    objectives: tuple[Objective, ...]  # all must be kept


class SizedSignal:
    """One signal whose capacity is learned.

    Attributes:
        sizing: what is known of it.
        is_kept: whether all objectives are, as they were read and not yet taken in; None where that is not known.
        missing: why it is not known; empty where it is, or nobody asked.
    """

    def __init__(self, learning: Learning, signal: SignalPolicy) -> None:
        """Begin with the declared capacity."""
        self.sizing = Sizing(learning.lesson.policy, meaning=learning.lesson.meaning)
        self._learning, self._signal = learning, signal
        self.is_kept: bool | None = None
        self.missing = ""
        self._has_replicas = True

    async def ask(self, now: datetime) -> None:
        """Read the objectives; one that is missing or late leaves it unknown whether all are kept."""
        self.is_kept, self.missing = None, ""
        asked = [self._ask(objective, now) for objective in self._learning.objectives]
        kept = await asyncio.gather(*asked)
        if kept and None not in kept:
            self.is_kept = all(kept)

    def learn(self, now: datetime, known: SignalInput, replicas: Replicas | None) -> LearnedCapacity | None:
        """Take in what was seen at an instant; return the capacity that decisions are to take from now on, if any."""
        self._has_replicas = replicas is not None
        is_kept, self.is_kept = self.is_kept, None  # read once, taken in once
        is_fresh = known.at is not None and now - known.at <= fresh_for(self._signal) and known.fall is None
        self.sizing.observe(
            Observation(
                at=now,
                demand=known.demand if is_fresh else None,
                replicas=replicas,
                objective=None if is_kept is None else float(is_kept),
                is_rolling_out=replicas is not None and replicas.is_rolling_out,
            )
        )
        return self.sizing.take_up(now)

    def condition(self, now: datetime) -> Condition:
        """Return what is known, and what keeps it from being known better."""
        status, reason, message = self._told(now)
        return Condition(_CONDITION, status, reason, message, now)

    async def _ask(self, objective: Objective, now: datetime) -> bool | None:
        try:
            reading = await read(objective.source, now, step=self._signal.step)
        except SourceError as error:
            self.missing = f"objective {objective.name}: {error}; {error.mend}"
            return None
        if reading.newest is not None and now - reading.newest > fresh_for(self._signal):
            self.missing = f"objective {objective.name}: no samples since {reading.newest:%Y-%m-%d %H:%M:%S} UTC"
            return None
        return objective.limit.is_kept(reading.sample.value)

    def _told(self, now: datetime) -> tuple[bool | None, str, str]:
        estimate, lesson = self.sizing.estimate, self._learning.lesson
        if lesson.trouble:
            return False, "NoObjective", f"{amount(self.sizing.capacity)} per replica stands: {lesson.trouble}"
        stands = _sentence(self.sizing)
        if not self._has_replicas:
            return None, "ReplicasUnknown", f"{stands}; nothing is learned: the scale target's replicas are not known"
        if self.missing:
            return None, "ObjectiveMissing", f"{stands}; nothing is learned: {self.missing}"
        if estimate.drifted is not None and now - estimate.drifted.at < _TOLD_FOR:
            has_risen = estimate.drifted.direction is Direction.UP
            return has_risen, "CapacityRose" if has_risen else "CapacityFell", f"{stands}: see what changed"
        return _STATUS[estimate.knowledge], _REASONS[estimate.knowledge], stands


class PolicySizing:
    """All signals of a policy whose capacity is learned; none of them for most policies."""

    def __init__(self, key: PolicyKey, signals: Sequence[SignalPolicy], learning: Mapping[str, Learning]) -> None:
        """Begin with the declared capacities; `learning` is by signal."""
        self._key = key
        self._sized = {each.name: SizedSignal(learning[each.name], each) for each in signals if each.name in learning}
        self._log = logger("capacity")

    def __bool__(self) -> bool:
        return bool(self._sized)

    async def ask(self, now: datetime) -> None:
        """Read the objectives of all signals at once."""
        await asyncio.gather(*(sized.ask(now) for sized in self._sized.values()))

    def learn(
        self, now: datetime, known: Mapping[str, SignalInput], replicas: Replicas | None
    ) -> dict[str, LearnedCapacity]:
        """Take in what was seen at an instant; return the capacities that decisions are to take from now on."""
        found = {}
        for name, sized in self._sized.items():
            drifted, before = sized.sizing.estimate.drifted, sized.sizing.capacity
            learned = sized.learn(now, known[name], replicas)
            estimate = sized.sizing.estimate
            if estimate.drifted not in (None, drifted):
                self._log.warning("capacity_drifted", policy=str(self._key), signal=name, why=estimate.sentence)
            if learned is not None:
                found[name] = learned
                changed = {"capacity": learned.capacity, "before": before, "why": learned.sentence}
                self._log.info("capacity_taken_up", policy=str(self._key), signal=name, **changed)
        return found

    def condition(self, now: datetime) -> Condition | None:
        """Return what is known of the capacities, of the signal first of which least is; None where none is learned."""
        told = [(name, sized.condition(now)) for name, sized in self._sized.items()]
        if not told:
            return None
        name, worst = min(told, key=lambda each: _RANKS[each[1].status])
        return replace(worst, message=f"{name}: {worst.message}") if len(told) > 1 else worst

    def stored(self, name: str) -> dict[str, bytes]:
        """Return what outlives a restart of a signal, by name; empty where its capacity is not learned."""
        sized = self._sized.get(name)
        return {} if sized is None else {f"{_PREFIX}{part}": body for part, body in sized.sizing.stored().items()}

    def restore(self, name: str, stored: Mapping[str, bytes]) -> LearnedCapacity | None:
        """Take up what an earlier process stored; return the capacity that decisions took, None where the declared."""
        sized = self._sized.get(name)
        if sized is None:
            return None
        own = {key.removeprefix(_PREFIX): body for key, body in stored.items() if key.startswith(_PREFIX)}
        sized.sizing.restore(own)
        return sized.sizing.in_use


_RANKS = {False: 0, None: 1, True: 2}
_STATUS = {Knowledge.LEARNED: True, Knowledge.NEVER_KEPT: False, Knowledge.OPEN: None, Knowledge.LEARNING: None}
_REASONS = {
    Knowledge.LEARNED: "Learned",
    Knowledge.NEVER_KEPT: "NeverKept",
    Knowledge.OPEN: "LimitNotSeen",
    Knowledge.LEARNING: "Learning",
}


def _sentence(sizing: Sizing) -> str:
    """Say what decisions take, and what is known now."""
    taken = f"declared capacity {amount(sizing.capacity)}" if sizing.in_use is None else sizing.in_use.sentence
    return f"{taken}; now: {sizing.estimate.sentence}"
