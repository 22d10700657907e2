"""The ForecastPolicy document: the one source of validation, of the CRD and of the reference page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal, cast

from pydantic import ConfigDict, Field, JsonValue, model_validator

from agent.policy import expressions
from agent.policy.capacity import Capacity
from agent.policy.demand import Demand, Signal
from agent.policy.fields import RESERVED, Label, Mark, Share, ShareBelow, Subdomain, Word
from agent.policy.objectives import Objective
from agent.policy.part import Part, rule
from agent.policy.reserved import Drain, Hints
from agent.policy.scaling import Forecast, LeadTime, Override, Replicas, Scaling, Staleness
from scalers.policy import Mode, PolicyKey

GROUP: Final = "foretide.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "ForecastPolicy"

# What the API server adds to metadata: `kubectl get -o yaml` shows it, and it says nothing about scaling.
SERVER_FIELDS: Final = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)


class Metadata(Part):
    """Name and namespace, as in Kubernetes."""

    name: Subdomain = Field(description="Name; what a ScaledObject's trigger says as `policy`.")
    namespace: Label = Field("default", description="Namespace.")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels; of no meaning to Foretide.")
    annotations: dict[str, str] = Field(default_factory=dict, description="Annotations; of no meaning to Foretide.")

    @model_validator(mode="before")
    @classmethod
    def _without_server_fields(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {key: entry for key, entry in value.items() if key not in SERVER_FIELDS}


class ScaleTargetRef(Part):
    """The object whose replicas follow the demand."""

    api_version: Word = Field("apps/v1", description="API group and version of the scale target.")
    kind: Word = Field("Deployment", description="Kind of the scale target.")
    name: Subdomain = Field(description="Name of the scale target, in the policy's namespace.")


def _reach(signal: str) -> str:
    ahead = ("self.leadTime.declared", "self.leadTime.warmUp", "self.scaling.sync", f"{signal}.step", f"{signal}.delay")
    return f"{' + '.join(map(expressions.milliseconds, ahead))} <= {expressions.milliseconds('self.forecast.horizon')}"


class Spec(Part):
    """What to scale, by which demand, and how."""

    mode: Mode = Field(Mode.SHADOW, description="Shadow: recommend only. Active: KEDA gets the answer.")
    scale_target_ref: ScaleTargetRef = Field(description="The object whose replicas follow the demand.")
    demand: Demand | None = Field(None, description="The one demand signal; short form of one entry of `signals`.")
    signals: Annotated[tuple[Signal, ...], Field(min_length=1, max_length=8)] | None = Field(
        None,
        description="Several demand signals; the answer is the largest need.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    capacity: Capacity | None = Field(None, description="What one replica serves.")
    replicas: Replicas = Field(description="Inclusive bounds.")
    risk: Annotated[Share, ShareBelow(50)] = Field(
        0.01, description="Share of time that demand may exceed ready capacity: the one knob between cost and shortage."
    )
    lead_time: LeadTime = Field(description="Start-up of a replica.")
    forecast: Forecast = Field(default_factory=Forecast, description="What is foretold, and by which models.")
    scaling: Scaling = Field(default_factory=Scaling, description="What moves the replicas, and how it behaves.")
    staleness: Staleness = Field(default_factory=Staleness, description="How old knowledge may be.")
    objectives: Annotated[tuple[Objective, ...], Field(max_length=8)] = Field(
        (),
        description="What a user of the workload should see. `capacity.learned` reads them; nothing else acts on them "
        "in this version.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    drain: Annotated[Drain | None, Mark(RESERVED)] = Field(None, description="How soon a backlog must be gone.")
    hints: Annotated[Hints | None, Mark(RESERVED)] = Field(
        None, description="What Foretide tells node autoscalers and VPA."
    )
    overrides: Annotated[tuple[Override, ...], Field(max_length=16)] = Field(
        (), description="Floors that people set for a time."
    )
    # Open in a file. The API server keeps none of it until there are fields: what it kept now, it might refuse then.
    alerts: Annotated[dict[str, JsonValue] | None, Mark(RESERVED)] = Field(None, description="What people are told.")

    @rule(at="", message="must have exactly one of demand, signals", cel=expressions.exactly_one("demand", "signals"))
    def has_demand_or_signals(self) -> bool:
        """`demand` is the short form of one signal, not one more."""
        return (self.demand is None) != (self.signals is None)

    @rule(at="signals", message="must have unique names", cel=None)
    def names_signals_apart(self) -> bool:
        """Metrics and decisions tell signals apart by name."""
        names = [signal.name for signal in self.signals or ()]
        return len(names) == len(set(names))

    @rule(at="objectives", message="must have unique names", cel=None)
    def names_objectives_apart(self) -> bool:
        """Alerts tell objectives apart by name."""
        names = [objective.name for objective in self.objectives]
        return len(names) == len(set(names))

    @rule(
        at="capacity",
        message="must be given, here or in each entry of signals",
        cel="has(self.capacity) || (has(self.signals) && self.signals.all(s, has(s.capacity)))",
    )
    def sizes_each_signal(self) -> bool:
        """Demand says nothing about replicas without a capacity."""
        return self.capacity is not None or all(getattr(signal, "capacity", None) for signal in self.all_signals)

    @rule(
        at="forecast.horizon",
        message="must be at least the look-ahead: leadTime.declared and warmUp, scaling.sync, step and delay together",
        cel=f"(!has(self.demand) || {_reach('self.demand')}) && "
        f"(!has(self.signals) || self.signals.all(s, {_reach('s')}))",
    )
    def foretells_the_look_ahead(self) -> bool:
        """A decision reads the forecast up to the end of the look-ahead."""
        of_signals = max((signal.step + signal.delay for signal in self.all_signals), default=timedelta(0))
        ahead = self.lead_time.declared + self.lead_time.warm_up + self.scaling.sync + of_signals
        return ahead <= self.forecast.horizon

    @rule(
        at="overrides",
        message="must not ask for more than replicas.max",
        cel="!has(self.overrides) || self.overrides.all(o, o.replicas <= self.replicas.max)",
    )
    def bounds_overrides(self) -> bool:
        """A floor above the most replicas could not be kept."""
        return all(override.replicas <= self.replicas.max for override in self.overrides)

    @property
    def all_signals(self) -> tuple[Demand, ...]:
        """The signals, in the short form or the long one."""
        return self.signals or ((self.demand,) if self.demand else ())


class ForecastPolicy(Part):
    """A ForecastPolicy: a custom resource in a cluster, a file without one."""

    model_config = ConfigDict(title=KIND)

    api_version: Literal["foretide.dev/v1alpha1"] = Field(description="API group and version.")
    kind: Literal["ForecastPolicy"] = Field(description="Kind.")
    metadata: Metadata = Field(description="Name and namespace.")
    spec: Spec = Field(description="What to scale, by which demand, and how.")

    @model_validator(mode="before")
    @classmethod
    def _without_status(cls, value: object) -> object:
        """Drop what an agent wrote about the policy: it is no part of what a person asks for."""
        if not isinstance(value, Mapping):
            return value
        return {key: entry for key, entry in value.items() if key != "status"}

    @property
    def key(self) -> PolicyKey:
        """Namespace and name."""
        return PolicyKey(namespace=self.metadata.namespace, name=self.metadata.name)


def document_json(policy: ForecastPolicy) -> dict[str, object]:
    """Return the document with defaults filled in, values as people write them; a file or a cluster takes it back."""
    return cast("dict[str, object]", policy.model_dump(mode="json", by_alias=True, exclude_none=True))
