"""How much demand one replica serves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agent.policy.expressions import exactly_one
from agent.policy.fields import RESERVED, Mark, PositiveQuantity, Word
from agent.policy.part import Part, rule


class LearnedCapacity(Part):
    """A capacity that is learned from demand, replicas and an objective."""

    initial: PositiveQuantity = Field(description="Demand units per replica until it is learned.")
    objective: Word | None = Field(None, description="Name of the objective that must hold; all where not set.")


class Capacity(Part):
    """Demand units that one replica serves within its objective."""

    per_replica: PositiveQuantity | None = Field(
        None,
        description="Demand units that one replica serves within its objective: a number or a Kubernetes quantity. "
        "In a cluster a fraction is written as text, such as '0.5' or 500m.",
    )
    learned: Annotated[LearnedCapacity | None, Mark(RESERVED)] = Field(
        None, description="Learn it from demand, replicas and an objective; `initial` counts until then."
    )

    @rule(at="", message="must have exactly one of perReplica, learned", cel=exactly_one("perReplica", "learned"))
    def is_declared_or_learned(self) -> bool:
        """Two capacities would contradict each other."""
        return (self.per_replica is None) != (self.learned is None)

    @property
    def demand_units(self) -> float:
        """The capacity that this version sizes by."""
        return self.per_replica if self.learned is None else self.learned.initial  # type: ignore[return-value]  # rule
