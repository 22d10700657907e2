"""Where a policy's demand comes from: one kind of source per signal, sampled on a regular step."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from agent.policy.capacity import Capacity
from agent.policy.expressions import exactly_one
from agent.policy.fields import FILES_ONLY, RESERVED, Duration, Label, Lasting, Mark, Query, Text, Word
from agent.policy.part import Part, rule

KINDS = ("prometheus", "kafka", "queue", "csv", "preset", "simulator")
KINDS_IN_A_CLUSTER = ("prometheus", "kafka", "queue", "preset")


class PrometheusDemand(Part):
    """Demand as a PromQL query."""

    query: Query = Field(
        description="PromQL that gives one series or a scalar: the demand now, in the unit of `capacity`. Its longest "
        "range selector (`[1m]`) is taken as the time it averages over."
    )


class KafkaDemand(Part):
    """Demand as the lag and inflow of a consumer group."""

    topic: Word = Field(description="Topic that the consumer group reads.")
    consumer_group: Word = Field(description="Consumer group whose lag is the demand.")


class QueueDemand(Part):
    """Demand as the work that waits in a Kubernetes queue."""

    kind: Word = Field(description="Kind of queue, such as Kueue, Volcano or Job.")
    unit: Word = Field("pods", description="What is counted, such as pods or gpus.")
    name: Word | None = Field(None, description="Name of the queue; all of the namespace where not set.")


class CsvDemand(Part):
    """Demand as a file that the agent can read."""

    path: Text = Field(description="Path of a CSV file on the agent's disk.")
    timestamp: Word = Field("timestamp", description="Column of the instants: unix seconds or ISO 8601.")
    value: Word = Field("value", description="Column of the demand.")


class PresetDemand(Part):
    """Demand by a query that Foretide knows for a serving system."""

    name: Word = Field(description="Name of the preset.")
    parameters: Annotated[dict[Word, Text], Field(max_length=16)] = Field(
        default_factory=dict, description="What the preset's query needs to know."
    )


class SimulatorDemand(Part):
    """Demand of the demo's simulated load; nothing to set."""


class Demand(Part):
    """One demand signal without a name: the short form of `signals`."""

    source: Label = Field("default", description="A source of the agent's configuration.")
    prometheus: PrometheusDemand | None = Field(None, description="Demand as a PromQL query.")
    kafka: Annotated[KafkaDemand | None, Mark(RESERVED)] = Field(None, description="Demand as a consumer group's lag.")
    queue: Annotated[QueueDemand | None, Mark(RESERVED)] = Field(None, description="Demand as work that waits.")
    csv: Annotated[CsvDemand | None, Mark(FILES_ONLY)] = Field(
        None, description="Demand as a CSV file. In policy files only: an object in a cluster may not name a file."
    )
    preset: Annotated[PresetDemand | None, Mark(RESERVED)] = Field(
        None, description="Demand by a query that Foretide knows for a serving system."
    )
    simulator: Annotated[SimulatorDemand | None, Mark(FILES_ONLY)] = Field(
        None, description="The simulated load of `foretide demo`. In policy files only."
    )
    step: Annotated[Duration, Lasting("1s", "1h")] = Field(
        timedelta(seconds=15), description="Spacing of the samples: the source's own, so that no sample is read twice."
    )
    delay: Annotated[Duration, Lasting("0s", "1h")] = Field(
        timedelta(0), description="How late the source is (Thanos, Mimir, exporters)."
    )

    @rule(
        at="",
        message=f"must have exactly one of {', '.join(KINDS_IN_A_CLUSTER)}, or in a file csv or simulator",
        cel=exactly_one(*KINDS_IN_A_CLUSTER),
    )
    def has_one_kind(self) -> bool:
        """Several kinds would be several demands; none cannot be read."""
        return sum(getattr(self, kind) is not None for kind in KINDS) == 1


class Signal(Demand):
    """One of several demand signals."""

    name: Label = Field(description="Name in metrics, decisions and on the page.")
    capacity: Capacity | None = Field(None, description="Capacity for this signal; the policy's where not set.")
