"""LimitRanges: what they give to containers that ask for nothing, and which pods they refuse.

Mirrors kubernetes plugin/pkg/admission/limitranger/admission.go. Volumes and images have limits of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.cluster.asking import limits_of, requests_of
from agent.cluster.documents import Document, Name, name_of
from agent.cluster.workloads import Amounts, Container, PodTemplate
from agent.policy.quantities import parse_quantity
from scalers.sentence import number

_CONTAINER, _POD = "Container", "Pod"


@dataclass(frozen=True, slots=True)
class LimitRange:
    """One entry of a LimitRange."""

    name: Name
    kind: str  # Container or Pod
    least: Amounts
    most: Amounts
    ratio: Amounts  # the most that limit over request may be
    default_requests: Amounts
    default_limits: Amounts


def limit_ranges_of(document: Document) -> Iterator[LimitRange]:
    """Return the entries of a LimitRange that are about pods."""
    for entry in document["spec"].get("limits") or ():
        if entry.get("type") in (_CONTAINER, _POD):
            yield LimitRange(
                name=name_of(document),
                kind=entry["type"],
                least=_amounts(entry, "min"),
                most=_amounts(entry, "max"),
                ratio=_amounts(entry, "maxLimitRequestRatio"),
                default_requests=_amounts(entry, "defaultRequest"),
                default_limits=_amounts(entry, "default"),
            )


def with_defaults(pods: PodTemplate, ranges: Iterable[LimitRange]) -> PodTemplate:
    """Return a template as its pods are once the namespace's defaults are filled in."""
    containers = pods.containers
    for each in ranges:
        if each.kind == _CONTAINER:
            containers = tuple(_filled(container, each) for container in containers)
    return replace(pods, containers=containers)


def refusals(pods: PodTemplate, ranges: Iterable[LimitRange]) -> Iterator[tuple[LimitRange, str]]:
    """Return which entries would refuse a pod with its defaults filled in, and for what."""
    for each in ranges:
        if each.kind == _CONTAINER:
            for container in pods.containers:
                yield from ((each, what) for what in _faults(each, container, f"container {container.name}"))
        else:
            whole = Container("", requests_of(pods), limits_of(pods))
            yield from ((each, what) for what in _faults(each, whole, "a pod"))


def _faults(bounds: LimitRange, asked: Container, who: str) -> Iterator[str]:
    for resource, most in bounds.most.items():
        limit = asked.limits.get(resource)
        if limit is None:
            yield f"max.{resource} is {number(most)}, and {who} has no limit"
        elif max(limit, asked.requests.get(resource, 0.0)) > most:
            yield f"max.{resource} is {number(most)}, and {who} has a limit of {number(limit)}"
    for resource, least in bounds.least.items():
        request = asked.requests.get(resource)
        if request is None:
            yield f"min.{resource} is {number(least)}, and {who} has no request"
        elif (low := min(request, asked.limits.get(resource, request))) < least:
            yield f"min.{resource} is {number(least)}, and {who} has {number(low)}"
    for resource, ratio in bounds.ratio.items():
        limit, request = asked.limits.get(resource), asked.requests.get(resource)
        told = f"maxLimitRequestRatio.{resource} is {number(ratio)}, and {who} has"
        if not limit or not request:
            yield f"{told} no limit or no request"
        elif limit / request > ratio:
            yield f"{told} a limit of {number(limit)} over a request of {number(request)}"


def _filled(container: Container, defaults: LimitRange) -> Container:
    limits = {**defaults.default_limits, **container.limits}
    return replace(container, limits=limits, requests={**defaults.default_requests, **container.requests})


def _amounts(entry: Mapping[str, Any], name: str) -> Amounts:
    return {resource: parse_quantity(value) for resource, value in (entry.get(name) or {}).items()}
