"""How much demand one replica serves: declared, derived from how it works, or learned."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from agent.policy.expressions import exactly_one, milliseconds
from agent.policy.fields import (
    Count,
    Duration,
    Lasting,
    PositiveQuantity,
    Quantity,
    Share,
    ShareBelow,
    Word,
)
from agent.policy.part import Part, rule
from scalers.capacity.saturation import Measured, capacity_of_measured
from scalers.capacity.waiting import Service, WaitObjective, highest_rate

KINDS = ("perReplica", "learned", "concurrency", "loadTest")
_UNITS = "Demand units that one request counts for, such as tokens where the demand is tokens per second."


class LearnedCapacity(Part):
    """A capacity that is learned from demand, replicas and an objective."""

    initial: PositiveQuantity = Field(description="Demand units per replica until it is learned.")
    objective: Word | None = Field(
        None, description="Name of the objective that must hold; all that have a query where not set."
    )
    confidence: Annotated[Share, ShareBelow(100)] = Field(
        0.9, description="How sure the interval is whose low end decisions take."
    )
    window: Annotated[Duration, Lasting("15s", "1h")] = Field(
        timedelta(minutes=5),
        description="Time over which the objective's query averages; the share of good requests is taken over it.",
    )


class Concurrency(Part):
    """A capacity that follows from requests waiting for a slot of a replica, each replica with a queue of its own."""

    slots: Annotated[Count, Field(ge=1, le=4096)] = Field(
        description="Requests that one replica works on at once, such as the largest batch of a model server."
    )
    service_time: Annotated[Duration, Lasting("1ms", "1h")] = Field(
        description="Mean time of a request in a slot while all slots are busy."
    )
    variation: Quantity = Field(
        1.0,
        description="Standard deviation of that time over its mean; 1 as for exponential times, 0 where all are alike.",
    )
    wait: Annotated[Duration, Lasting("0s", "1h")] = Field(description="Longest wait for a slot that is still well.")
    kept: Annotated[Share, ShareBelow(100)] = Field(0.99, description="Share of the requests that may wait no longer.")
    units_per_request: PositiveQuantity = Field(1.0, description=_UNITS)

    @property
    def demand_units(self) -> float:
        """What one replica serves while enough requests wait shortly enough."""
        objective = WaitObjective(self.wait.total_seconds(), self.kept)
        service = Service(self.service_time.total_seconds(), self.variation)
        return self.units_per_request * highest_rate(objective, self.slots, service)


class LoadTestPoint(Part):
    """One step of a load test."""

    concurrency: Annotated[Count, Field(ge=1, le=100_000)] = Field(
        description="Requests that were in the replica all the time."
    )
    time: Annotated[Duration, Lasting("1ms", "1h")] = Field(description="Mean time that a request then took.")


class LoadTest(Part):
    """A capacity that follows from a load test of one replica, whose throughput saturates."""

    points: Annotated[tuple[LoadTestPoint, ...], Field(min_length=3, max_length=16)] = Field(
        description="Steps of the test; the highest concurrency is the most that is counted on.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["concurrency"]},
    )
    within: Annotated[Duration, Lasting("1ms", "1h")] = Field(
        description="Longest mean time of a request that is well."
    )
    units_per_request: PositiveQuantity = Field(1.0, description=_UNITS)

    @rule(at="points", message="must have unique concurrencies", cel=None)
    def tells_points_apart(self) -> bool:
        """Two times at one concurrency would be one time that varies."""
        return len({point.concurrency for point in self.points}) == len(self.points)

    @rule(
        at="within",
        message="must be reached at one of the points",
        cel=f"self.points.exists(p, {milliseconds('p.time')} <= {milliseconds('self.within')})",
    )
    def can_be_kept(self) -> bool:
        """Where no point was fast enough, no number of replicas is."""
        return any(point.time <= self.within for point in self.points)

    @property
    def demand_units(self) -> float:
        """What one replica serves within the time."""
        points = [Measured(point.concurrency, point.concurrency / point.time.total_seconds()) for point in self.points]
        return self.units_per_request * capacity_of_measured(points, within=self.within.total_seconds())


class Capacity(Part):
    """Demand units that one replica serves within its objective."""

    per_replica: PositiveQuantity | None = Field(
        None,
        description="Demand units that one replica serves within its objective: a number or a Kubernetes quantity. "
        "In a cluster a fraction is written as text, such as '0.5' or 500m.",
    )
    learned: LearnedCapacity | None = Field(
        None, description="Learn it from demand, replicas and an objective; `initial` counts until then."
    )
    concurrency: Concurrency | None = Field(
        None, description="Derive it from the requests that a replica works on at once and the wait that is well."
    )
    load_test: LoadTest | None = Field(
        None, description="Derive it from a load test of one replica and the time that a request may take."
    )

    @rule(at="", message=f"must have exactly one of {', '.join(KINDS)}", cel=exactly_one(*KINDS))
    def is_of_one_kind(self) -> bool:
        """Two capacities would contradict each other."""
        kinds = (self.per_replica, self.learned, self.concurrency, self.load_test)
        return sum(kind is not None for kind in kinds) == 1

    @property
    def demand_units(self) -> float:
        """What one replica serves by the document alone, above 0; of a learned one what counts until it is learned."""
        if self.learned is not None:
            return self.learned.initial
        derived = self.concurrency or self.load_test
        return self.per_replica if derived is None else derived.demand_units  # type: ignore[return-value]  # rule
