"""Whether the CRD that a cluster has is the one that this agent knows.

The CRD itself may be read in cluster scope alone; which versions are served, discovery tells everybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.cluster.documents import Document
from agent.cluster.reading import NotRead, Reader
from agent.policy.crd import custom_resource_definition
from agent.policy.document import GROUP, VERSION

NAME = f"forecastpolicies.{GROUP}"
CRD_AT, SERVED_AT = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{NAME}", f"/apis/{GROUP}"
INSTALL = "foretide render crd | kubectl apply --server-side -f -"
_REFUSED, _NOT_FOUND = (401, 403), 404


@dataclass(frozen=True, slots=True)
class Definition:
    """What is known of the CRD in a cluster."""

    served: tuple[str, ...]  # versions; none where it is not installed
    has_status: bool = True  # whether a status can be written by itself
    lacks: tuple[str, ...] = ()  # fields that this agent knows and it does not
    is_seen: bool = True  # False: only discovery could be asked


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why this agent cannot work with it, and the mend."""

    what: str
    mend: str


async def read_definition(reader: Reader) -> Definition:
    """Return what the cluster tells of the CRD.

    Raises:
        NotRead: nobody answered, or not even discovery may be asked.
    """
    try:
        return definition_of(json.loads(await reader.get(CRD_AT)))
    except NotRead as error:
        if error.status not in (*_REFUSED, _NOT_FOUND):
            raise
    try:
        versions = json.loads(await reader.get(SERVED_AT))["versions"]
    except NotRead as error:
        if error.status != _NOT_FOUND:
            raise
        return Definition(())
    return Definition(tuple(each["version"] for each in versions), is_seen=False)


def definition_of(document: Document) -> Definition:
    """Return what a CustomResourceDefinition says."""
    versions = {each["name"]: each for each in document["spec"]["versions"] if each.get("served")}
    own = versions.get(VERSION)
    if own is None:
        return Definition(tuple(versions))
    ours: Any = custom_resource_definition()
    (known,) = ours["spec"]["versions"]
    return Definition(
        served=tuple(versions),
        has_status="status" in (own.get("subresources") or {}),
        lacks=tuple(_lacking(_schema(known), _schema(own), "")),
    )


def misfit(definition: Definition) -> Misfit | None:
    """Return why this agent cannot work with a CRD; None where it can."""
    if not definition.served:
        return Misfit(f"the CRD {NAME} is not installed", INSTALL)
    if VERSION not in definition.served:
        served = " and ".join(definition.served)
        mend = f"run the version of Foretide that this CRD is of, or apply the CRD of this one: {INSTALL}"
        return Misfit(f"the CRD {NAME} serves {served}, and this Foretide reads {VERSION}", mend)
    if not definition.has_status:
        return Misfit(f"the CRD {NAME} has no status subresource, so no status can be written", INSTALL)
    return None


def lacking(definition: Definition) -> str | None:
    """Return what a CRD of another version of this API would lose; None where it loses nothing."""
    if not definition.lacks:
        return None
    shown = ", ".join(definition.lacks[:5])
    more = f" and {len(definition.lacks) - 5} more" if len(definition.lacks) > 5 else ""
    return f"the CRD {NAME} is of an older version and lacks {shown}{more}: what is written there is lost"


def _lacking(known: Mapping[str, Any], installed: Mapping[str, Any], path: str) -> Iterator[str]:
    """Return the fields that one schema has and another has not, the outermost alone."""
    there = installed.get("properties") or {}
    for name, field in (known.get("properties") or {}).items():
        where = f"{path}.{name}".removeprefix(".")
        if name not in there:
            yield where
        else:
            yield from _lacking(field, there[name], where)
    if isinstance(items := known.get("items"), Mapping):
        yield from _lacking(items, installed.get("items") or {}, f"{path}[]")


def _schema(version: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    return schema
