"""Demand units per replica, learned while the service runs: how much, how sure, and told when it changed.

Decisions take the low end of what is sure. Until enough is known, and wherever nothing contradicts it, the declared
capacity stands. What no replica ever carried is not claimed: at most `MOST_ABOVE_SEEN` times the highest load at which
the objective was kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from forecasters.packing import Packed, UnreadableState, pack, unpack
from scalers.capacity.drift import FALLEN_TO, SAMPLES_BETWEEN_FALSE_ALARMS, Direction, Drift
from scalers.capacity.evidence import Evidence, Interval
from scalers.capacity.objective import Limit
from scalers.capacity.watching import Observation, Sample, Taken, Watch

MOST_ABOVE_SEEN = 1.1

_KIND, _VERSION = "learned capacity", 1
_FEWEST = 60.0  # samples, an hour of minutes, before anything is said
_FEWEST_KEPT = 5.0  # samples that kept the objective at a load before that load counts as seen
_NARROW = 1.5  # the interval's high end over its low one, at which the capacity counts as known


class Knowledge(StrEnum):
    """How much is known."""

    LEARNING = "learning"  # too few samples: what stood before stands
    OPEN = "open"  # known from one side at most, mostly because the limit was never reached
    NEVER_KEPT = "never kept"  # missed at every load: more replicas may not help, what stood before stands
    LEARNED = "learned"  # known from both sides: the low end answers


@dataclass(frozen=True, slots=True)
class LearningPolicy:
    """What is learned, and how carefully."""

    declared: float  # demand units per replica until it is learned, above 0
    limit: Limit
    confidence: float = 0.9  # of the interval: the capacity lies below its low end with half of what is left
    window: timedelta = timedelta(minutes=5)  # over which the objective's value averages
    warm_up: timedelta = timedelta(0)  # after Ready, until a replica serves its whole capacity
    samples_between_false_alarms: float = SAMPLES_BETWEEN_FALSE_ALARMS

    def __post_init__(self) -> None:
        if not self.declared > 0.0:
            raise ValueError(f"declared capacity must be above 0, got {self.declared}")
        if not 0.0 < self.confidence < 1.0:
            raise ValueError(f"confidence must be in (0, 1), got {self.confidence}")


@dataclass(frozen=True, slots=True)
class Drifted:
    """A change that was noticed."""

    at: datetime
    direction: Direction
    before: float  # the capacity that had been learned, demand units


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one replica serves, as far as it is known."""

    capacity: float  # what decisions take, demand units per replica
    knowledge: Knowledge
    interval: Interval | None  # None while learning
    seen: float | None  # highest load at which the objective was kept; None where it never was
    samples: float  # that are remembered
    drifted: Drifted | None  # the newest change

    @property
    def sentence(self) -> str:
        """What a person reads."""
        said = {
            Knowledge.LEARNING: f"{self.capacity:.4g} stands: {self.samples:.0f} of {_FEWEST:.0f} samples are there",
            Knowledge.OPEN: f"{self.capacity:.4g}: the objective was kept up to {_number(self.seen)} per replica, and "
            "where it begins to be missed is not known",
            Knowledge.NEVER_KEPT: f"{self.capacity:.4g} stands: the objective was missed at every load, so more "
            "replicas may not help",
            Knowledge.LEARNED: f"{self.capacity:.4g} per replica, learned from {self.samples:.0f} samples with loads "
            f"up to {_number(self.seen)}",
        }[self.knowledge]
        if self.drifted is None:
            return said
        went = "fell" if self.drifted.direction is Direction.DOWN else "rose"
        return f"{said}; it {went} from {self.drifted.before:.4g} at {self.drifted.at:%Y-%m-%d %H:%M} UTC"


