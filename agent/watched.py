"""A policy as it is given to the engine, and at work there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from agent.decider import Decider
from agent.signal import Signal
from agent.sizing import Learning, PolicySizing
from agent.snapshot import Condition, Unseen
from agent.sources.source import Source, SourceError
from scalers.decision import Replicas
from scalers.policy import PolicyKey, ScalingPolicy


class ReplicaSource(Protocol):
    """Who knows the replicas of a policy's scale target."""

    def observed(self, key: PolicyKey) -> Replicas | None:
        """Return the newest observation; None is unknown."""
        ...

    def unseen(self, key: PolicyKey) -> Unseen | None:
        """Return why it is unknown, where a person can do something about it."""
        ...


class UnobservedReplicas:
    """Nobody looks at the scale target: the plain need is the answer."""

    def observed(self, key: PolicyKey) -> Replicas | None:  # noqa: ARG002 - the port's signature
        """Return None, unknown."""
        return None

    def unseen(self, key: PolicyKey) -> Unseen | None:  # noqa: ARG002 - the port's signature
        """Return None: it is nobody's fault."""
        return None


@dataclass(frozen=True, slots=True)
class Assignment:
    """One policy as the engine gets it."""

    policy: ScalingPolicy
    document: Mapping[str, object]  # the ForecastPolicy as JSON, for people
    reserved: tuple[str, ...]  # paths of the document that this version does not act on
    sources: Mapping[str, Source | SourceError]  # by signal; an error stands for a source that cannot be asked at all
    learning: Mapping[str, Learning] = field(default_factory=dict)  # by signal whose capacity is learned

    def is_same(self, other: Assignment) -> bool:
        """Whether nothing is decided otherwise; a query that was mended is seen in the document only."""
        return (self.policy, self.document) == (other.policy, other.document)


@dataclass(slots=True)
class Watched:
    """One policy at work."""

    assignment: Assignment
    decider: Decider
    sizing: PolicySizing
    conditions: tuple[Condition, ...] = ()
    mends: dict[str, str] = field(default_factory=dict)  # by signal that is missing
    warnings: dict[str, tuple[str, ...]] = field(default_factory=dict)  # what sources said beside their samples

    @property
    def key(self) -> PolicyKey:
        """The policy's namespace and name."""
        return self.assignment.policy.key

    def pairs(self) -> list[tuple[Signal, Source | SourceError]]:
        """Return each signal with its source."""
        return [(signal, self.assignment.sources[name]) for name, signal in self.decider.signals.items()]
