"""How replicas may move: bounds, lead time, forecast, the HPA's own settings, staleness, overrides."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from agent.policy import expressions
from agent.policy.calendar import CalendarEntry
from agent.policy.fields import (
    Count,
    Duration,
    Instant,
    Lasting,
    OneOf,
    Quantity,
    Share,
    ShareBelow,
    Text,
    Word,
)
from agent.policy.models import AUTO, LEAVES_A_MODEL, WRITABLE, resolve_families, resolve_models
from agent.policy.part import Part, rule
from agent.policy.zones import UTC, TimeZone
from scalers.policy import WhenUnknown

MOST_REPLICAS = 100_000

ReplicaCount = Annotated[Count, Field(ge=0, le=MOST_REPLICAS)]


class Actuator(StrEnum):
    """Who moves the replicas."""

    HPA = "HPA"
    DIRECT = "Direct"


class Replicas(Part):
    """Inclusive bounds."""

    min: ReplicaCount = Field(1, description="Fewest replicas; 0 allows scale to zero.")
    max: Annotated[Count, Field(ge=1, le=MOST_REPLICAS)] = Field(description="Most replicas.")
    gang: Annotated[Count, Field(ge=1, le=MOST_REPLICAS)] = Field(
        1, description="Replicas that are useful only together; sizes are whole gangs."
    )

    @rule(at="min", message="must be at most max", cel="self.min <= self.max")
    def are_ordered(self) -> bool:
        """Bounds with nothing between them allow no answer."""
        return self.min <= self.max

    @rule(at="min", message="must be a multiple of gang", cel="self.min % self.gang == 0")
    def has_whole_gangs_at_least(self) -> bool:
        """A part of a gang serves nothing."""
        return self.min % self.gang == 0

    @rule(at="max", message="must be a multiple of gang", cel="self.max % self.gang == 0")
    def has_whole_gangs_at_most(self) -> bool:
        """A part of a gang serves nothing."""
        return self.max % self.gang == 0


class LeadTime(Part):
    """Start-up of a replica."""

    declared: Annotated[Duration, Lasting("1ms", "1d")] = Field(
        description="Start-up of a replica, created to Ready; counts until it is measured."
    )
    warm_up: Annotated[Duration, Lasting("0s", "1h")] = Field(
        timedelta(0),
        description="Time after Ready in which a replica does not serve its whole capacity yet, such as for filling "
        "caches or compiling; decisions look further ahead by it.",
    )


class Forecast(Part):
    """What is foretold, and by which models."""

    history: Annotated[Duration, Lasting("1h", "366d")] = Field(
        timedelta(days=14), description="How much of the past is used; two weeks show a weekday twice."
    )
    horizon: Annotated[Duration, Lasting("1m", "7d")] = Field(
        timedelta(hours=1), description="How far the forecast reaches; at least the look-ahead."
    )
    models: Annotated[tuple[Annotated[str, OneOf(WRITABLE)], ...], Field(min_length=1, max_length=16)] = Field(
        (AUTO,),
        description="Models that may be trusted: `auto` for the usual ones, names to add to them, `-name` to "
        "forbid one.",
    )
    time_zone: TimeZone = Field(
        UTC,
        description="Time zone by whose clock the demand rises and falls, such as Europe/Berlin: after a clock change "
        "the same local time of the days before is looked at.",
    )
    calendar: Annotated[tuple[CalendarEntry, ...], Field(max_length=16)] = Field(
        (),
        description="Days that are unlike others, by local time: left out of what is usual, and foretold from earlier "
        "days of the same entry, or from Sundays. Public holidays of a country or of a part of it (`DE`, `DE-BY`), "
        "days and spans (`2026-12-24`, `2026-11-27/2026-11-30`), for each year without it (`12-24`), several with "
        "commas between them. Of a day that several entries name, the first counts.",
    )

    @rule(at="models", message="must leave at least one model: add auto or a name without a dash", cel=LEAVES_A_MODEL)
    def leaves_a_model(self) -> bool:
        """Without a model there is no forecast."""
        return bool(resolve_models(self.models) or resolve_families(self.models))


class Scaling(Part):
    """What moves the replicas, and how it behaves; the defaults are Kubernetes' own."""

    actuator: Actuator = Field(Actuator.HPA, description="Who moves the replicas: an HPA (by KEDA), or Foretide.")
    tolerance: Annotated[Share, ShareBelow(100, is_zero_allowed=True)] = Field(
        0.1, description="The HPA's tolerance: a relative change within it moves nothing."
    )
    sync: Annotated[Duration, Lasting("1s", "10m")] = Field(timedelta(seconds=15), description="The HPA's period.")
    stabilization: Annotated[Duration, Lasting("0s", "1h")] = Field(
        timedelta(minutes=5), description="The HPA's stabilization window for scaling in."
    )
    activation: Quantity = Field(0.0, description="Demand at or below it counts as idle.")
    when_unknown: WhenUnknown = Field(
        WhenUnknown.WAKE, description="At zero replicas with demand unknown: wake one, or stay at zero."
    )


class Staleness(Part):
    """How old knowledge may be."""

    forecast: Annotated[Duration, Lasting("1s", "1d")] = Field(
        timedelta(minutes=5), description="Age after which a forecast no longer raises the answer."
    )
    data: Annotated[Duration, Lasting("1s", "1d")] = Field(
        timedelta(minutes=10), description="Age of the newest sample after which KEDA gets an error."
    )

    @rule(
        at="forecast",
        message="must be at most data",
        cel=f"{expressions.milliseconds('self.forecast')} <= {expressions.milliseconds('self.data')}",
    )
    def is_ordered(self) -> bool:
        """A forecast rests on data, so it is not trusted longer than they are."""
        return self.forecast <= self.data


class Override(Part):
    """A floor that a person sets for a time."""

    replicas: ReplicaCount = Field(description="Fewest replicas in that time; at most replicas.max.")
    since: Instant = Field(alias="from", description="Beginning.")
    until: Instant = Field(description="End.")
    owner: Word = Field(description="Who asked for it.")
    reason: Text = Field(description="Why.")

    @rule(at="until", message="must be after from", cel="self.from < self.until")
    def has_a_span(self) -> bool:
        """An override that ends before it begins never counts."""
        return self.since < self.until
