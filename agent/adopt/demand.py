"""By what a workload is scaled today, and which demand of a policy follows from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.adopt.cannot import CannotAdopt
from agent.adopt.finding import Found, Kind
from agent.adopt.today import Today
from agent.policy.quantities import parse_quantity

_RESOURCES = ("Resource", "ContainerResource")
_RESOURCE_TRIGGERS = ("cpu", "memory")
_PROMETHEUS_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")  # of a series
_AVERAGE = "AverageValue"
_FULL = 1.0

_ADAPTER = (
    "the query is a guess from the metric's name: which series it stands for only the configuration of the metrics"
    " adapter says (`seriesQuery` and `metricsQuery` of its rule). Compare both, or give --query"
)
_TARGET_AS_CAPACITY = (
    "today's target {target} is taken as what one replica serves within its objective. If it serves more, say so with"
    " --capacity: the reserve that the target keeps is then Foretide's to use, within the risk"
)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a policy reads, and what stands for it today."""

    query: str  # PromQL
    capacity: float  # demand that one replica serves
    target: float  # today's utilization of that capacity, 0 to 1
    today: str  # what it is scaled by now, in a few words
    replaced: tuple[int, ...]  # triggers of a ScaledObject that go; empty for an HPA
    activation: float = 0.0  # demand at or below it counts as idle
    server: str | None = None  # address that KEDA asks now
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Metric:
    """One metric of an HPA, or trigger of a ScaledObject."""

    shown: str
    place: int
    query: str | None = None  # None where none follows from it
    per_replica: float | None = None  # None where its target is no load of one replica
    utilization: float | None = None
    is_resource: bool = False
    activation: float = 0.0
    server: str | None = None
    notes: tuple[str, ...] = field(default=())


def demand_of(today: Today, *, query: str | None, capacity: float | None) -> Demand:
    """Return the demand that follows from what scales a workload today.

    Args:
        today: what scales it.
        query: the user's own, which counts before any that follows.
        capacity: the user's own.

    Raises:
        CannotAdopt: no query or no capacity follows, and none is given.
    """
    found = today.found
    metrics = _of_hpa(today) if found.kind is Kind.HPA else _of_triggers(found)
    if not metrics:
        raise CannotAdopt(f"{found.shown}: spec.{_field(found)} is empty, so nothing scales it")
    chosen = next((each for each in metrics if each.query and each.per_replica), metrics[0])
    asked, served = query or chosen.query, capacity or chosen.per_replica
    if asked is None or served is None:
        raise CannotAdopt(_missing(found, chosen, query=asked, capacity=served))
    return Demand(
        query=asked.strip(),
        capacity=served,
        target=_target(chosen, served),
        today=", ".join(each.shown for each in metrics),
        replaced=_replaced(found, metrics, chosen),
        activation=chosen.activation,
        server=chosen.server,
        notes=_notes(found, metrics, chosen, is_own_query=query is not None, is_own_capacity=capacity is not None),
    )


def _target(metric: _Metric, capacity: float) -> float:
    """Return at which share of the capacity a replica is loaded today."""
    if metric.per_replica is not None:
        return metric.per_replica / capacity
    return metric.utilization or _FULL


def _of_hpa(today: Today) -> list[_Metric]:
    metrics: Sequence[Mapping[str, Any]] = today.found.document["spec"].get("metrics") or ()
    return [_hpa_metric(today, place, each) for place, each in enumerate(metrics)]


def _hpa_metric(today: Today, place: int, metric: Mapping[str, Any]) -> _Metric:
    kind = metric["type"]
    body = metric[kind[0].lower() + kind[1:]]
    target = body["target"]
    if kind in _RESOURCES:
        percent = target.get("averageUtilization")
        shown = f"{body['name']} at {f'{percent} %' if percent else target.get('averageValue')} of the pods' requests"
        utilization = percent / 100 if percent else None
        return _Metric(shown, place, utilization=utilization, is_resource=True)
    name = body["metric"]["name"]
    is_average = target["type"] == _AVERAGE
    value = str(target.get("averageValue") if is_average else target.get("value"))
    return _Metric(
        f"{kind} metric {name}, {value}{' per replica' if is_average else ' in all'}",
        place,
        query=_query(today, kind, body) if is_average else None,
        per_replica=_number(today.found, f"metrics[{place}]", value) if is_average else None,
        notes=(_ADAPTER,),
    )


def _query(today: Today, kind: str, body: Mapping[str, Any]) -> str | None:
    """Return the query that a metrics adapter's usual rules would make of a metric; None for a name no series has."""
    name = body["metric"]["name"]
    if _PROMETHEUS_NAME.fullmatch(name) is None:
        return None
    labels = [f"{key}={_quoted(value)}" for key, value in _matched(body)]
    if kind != "External":
        labels.append(f"namespace={_quoted(today.found.namespace)}")
    if kind == "Pods":
        labels.append(f"pod=~{_quoted(re.escape(today.target['name']).replace(chr(92) + '-', '-') + '-.+')}")
    if kind == "Object":
        described = body["describedObject"]
        labels.append(f"{described['kind'].lower()}={_quoted(described['name'])}")
    return f"sum({name}{{{','.join(labels)}}})" if labels else f"sum({name})"


