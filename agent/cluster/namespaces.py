"""Looks now and then at what the namespaces of policies set for their pods.

A quota's use changes with every pod, so a watch of all would tell of every pod of the cluster. What is asked for
instead is three short lists of each namespace that has a policy, from the API server's cache.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.cluster.disruptions import budget_of
from agent.cluster.documents import Document
from agent.cluster.holding import Place, Rules
from agent.cluster.limit_ranges import limit_ranges_of
from agent.cluster.quotas import quota_of
from agent.cluster.reading import NotRead, Reader
from agent.cluster.target import Target
from agent.cluster.workloads import Workload
from agent.log import logger

RULES = {"resourcequotas": "/api/v1", "limitranges": "/api/v1", "poddisruptionbudgets": "/apis/policy/v1"}
_EVERY = 30.0  # seconds
_MOST_AT_ONCE = 4  # namespaces
_NO_LONGER = (401, 403, 404)  # what was known does not stand where it may not be read


@dataclass(slots=True)
class _Seen:
    looked_at: float
    listed: dict[str, list[Document]] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    rules: Rules = field(default_factory=Rules)


class NamespaceLooks:
    """Keeps the rules of namespaces. For the agent's loop."""

    def __init__(self, workload: Callable[[Target], Workload | None], *, monotonic: Callable[[], float]) -> None:
        """Prepare to look.

        Args:
            workload: what a target says of its pods; None where it is not known.
            monotonic: seconds.
        """
        self._workload = workload
        self._monotonic = monotonic
        self._seen: dict[str, _Seen] = {}
        self._told: set[str] = set()
        self._log = logger("conflicts")

    async def look(self, reader: Reader, targets: Iterable[Target]) -> None:
        """List what is due, in a few namespaces; those that were looked at longest ago come first."""
        wanted: dict[str, list[Target]] = {}
        for target in targets:
            wanted.setdefault(target.namespace, []).append(target)
        self._seen = {namespace: seen for namespace, seen in self._seen.items() if namespace in wanted}
        now = self._monotonic()
        ages = {namespace: now - seen.looked_at for namespace, seen in self._seen.items()}
        due = [namespace for namespace in wanted if ages.get(namespace, _EVERY) >= _EVERY]
        for namespace in sorted(due, key=lambda each: -ages.get(each, float("inf")))[:_MOST_AT_ONCE]:
            await self._look_at(reader, namespace, wanted[namespace], now)

    def place(self, target: Target) -> Place | None:
        """Return a target with the rules of its namespace; None where what it makes is not known."""
        workload, seen = self._workload(target), self._seen.get(target.namespace)
        return None if workload is None else Place(workload, Rules() if seen is None else seen.rules)

    def unseen(self, namespace: str) -> frozenset[str]:
        """Return the kinds that may not be listed in a namespace."""
        seen = self._seen.get(namespace)
        return frozenset() if seen is None else seen.refused

    async def _look_at(self, reader: Reader, namespace: str, targets: list[Target], now: float) -> None:
        seen = self._seen.setdefault(namespace, _Seen(now))
        seen.looked_at = now
        for plural, api in RULES.items():
            try:
                seen.listed[plural] = await listed(reader, f"{api}/namespaces/{namespace}/{plural}")
                seen.refused -= {plural}
            except NotRead as error:
                self._not_listed(seen, plural, error)
        workloads = {(each.kind, each.name): self._workload(each) for each in targets}
        own = {name: workload.most for name, workload in workloads.items() if workload is not None}
        seen.rules = rules_of(seen.listed, own)

    def _not_listed(self, seen: _Seen, plural: str, error: NotRead) -> None:
        if error.status not in _NO_LONGER:
            return  # what was known stands
        seen.listed.pop(plural, None)
        seen.refused |= {plural}
        if plural not in self._told:
            self._told.add(plural)
            self._log.warning(
                "kind_not_listed", kind=plural, error=str(error), effect="conflicts with it are not found"
            )


def rules_of(by_plural: Mapping[str, Iterable[Document]], own: Mapping[tuple[str, str], int]) -> Rules:
    """Return what lists of one namespace mean, and how many pods its workloads had then."""
    return Rules(
        quotas=tuple(map(quota_of, by_plural.get("resourcequotas", ()))),
        limit_ranges=tuple(each for item in by_plural.get("limitranges", ()) for each in limit_ranges_of(item)),
        budgets=tuple(map(budget_of, by_plural.get("poddisruptionbudgets", ()))),
        own=own,
    )


async def listed(reader: Reader, path: str) -> list[Document]:
    """Return the objects of a list, as the API server's cache has them.

    Raises:
        NotRead: it was refused, nobody answered, or the answer is no list.
    """
    body = await reader.get(path, (("resourceVersion", "0"),))
    try:
        page: Any = json.loads(body)
        return list(page["items"] or ())  # null where there is none
    except (ValueError, TypeError, KeyError) as error:
        raise NotRead(path, None, f"this is no list ({error})") from error
