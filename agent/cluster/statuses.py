"""Writes the status of our policies: when it means something new, else now and then as a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from kubernetes.aio import client

from agent.cluster.access import FAILURES
from agent.cluster.documents import Documents, Name, name_of
from agent.cluster.status import meaning, refused_status, status_of
from agent.log import logger
from agent.policy.document import GROUP, VERSION
from agent.policy.status import PolicyStatus, status_json
from agent.snapshot import PolicySnapshot

PLURAL = "forecastpolicies"
_CHECKPOINT = timedelta(minutes=10)
# What a thousand policies that all change at once may ask of the API server; the others wait for the next look.
_MOST_AT_ONCE = 20


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
            raise StatusNotWritten(f"status of {namespace}/{policy}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Written:
    meaning: object
    at: datetime


class StatusWriter:
    """Looks at all policies, and writes what is due."""

    def __init__(self, api: StatusApi, documents: Documents) -> None:
        """Write through an API.

        Args:
            api: where to.
            documents: the policies, for their generation; one that is gone is not written.
        """
        self._api = api
        self._documents = documents
        self._written: dict[Name, _Written] = {}
        self._log = logger("status")

    async def look(self, snapshots: Sequence[PolicySnapshot], faults: Mapping[Name, str], now: datetime) -> int:
        """Write what is due, at most some at once, those that mean something new first; return how many were tried.

        Args:
            snapshots: pictures of the policies that are acted on.
            faults: what is wrong with those that are not, by namespace and name.
            now: the time.
        """
        names = {name_of(document) for document in self._documents.all()}
        self._written = {name: written for name, written in self._written.items() if name in names}
        statuses = {name: status for name, status in self._statuses(snapshots, faults, now).items() if name in names}
        fresh = [name for name, status in statuses.items() if self._is_new(name, status)]
        due = [name for name in statuses if name not in fresh and now - self._written[name].at >= _CHECKPOINT]
        chosen = [*fresh, *due][:_MOST_AT_ONCE]
        for name in chosen:
            await self._write(name, statuses[name], now)
        return len(chosen)

    def _statuses(
        self, snapshots: Sequence[PolicySnapshot], faults: Mapping[Name, str], now: datetime
    ) -> dict[Name, PolicyStatus]:
        found: dict[Name, PolicyStatus] = {}
        for snapshot in snapshots:
            if snapshot.decision is None:
                continue  # it has just been taken up, and what is there says more
            name = (snapshot.key.namespace, snapshot.key.name)
            found[name] = status_of(snapshot, generation=self._generation(name))
        for name, fault in faults.items():
            found[name] = refused_status(fault, now, generation=self._generation(name), before=found.get(name))
        return found

    def _generation(self, name: Name) -> int | None:
        document = self._documents.get(name)
        return None if document is None else document["metadata"].get("generation")

    def _is_new(self, name: Name, status: PolicyStatus) -> bool:
        written = self._written.get(name)
        return written is None or written.meaning != meaning(status)

    async def _write(self, name: Name, status: PolicyStatus, now: datetime) -> None:
        try:
            await self._api.write(name, status_json(status))
        except StatusNotWritten as error:
            self._log.warning("status_not_written", policy="/".join(name), error=str(error))
            return
        self._written[name] = _Written(meaning(status), now)