class CapacityLearner:
    """Learns from one observation after the other. Changes in place; for one thread; some 8 KiB."""

    def __init__(self, policy: LearningPolicy) -> None:
        """Begin with what is declared."""
        self._policy = policy
        self._watch = Watch(policy.limit, window=policy.window, warm_up=policy.warm_up)
        self._evidence = Evidence(policy.declared)
        self._standing = policy.declared  # what counts while nothing better is known
        self._drift = Drift()
        self._before = self._evidence  # what was known when nothing spoke for a drift: both sums were 0
        self._since = {direction: Evidence(policy.declared) for direction in Direction}  # since its sum was last 0
        self._drifted: Drifted | None = None
        self._estimate = self._estimated()

    @property
    def estimate(self) -> Estimate:
        """What is known after the newest observation."""
        return self._estimate

    def observe(self, observation: Observation) -> Taken:
        """Take in an observation, and say what became of it."""
        seen = self._watch.see(observation)
        if isinstance(seen, Taken):
            return seen
        if self._estimate.knowledge is Knowledge.LEARNED:
            self._compare(seen, observation.at)
        self._evidence.add(seen.load, is_kept=seen.is_kept)
        self._estimate = self._estimated()
        if self._estimate.knowledge is Knowledge.LEARNED:
            self._standing = self._estimate.capacity
        return Taken.COUNTED

    def encode(self) -> bytes:
        """Return what outlives a restart, under 8 KiB; what was being watched is watched anew."""
        numbers = {"declared": self._policy.declared, "standing": self._standing}
        numbers |= {"down": self._drift.down, "up": self._drift.up}
        if self._drifted is not None:
            numbers |= {"drifted at": self._drifted.at.timestamp(), "drifted from": self._drifted.before}
        texts = {} if self._drifted is None else {"drifted": self._drifted.direction.name}
        tables = {"all": self._evidence, "before": self._before} | {
            direction.name: self._since[direction] for direction in Direction
        }
        return pack(Packed(_KIND, _VERSION, texts, numbers, {}, {name: each.table() for name, each in tables.items()}))

    @classmethod
    def decode(cls, body: bytes, policy: LearningPolicy) -> CapacityLearner:
        """Return what was encoded; begin anew where another capacity is declared now, for it is what loads relate to.

        Raises:
            UnreadableState: the bytes are damaged or of an unknown version.
        """
        packed, found = unpack(body, kind=_KIND, version=_VERSION), cls(policy)
        try:
            if packed.numbers["declared"] == policy.declared:
                found._take_up(packed)
        except (KeyError, ValueError, OverflowError) as error:
            raise UnreadableState(f"stored {_KIND} lacks or misstates a field ({error}): learn anew") from error
        return found

    def _take_up(self, packed: Packed) -> None:
        declared, numbers = self._policy.declared, packed.numbers
        self._evidence = Evidence.of_table(declared, packed.singles["all"])
        self._before = Evidence.of_table(declared, packed.singles["before"])
        self._since = {each: Evidence.of_table(declared, packed.singles[each.name]) for each in Direction}
        self._drift = Drift(down=numbers["down"], up=numbers["up"])
        self._standing = numbers["standing"]
        if "drifted" in packed.texts:
            at = datetime.fromtimestamp(numbers["drifted at"], tz=UTC)
            self._drifted = Drifted(at, Direction[packed.texts["drifted"]], numbers["drifted from"])
        self._estimate = self._estimated()

    def _compare(self, sample: Sample, at: datetime) -> None:
        """Compare a sample with what was known before anything spoke for a drift; on one go on with what came since."""
        if self._drift == Drift():
            self._before = self._evidence.copy()
        interval = self._before.interval(self._policy.confidence)
        self._drift = self._drift.after(sample.load, is_kept=sample.is_kept, interval=interval, learned=self._before)
        for direction, total in ((Direction.DOWN, self._drift.down), (Direction.UP, self._drift.up)):
            if total == 0.0:
                self._since[direction] = Evidence(self._policy.declared)
            else:
                self._since[direction].add(sample.load, is_kept=sample.is_kept)
        went = self._drift.alarm(self._policy.samples_between_false_alarms)
        if went is not None:
            self._begin_anew(went, interval, at)

    def _begin_anew(self, went: Direction, interval: Interval, at: datetime) -> None:
        _, before = self._known(interval, self._before.highest_kept(_FEWEST_KEPT))
        self._drifted = Drifted(at, went, before)
        self._standing = FALLEN_TO * interval.low if went is Direction.DOWN else before
        self._evidence = self._since[went]
        self._since = {direction: Evidence(self._policy.declared) for direction in Direction}
        self._drift = Drift()

    def _estimated(self) -> Estimate:
        samples, seen = self._evidence.samples, self._evidence.highest_kept(_FEWEST_KEPT)
        if samples < _FEWEST:
            return Estimate(self._standing, Knowledge.LEARNING, None, seen, samples, self._drifted)
        interval = self._evidence.interval(self._policy.confidence)
        knowledge, capacity = self._known(interval, seen)
        return Estimate(capacity, knowledge, interval, seen, samples, self._drifted)

    def _known(self, interval: Interval, seen: float | None) -> tuple[Knowledge, float]:
        if seen is None:
            return Knowledge.NEVER_KEPT, self._standing
        proven = min(interval.low, MOST_ABOVE_SEEN * seen)
        if interval.ratio <= _NARROW:
            return Knowledge.LEARNED, proven
        # nothing contradicts what stands while it lies within the interval; else the nearer end is taken
        return Knowledge.OPEN, max(min(self._standing, interval.high), proven)


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.3g}"
