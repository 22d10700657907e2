"""What a cluster holds of policies, of what they scale, and of what else scales that; read once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.cluster.conflicts import Known, known_of
from agent.cluster.documents import Document, Name, name_of
from agent.cluster.holding import Place
from agent.cluster.namespaces import RULES, rules_of
from agent.cluster.others import HPAS, SCALED_OBJECTS, VPAS, kept_hpa, kept_scaled_object, kept_vpa
from agent.cluster.reading import NotRead, Reader
from agent.cluster.target import Target, target_of
from agent.cluster.targets import WATCHED, counts_of
from agent.cluster.watch import Kind
from agent.cluster.workloads import workload_of
from agent.doctor.finding import Finding, Level
from agent.policy.document import API_VERSION, GROUP, KIND, VERSION

POLICIES = Kind(GROUP, VERSION, "forecastpolicies")
_KINDS = (POLICIES, SCALED_OBJECTS, HPAS, VPAS)
_MAY_BE_ABSENT = (POLICIES, SCALED_OBJECTS, VPAS)  # its own finding says so, or nothing is wrong with it
_DEFAULT_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment"}
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Setup:
    """Documents as the API server shows them, and what could not be read of them."""

    policies: tuple[Document, ...]
    scaled_objects: tuple[Document, ...]
    known: Known
    places: Mapping[Name, Place] = field(default_factory=dict)  # by policy, where its target is of a kind that is known
    controllers: Mapping[Name, tuple[str, str]] = field(default_factory=dict)  # what owns it, by kind and name
    absent: frozenset[Name] = frozenset()  # policies whose target of such a kind is not there
    unread: tuple[Finding, ...] = ()


def target_of_policy(policy: Document) -> Target:
    """Return what a policy scales."""
    reference = (policy.get("spec") or {}).get("scaleTargetRef") or {}
    return target_of(name_of(policy)[0], {**_DEFAULT_TARGET, "name": "", **reference})


async def read_setup(reader: Reader, namespaces: Sequence[str]) -> Setup:
    """Return what is there in some namespaces, or in all where none is named."""
    reading = _Reading(reader)
    scopes = [f"/namespaces/{each}" for each in namespaces] or [""]
    listed = {kind: await reading.listed(kind, scopes) for kind in _KINDS}
    policies = [{"apiVersion": API_VERSION, "kind": KIND, **each} for each in listed[POLICIES]]
    active = [each for each in policies if each["spec"].get("mode") == "Active"]
    known = known_of(
        scaled_objects=map(kept_scaled_object, listed[SCALED_OBJECTS]),
        hpas=map(kept_hpa, listed[HPAS]),
        vpas=map(kept_vpa, listed[VPAS]),
        active=[(name_of(each), target_of_policy(each)) for each in active],
    )
    targets = {name_of(each): target_of_policy(each) for each in policies}
    workloads = await reading.workloads(targets)
    return Setup(
        policies=tuple(policies),
        scaled_objects=tuple(listed[SCALED_OBJECTS]),
        known=known,
        places=await reading.places(targets, {name: each for name, each in workloads.items() if each}),
        controllers={name: owner for name, each in workloads.items() if (owner := _controller(each or {})) is not None},
        absent=frozenset(name for name, each in workloads.items() if each is not None and not each),
        unread=tuple(reading.unread),
    )


class _Reading:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.unread: list[Finding] = []

    async def listed(self, kind: Kind, scopes: Sequence[str]) -> list[dict[str, Any]]:
        """Return all objects of a kind; what cannot be listed is told, and is none."""
        paths = [f"/apis/{kind.group}/{kind.version}{scope}/{kind.plural}" for scope in scopes]
        found: list[dict[str, Any]] = []
        for path in paths:
            found += await self._items(path, f"{kind.plural}.{kind.group}", may_be_absent=kind in _MAY_BE_ABSENT)
        return found

    async def workloads(self, targets: Mapping[Name, Target]) -> dict[Name, dict[str, Any] | None]:
        """Return the targets of kinds that are known: empty where one is not there, None where it may not be read."""
        watched = {name: target for name, target in targets.items() if (target.group, target.kind) in WATCHED}
        return dict(zip(watched, await asyncio.gather(*map(self._document, watched.values())), strict=True))

    async def places(self, targets: Mapping[Name, Target], documents: Mapping[Name, Document]) -> dict[Name, Place]:
        """Return targets with the rules of their namespaces."""
        workloads = {name: workload_of(counts_of(each)) for name, each in documents.items()}
        rules = {}
        for namespace in sorted({namespace for namespace, _ in workloads}):
            lists = {
                plural: await self._items(f"{api}/namespaces/{namespace}/{plural}", plural)
                for plural, api in RULES.items()
            }
            ours = {targets[name]: each for name, each in workloads.items() if name[0] == namespace}
            rules[namespace] = rules_of(lists, {(target.kind, target.name): each.most for target, each in ours.items()})
        return {name: Place(each, rules[name[0]]) for name, each in workloads.items()}

    async def _document(self, target: Target) -> dict[str, Any] | None:
        """Return a target, empty where it is not there; None where it may not be read."""
        plural = WATCHED[target.group, target.kind].plural
        try:
            path = f"{target.api}/namespaces/{target.namespace}/{plural}/{target.name}"
            return dict(json.loads(await self._reader.get(path)))
        except NotRead as error:
            if error.status == _NOT_FOUND:
                return {}
            self._tell(f"{target.shown} of namespace {target.namespace}", error)
            return None

    async def _items(self, path: str, what: str, *, may_be_absent: bool = False) -> list[dict[str, Any]]:
        try:
            return list(json.loads(await self._reader.get(path))["items"])
        except NotRead as error:
            if not (may_be_absent and error.status == _NOT_FOUND):
                self._tell(what, error)
            return []

    def _tell(self, what: str, error: NotRead) -> None:
        mend = "ask as somebody who may get and list it; what it would show is left out here"
        self.unread.append(Finding("reading", Level.WARN, f"{what} cannot be read: {error}", mend))


def _controller(workload: Document) -> tuple[str, str] | None:
    owners = (workload.get("metadata") or {}).get("ownerReferences") or ()
    return next(((each["kind"], each["name"]) for each in owners if each.get("controller")), None)
