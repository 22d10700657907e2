"""Knows what else acts on scale targets: lists it at the start and now and then, and hears of changes by a watch.

A kind that is not installed, or that may not be read, costs no other anything: it is asked for again with each list.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from agent.cluster.conflicts import Known, conflicts, known_of
from agent.cluster.documents import Document, Documents, Name, name_of
from agent.cluster.namespaces import NamespaceLooks
from agent.cluster.others import HPAS, SCALED_OBJECTS, VPAS
from agent.cluster.reading import NotRead, Reader
from agent.cluster.target import Target
from agent.cluster.watch import Kind
from agent.cluster.workloads import Workload
from agent.log import logger
from agent.surroundings import Surroundings
from scalers.policy import PolicyKey, ScalingPolicy

KINDS = (HPAS, SCALED_OBJECTS, VPAS)
_PAGE = "500"  # objects of a list at a time
_DECIDING = (HPAS, SCALED_OBJECTS)  # without them nothing can be said; without VPAs their part is missing


class ClusterOnlooker:
    """The `Onlooker` of a cluster.

    Attributes:
        kept: where a watch puts what it is told of each kind.
        forbidden: kinds that may be listed and not watched, and what a person can do about each.
    """

    def __init__(
        self,
        policies: Documents,
        target: Callable[[PolicyKey], Target | None],
        controller: Callable[[Target], tuple[str, str] | None],
        namespaces: Sequence[str],
        *,
        workload: Callable[[Target], Workload | None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to look.

        Args:
            policies: what the watch has kept of our policies.
            target: of a policy, None where there is no such policy.
            controller: kind and name of what controls a target, None where nothing does.
            namespaces: to look at; none are all.
            workload: what a target says of its pods, None where that is not known.
            monotonic: seconds.
        """
        self.kept: Mapping[Kind, Documents] = {kind: Documents() for kind in KINDS}
        self.forbidden: Mapping[Kind, str] = {}
        self._policies = policies
        self._target = target
        self._controller = controller
        self._namespaces = tuple(namespaces)
        self._refused: dict[Kind, int | None] = dict.fromkeys(KINDS)  # HTTP's; None: nobody has answered yet
        self._seen: frozenset[Kind] = frozenset()
        self._known = Known({}, {}, {}, {}, {})
        self._sorted = -1
        self._rules = NamespaceLooks(workload, monotonic=monotonic)
        self._log = logger("conflicts")

    @property
    def watched(self) -> Mapping[Kind, Documents]:
        """The kinds that are installed and may be read."""
        return {kind: documents for kind, documents in self.kept.items() if kind in self._seen}

    async def list_all(self, reader: Reader) -> bool:
        """List all kinds; return whether others than before can be watched."""
        before = self._seen
        for kind in KINDS:
            await self._list_kind(reader, kind)
        self.look()
        return self._seen != before

    def look(self) -> None:
        """Take up what the watch has told since."""
        changes = sum(documents.changes for documents in (self._policies, *self.kept.values()))
        if changes == self._sorted:
            return
        self._sorted = changes
        documents = {kind: each.all() for kind, each in self.kept.items()}
        self._known = known_of(
            scaled_objects=documents[SCALED_OBJECTS],
            hpas=documents[HPAS],
            vpas=documents[VPAS],
            active=self._active(),
        )

    async def look_at_namespaces(self, reader: Reader, targets: Iterable[Target]) -> None:
        """Look at what the namespaces of targets set for their pods, where that is due."""
        await self._rules.look(reader, targets)

    def around(self, policy: ScalingPolicy, need: float | None) -> Surroundings | None:
        """Return what was found around a policy that needs so many replicas now; None where it has none to share.

        It is gone then, or what it counts are jobs.
        """
        target = self._target(policy.key)
        if target is None or target.makes_jobs:
            return None
        named = self._known.named_by((policy.key.namespace, policy.key.name))
        return Surroundings(
            conflicts=conflicts(
                self._known,
                policy,
                target,
                need=need,
                controller=self._controller(target),
                place=self._rules.place(target),
            ),
            named_by=tuple("/".join(each.name) for each in named),
            unseen=self._unseen(target.namespace),
        )

    def _active(self) -> list[tuple[Name, Target]]:
        names = [name_of(each) for each in self._policies.all() if each["spec"].get("mode") == "Active"]
        return [(name, target) for name in names if (target := self._target(PolicyKey(*name))) is not None]

    def _unseen(self, namespace: str) -> str | None:
        watched = [kind.plural for kind in _DECIDING if kind not in self._seen and self._refused[kind] != 404]
        parts = [(watched, "get, list and watch"), (sorted(self._rules.unseen(namespace)), "list")]
        told = [
            f"{' and '.join(missing)} cannot be listed: let the service account {verbs} them"
            for missing, verbs in parts
            if missing
        ]
        unwatched = [
            f"{kind.plural} cannot be watched: {self.forbidden[kind]}" for kind in _DECIDING if kind in self.forbidden
        ]
        return "; ".join(told + unwatched) or None

    async def _list_kind(self, reader: Reader, kind: Kind) -> None:
        try:
            for namespace in self._namespaces or (None,):
                await self._list_in(reader, kind, namespace)
        except NotRead as error:
            self._not_listed(kind, error)
            return
        self._seen |= {kind}

    async def _list_in(self, reader: Reader, kind: Kind, namespace: str | None) -> None:
        scope = "" if namespace is None else f"/namespaces/{namespace}"
        path = f"/apis/{kind.group}/{kind.version}{scope}/{kind.plural}"
        found: list[Document] = []
        position: str | None = ""
        version = ""
        while position is not None:
            query = (("limit", _PAGE), *([("continue", position)] if position else []))
            page: Any = await asyncio.to_thread(msgspec.json.decode, await reader.get(path, query))
            found += [kind.kept(item) for item in page["items"]]
            position, version = page["metadata"].get("continue") or None, page["metadata"]["resourceVersion"]
        self.kept[kind].settle(found, version=version, namespace=namespace)

    def _not_listed(self, kind: Kind, error: NotRead) -> None:
        if error.status is None:
            return  # nobody answered: what was known stands
        if self._refused[kind] != error.status:
            effect = "conflicts with it are not found"
            log = self._log.info if error.status == 404 else self._log.warning
            log("kind_not_watched", kind=f"{kind.plural}.{kind.group}", error=str(error), effect=effect)
        self._refused[kind] = error.status
        self._seen -= {kind}
        self.kept[kind].replace(())