def _matched(body: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return sorted(((body["metric"].get("selector") or {}).get("matchLabels") or {}).items())


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _of_triggers(found: Found) -> list[_Metric]:
    triggers: Sequence[Mapping[str, Any]] = found.document["spec"].get("triggers") or ()
    return [_trigger(found, place, each) for place, each in enumerate(triggers)]


def _trigger(found: Found, place: int, trigger: Mapping[str, Any]) -> _Metric:
    path = f"triggers[{place}].metadata"
    kind, metadata = trigger["type"], trigger.get("metadata") or {}
    metric_type = trigger.get("metricType") or metadata.get("type") or _AVERAGE
    if kind in _RESOURCE_TRIGGERS:
        value = metadata.get("value", "")
        is_share = trigger.get("metricType", metadata.get("type", "Utilization")) == "Utilization"
        utilization = _number(found, f"{path}.value", value) / 100 if is_share else None
        shown = f"{kind} at {value}{' %' if is_share else ''} of the pods' requests"
        return _Metric(shown, place, utilization=utilization, is_resource=True)
    if kind != "prometheus":
        return _Metric(f"trigger {kind}", place)
    is_average = metric_type == _AVERAGE
    threshold = str(metadata.get("threshold", ""))
    return _Metric(
        f"trigger prometheus, {threshold}{' per replica' if is_average else ' in all'}",
        place,
        query=metadata.get("query") if is_average else None,
        per_replica=_number(found, f"{path}.threshold", threshold) if is_average else None,
        activation=_number(found, f"{path}.activationThreshold", metadata.get("activationThreshold") or "0"),
        server=metadata.get("serverAddress"),
    )


def _replaced(found: Found, metrics: Sequence[_Metric], chosen: _Metric) -> tuple[int, ...]:
    """Return the triggers that go: that of the demand, and utilizations, which follow demand on a lower way."""
    if found.kind is Kind.HPA:
        return ()
    return tuple(each.place for each in metrics if each is chosen or each.is_resource)


def _missing(found: Found, metric: _Metric, *, query: str | None, capacity: float | None) -> str:
    wanted = [option for option, value in (("--query", query), ("--capacity", capacity)) if value is None]
    because = (
        "how much the pods use of their requests says nothing of what is asked for once they are full"
        if metric.is_resource
        else "its target is no load of one replica in a query that could be read"
    )
    return (
        f"{found.shown}: spec.{_field(found)}[{metric.place}] is {metric.shown}, which is no demand: {because}. Give"
        f" {' and '.join(wanted)}, such as --query 'sum(rate(http_requests_total{{app=\"{found.target}\"}}[1m]))'"
        " --capacity 12, where one replica serves 12 requests per second within its objective"
    )


def _notes(
    found: Found, metrics: Sequence[_Metric], chosen: _Metric, *, is_own_query: bool, is_own_capacity: bool
) -> tuple[str, ...]:
    said = [] if is_own_query else list(chosen.notes)
    if chosen.per_replica is not None and not is_own_capacity:
        said.append(_TARGET_AS_CAPACITY.format(target=f"{chosen.per_replica:g}"))
    if chosen.is_resource and chosen.utilization:
        said.append(
            f"for the comparison today's {100 * chosen.utilization:g} % of the requests counts as as much of --capacity"
        )
    gone = set(_replaced(found, metrics, chosen)) if found.kind is Kind.SCALED_OBJECT else {m.place for m in metrics}
    for each in metrics:
        if each is chosen:
            continue
        fate = (
            "no longer scales it: if it does limit the workload, write it as a further one of the policy's `signals`"
            if each.place in gone
            else "stays beside Foretide's trigger, and the larger of the two counts"
        )
        said.append(f"spec.{_field(found)}[{each.place}], {each.shown}, {fate}")
    if chosen.server is not None and not is_own_query:
        said.append(
            f"KEDA asks {_without_login(chosen.server)} now: the source `default` of the agent must be the same server"
        )
    return tuple(said)


def _number(found: Found, path: str, text: str) -> float:
    try:
        return parse_quantity(text)
    except ValueError as error:
        raise CannotAdopt(f"{found.shown}: spec.{path} is {text!r}, but {error}") from error


def _without_login(address: str) -> str:
    return re.sub(r"//[^/@]*@", "//", address)


def _field(found: Found) -> str:
    return "metrics" if found.kind is Kind.HPA else "triggers"
