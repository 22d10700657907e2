"""Writes the status of our policies: when it means something new, else now and then as a checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from kubernetes.aio import client

from agent.cluster.access import FAILURES
from agent.cluster.documents import Documents, Name, name_of
from agent.cluster.events import EventTeller
from agent.cluster.status import Refusal, meaning, refused_status, status_of
from agent.log import logger
from agent.policy.document import GROUP, VERSION
from agent.policy.status import status_json
from agent.snapshot import PolicySnapshot
from scalers.decision import Decision
from scalers.policy import PolicyKey

PLURAL = "forecastpolicies"
_CHECKPOINT = timedelta(minutes=10)
# What a thousand policies that all change at once may ask of the API server; the others wait for the next look.
_MOST_AT_ONCE = 20
_PAUSE_AFTER = 50  # policies

_Meaning = tuple[int | None, Refusal | None, object]  # generation, what is wrong, and what a picture means


class StatusApi(Protocol):
    """Who puts a status in the place of the one that is there."""

    async def write(self, name: Name, status: Mapping[str, object]) -> None:
        """Write one status.

        Raises:
            StatusNotWritten: it was refused, or nobody answered.
        """
        ...


class StatusNotWritten(Exception):
    """A status could not be written; the message says why."""


class KubernetesStatuses:
    """Statuses on the API server."""

    def __init__(self, api: client.ApiClient) -> None:
        self._objects = client.CustomObjectsApi(api)

    async def write(self, name: Name, status: Mapping[str, object]) -> None:
        """Write one status; what it no longer has goes."""
        namespace, policy = name
        try:
            await self._objects.patch_namespaced_custom_object_status(
                GROUP,
                VERSION,
                namespace,
                PLURAL,
                policy,
                [{"op": "add", "path": "/status", "value": dict(status)}],
                field_manager="foretide",
                _request_timeout=10,
                _content_type="application/json-patch+json",
            )
        except FAILURES as error:
            raise StatusNotWritten(f"status of {namespace}/{policy}: {_refusal(error)}") from error


def _refusal(error: Exception) -> str:
    if getattr(error, "status", None) == 403:
        return f"Forbidden: let the service account patch {PLURAL}/status of {GROUP}"
    return str(error)


class StatusBook(Protocol):
    """What is known of the policies, at little cost for those that nobody asks about."""

    def newest(self) -> Mapping[PolicyKey, Decision | None]:
        """Return each policy's newest decision."""
        ...

    def brief(self, key: PolicyKey) -> PolicySnapshot | None:
        """Return one policy's picture without series and records; None where it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class _Written:
    meaning: _Meaning
    at: datetime


@dataclass(frozen=True, slots=True)
class _Looked:
    """At what of a policy."""

    decision: Decision | None
    fault: Refusal | None
    generation: int | None

    def is_same(self, other: _Looked | None) -> bool:
        if other is None or self.decision is not other.decision:
            return False
        return (self.fault, self.generation) == (other.fault, other.generation)


@dataclass(frozen=True, slots=True)
class _Due:
    name: Name
    snapshot: PolicySnapshot | None  # None where no version of the policy is acted on
    meaning: _Meaning
    is_new: bool
    is_edited: bool  # whether somebody waits for it: another version of the policy, or another fault


class StatusWriter:
    """Looks at all policies, and writes what is due."""

    def __init__(self, api: StatusApi, documents: Documents, events: EventTeller | None = None) -> None:
        """Write through an API.

        Args:
            api: where to.
            documents: the policies, for their generation; one that is gone is not written.
            events: who tells what has changed with a status; None tells nobody.
        """
        self._api = api
        self._events = events
        self._documents = documents
        self._written: dict[Name, _Written] = {}
        self._looked: dict[Name, _Looked] = {}  # where nothing was to be written
        self._log = logger("status")

    def forget(self) -> None:
        """Forget what was written: another agent writes now, and this one will begin with what that has written."""
        self._written, self._looked = {}, {}
        if self._events is not None:
            self._events.keep(frozenset())

    async def look(self, book: StatusBook, faults: Mapping[Name, Refusal], now: datetime) -> int:
        """Write what is due, at most some at once; return how many were tried.

        What was edited comes first, then what means something new. Of these the one that was written longest ago: where
        more change all the time than are written, each has its turn.

        Args:
            book: the policies that are acted on.
            faults: what is wrong with those that are not, by namespace and name.
            now: the time.
        """
        names = {name_of(document) for document in self._documents.all()}
        self._written = {name: written for name, written in self._written.items() if name in names}
        self._looked = {name: looked for name, looked in self._looked.items() if name in names}
        if self._events is not None:
            self._events.keep(names)
        due: list[_Due] = []
        decisions = {(key.namespace, key.name): (key, decision) for key, decision in book.newest().items()}
        for number, name in enumerate(sorted(names & (decisions.keys() | faults.keys()))):
            if number % _PAUSE_AFTER == _PAUSE_AFTER - 1:
                await asyncio.sleep(0)  # others on this loop answer meanwhile
            if (one := self._due(name, decisions.get(name), faults.get(name), book, now)) is not None:
                due.append(one)
        chosen = sorted(due, key=self._turn)[:_MOST_AT_ONCE]
        for one in chosen:
            await self._write(one, faults.get(one.name), now)
        return len(chosen)

    def _due(
        self,
        name: Name,
        decided: tuple[PolicyKey, Decision | None] | None,
        fault: Refusal | None,
        book: StatusBook,
        now: datetime,
    ) -> _Due | None:
        """Return what is to be written of a policy; a decision that was looked at is not looked at again."""
        key, decision = decided or (None, None)
        if decision is None and fault is None:
            return None  # it has just been taken up, and what is there says more
        generation, written = self._generation(name), self._written.get(name)
        seen = _Looked(decision, fault, generation)
        is_old = written is not None and now - written.at >= _CHECKPOINT
        if not is_old and seen.is_same(self._looked.get(name)):
            return None
        snapshot = None if key is None or decision is None else book.brief(key)
        means: _Meaning = (generation, fault, None if snapshot is None else meaning(snapshot))
        is_new = written is None or written.meaning != means
        if not is_new and not is_old:
            self._looked[name] = seen
            return None
        return _Due(name, snapshot, means, is_new, is_edited=written is None or written.meaning[:2] != means[:2])

    def _turn(self, one: _Due) -> tuple[bool, bool, float]:
        written = self._written.get(one.name)
        return not one.is_edited, not one.is_new, 0.0 if written is None else written.at.timestamp()

    def _generation(self, name: Name) -> int | None:
        document = self._documents.get(name)
        return None if document is None else document["metadata"].get("generation")

    async def _write(self, one: _Due, fault: Refusal | None, now: datetime) -> None:
        generation = self._generation(one.name)
        status = None if one.snapshot is None else status_of(one.snapshot, generation=generation)
        if fault is not None:
            status = refused_status(fault, now, generation=generation, before=status)
        before = self._documents.get(one.name)
        if status is None or before is None:
            return
        body = status_json(status)
        try:
            await self._api.write(one.name, body)
        except StatusNotWritten as error:
            self._log.warning("status_not_written", policy="/".join(one.name), error=str(error))
            return
        self._written[one.name] = _Written(one.meaning, now)
        if self._events is not None:
            mode = None if one.snapshot is None else one.snapshot.policy.mode
            await self._events.written(before, body, mode=mode, now=now)
