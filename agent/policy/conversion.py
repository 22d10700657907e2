"""The document to what decisions read, and what this version leaves aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2s

from agent.policy.calendar import special_days
from agent.policy.capacity import Capacity
from agent.policy.demand import Demand, Signal
from agent.policy.document import ForecastPolicy, Spec
from agent.policy.fields import RESERVED, Mark
from agent.policy.models import resolve_families, resolve_models
from agent.policy.objectives import Lesson, lesson_of
from agent.policy.part import Part
from agent.policy.scaling import Actuator
from agent.policy.window import rate_window
from scalers import policy as scalers_policy
from scalers.policy import Bounds, ScalingPolicy, SignalPolicy

DEMAND = "demand"  # the name of the one signal of the short form


def to_scaling_policy(policy: ForecastPolicy) -> ScalingPolicy:
    """Return what decisions read of a document. Nothing can fail here: the document was checked."""
    spec = policy.spec
    return ScalingPolicy(
        key=policy.key,
        mode=spec.mode,
        signals=tuple(_signal(demand, spec) for demand in spec.all_signals),
        bounds=Bounds(minimum=spec.replicas.min, maximum=spec.replicas.max, gang=spec.replicas.gang),
        risk=spec.risk,
        lead_time=spec.lead_time.declared,
        warm_up=spec.lead_time.warm_up,
        sync=spec.scaling.sync,
        tolerance=spec.scaling.tolerance,
        stabilization=spec.scaling.stabilization,
        activation=spec.scaling.activation,
        when_unknown=spec.scaling.when_unknown,
        stale_forecast=spec.staleness.forecast,
        stale_data=spec.staleness.data,
        horizon=spec.forecast.horizon,
        history=spec.forecast.history,
        models=resolve_models(spec.forecast.models),
        families=resolve_families(spec.forecast.models),
        time_zone=spec.forecast.time_zone,
        calendar=tuple(special_days(entry) for entry in spec.forecast.calendar),
        overrides=tuple(
            scalers_policy.Override(
                replicas=override.replicas,
                since=override.since,
                until=override.until,
                owner=override.owner,
                reason=override.reason,
            )
            for override in spec.overrides
        ),
    )


def signals_by_name(policy: ForecastPolicy) -> dict[str, Demand]:
    """Return each signal's part of the document under the name that decisions know it by."""
    return {_name(demand): demand for demand in policy.spec.all_signals}


def lessons(policy: ForecastPolicy) -> Mapping[str, Lesson]:
    """Return how capacities are learned, by signal; a signal whose capacity is not is left out."""
    spec = policy.spec
    return {
        _name(demand): lesson_of(learned, spec.objectives, step=demand.step, warm_up=spec.lead_time.warm_up)
        for demand in spec.all_signals
        if (learned := _capacity(demand, spec).learned) is not None
    }


def reserved_fields_used(policy: ForecastPolicy) -> tuple[str, ...]:
    """Return the paths of a document that are accepted but not acted on by this version."""
    direct = ("spec.scaling.actuator",) if policy.spec.scaling.actuator is Actuator.DIRECT else ()
    return (*_unread_objectives(policy), *_reserved(policy.spec, "spec"), *direct)


def _unread_objectives(policy: ForecastPolicy) -> tuple[str, ...]:
    """Return the objectives by which no capacity is learned: nothing else acts on them."""
    objectives = policy.spec.objectives
    read = {question.objective for lesson in lessons(policy).values() for question in lesson.questions}
    unread = tuple(f"spec.objectives[{index}]" for index, each in enumerate(objectives) if each.name not in read)
    return unread if len(unread) < len(objectives) else ("spec.objectives",)[: len(unread)]


def _reserved(part: Part, path: str) -> Iterator[str]:
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        where = f"{path}.{field.alias}"
        if Mark(RESERVED) in field.metadata:
            if value:
                yield where
        elif isinstance(value, Part):
            yield from _reserved(value, where)
        elif isinstance(value, tuple):
            for index, entry in enumerate(value):
                if isinstance(entry, Part):
                    yield from _reserved(entry, f"{where}[{index}]")


def _name(demand: Demand) -> str:
    return demand.name if isinstance(demand, Signal) else DEMAND


def _meaning(demand: Demand) -> str:
    """Return a fingerprint of what makes a sample mean what it does: the source and its question, not the capacity."""
    asked = demand.model_dump_json(by_alias=True, exclude={"name", "capacity", "delay"}, exclude_none=True)
    return blake2s(asked.encode(), digest_size=6).hexdigest()


def _capacity(demand: Demand, spec: Spec) -> Capacity:
    capacity = (demand.capacity if isinstance(demand, Signal) else None) or spec.capacity
    if capacity is None:
        raise AssertionError(f"spec.capacity of signal {_name(demand)} is missing though the document was checked")
    return capacity


def _signal(demand: Demand, spec: Spec) -> SignalPolicy:
    return SignalPolicy(
        name=_name(demand),
        meaning=_meaning(demand),
        step=demand.step,
        delay=demand.delay,
        window=rate_window(demand.prometheus.query if demand.prometheus else ""),
        capacity=_capacity(demand, spec).demand_units,
    )
