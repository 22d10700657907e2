"""The most that the gRPC port takes from one request, connection, client and namespace, and that a namespace gets."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from agent.configuration.section import Section
from agent.policy.quantities import parse_quantity
from scalers.keda.limits import Limits

_DEFAULT = Limits()


def _count(value: object) -> int:
    number = parse_quantity(value)
    if not number.is_integer():
        raise ValueError("must be a whole number")
    return int(number)


Bytes = Annotated[int, BeforeValidator(_count), Field(ge=1024, le=16 * 1024**2)]
Characters = Annotated[int, BeforeValidator(_count), Field(ge=63, le=1024**2)]
Count = Annotated[int, BeforeValidator(_count), Field(ge=1, le=10_000_000)]


class GrpcLimits(Section):
    """What KEDA itself asks stays far below each default; what is beyond is refused with a reason and this field."""

    message: Bytes = Field(
        _DEFAULT.message_bytes,
        description="Bytes of a request. Kubernetes stores no object above 1.5Mi, so no ScaledObject can make a "
        "GetMetricSpec fail; a lower limit would",
    )
    headers: Bytes = Field(
        _DEFAULT.header_bytes,
        description="Bytes of a call's headers. KEDA sends some 200; a mesh adds certificates, tracing its baggage",
    )
    metadata_entries: Count = Field(
        _DEFAULT.metadata_entries,
        description="Entries of a trigger's `metadata`. KEDA's own and ours are fewer than 20",
    )
    metadata_key: Characters = Field(
        _DEFAULT.metadata_key, description="Characters of one of its keys: the longest name in Kubernetes"
    )
    metadata_value: Characters = Field(
        _DEFAULT.metadata_value,
        description="Characters of one of its values: fits a certificate chain that stands in the wrong place. Values "
        "of keys that end in `FromEnv` are not read, and not measured",
    )
    streams_per_connection: Count = Field(
        _DEFAULT.streams_per_connection,
        description="Open streams, some 25 KiB each. KEDA holds two for each `external-push` trigger, all on one "
        "connection: enough for 20,000 triggers",
    )
    streams_per_client: Count = Field(
        _DEFAULT.streams_per_client,
        description="Open streams of one address. Triggers with other TLS settings are a connection of their own",
    )
    calls_per_second: Count = Field(
        _DEFAULT.calls_per_second,
        description="GetMetrics, IsActive and StreamIsActive for one namespace, in the long run. KEDA asks 0.2 a "
        "second for a ScaledObject with one trigger, 0.6 with three: enough for 10,000 or 3,300, and about what one "
        "core does",
    )
    calls_at_once: Count = Field(
        _DEFAULT.calls_at_once,
        description="The same, at once: a KEDA that starts asks three times for each trigger within seconds",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.streams_per_client < self.streams_per_connection:
            raise ValueError("must have streamsPerClient of at least streamsPerConnection: one client has connections")
        return self

    def to_limits(self) -> Limits:
        """Return the server's limits."""
        return Limits(
            message_bytes=self.message,
            header_bytes=self.headers,
            metadata_entries=self.metadata_entries,
            metadata_key=self.metadata_key,
            metadata_value=self.metadata_value,
            streams_per_connection=self.streams_per_connection,
            streams_per_client=self.streams_per_client,
            calls_per_second=self.calls_per_second,
            calls_at_once=self.calls_at_once,
        )


class NamespaceLimits(Section):
    """What one namespace gets of an agent that serves several."""

    policies: Count | None = Field(
        None,
        description="Policies that are acted on: the oldest ones, in files the first by name. In a cluster each other "
        "one says so in `Ready`. No limit where not set",
    )
