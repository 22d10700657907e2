"""Keeps the policies that ScaledObjects hold inline as they are there: made, changed and deleted with them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from kubernetes.aio import client

from agent.cluster.access import FAILURES
from agent.cluster.documents import Document, Documents, Name, name_of
from agent.cluster.inline_policies import inline_policy, is_as_wanted, owner_of, superfluous
from agent.cluster.statuses import PLURAL
from agent.log import logger
from agent.policy.document import GROUP, VERSION

_BUSY = frozenset((408, 409, 429))
_RETRY_AFTER = 300.0  # seconds; what was refused once will be until somebody changes something


class PolicyApi(Protocol):
    """Who writes policies."""

    async def apply(self, name: Name, policy: Mapping[str, object]) -> None:
        """Make a policy, or give it this spec.

        Raises:
            PolicyNotWritten: it was refused, or nobody answered.
        """
        ...

    async def delete(self, name: Name, uid: str) -> None:
        """Delete a policy, if it is still this one.

        Raises:
            PolicyNotWritten: it was refused, or nobody answered.
        """
        ...


class PolicyNotWritten(Exception):
    """A policy could not be written; the message says why.

    Attributes:
        is_refused: whether the API server said no, and will again; else nobody answered, or it was too busy to.
    """

    def __init__(self, message: str, *, is_refused: bool) -> None:
        super().__init__(message)
        self.is_refused = is_refused


class KubernetesPolicies:
    """Policies on the API server."""

    def __init__(self, api: client.ApiClient) -> None:
        self._objects = client.CustomObjectsApi(api)

    async def apply(self, name: Name, policy: Mapping[str, object]) -> None:
        """Make a policy, or give it this spec (server-side apply)."""
        namespace, own = name
        try:
            await self._objects.patch_namespaced_custom_object(
                GROUP,
                VERSION,
                namespace,
                PLURAL,
                own,
                dict(policy),
                field_manager="foretide",
                force=True,
                _request_timeout=10,
                _content_type="application/apply-patch+yaml",
            )
        except FAILURES as error:
            raise _not_written(error) from error

    async def delete(self, name: Name, uid: str) -> None:
        """Delete a policy, if it is still this one."""
        namespace, own = name
        options = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=uid))
        try:
            await self._objects.delete_namespaced_custom_object(
                GROUP, VERSION, namespace, PLURAL, own, body=options, _request_timeout=10
            )
        except FAILURES as error:
            if getattr(error, "status", None) != 404:
                raise _not_written(error) from error


class InlineWriter:
    """Looks at all ScaledObjects, and writes what is not as they say.

    Attributes:
        faults: why a policy could not be written, by its namespace and name.
    """

    def __init__(
        self,
        api: PolicyApi,
        scaled_objects: Documents,
        policies: Documents,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Write through an API what a watch keeps of ScaledObjects, beside what it keeps of policies."""
        self.faults: dict[Name, str] = {}
        self._api, self._scaled_objects, self._policies = api, scaled_objects, policies
        self._monotonic = monotonic
        self._refused: dict[Name, tuple[object, float]] = {}  # what was asked for, and when
        self._seen: tuple[int, int] | None = None
        self._log = logger("inline")

    async def look(self) -> None:
        """Write what is due; nothing is asked of the API server while nothing has changed."""
        seen = self._scaled_objects.changes, self._policies.changes
        if seen == self._seen and not self._refused:
            return
        self._seen = seen
        scaled_objects = {name_of(each): each for each in self._scaled_objects.all()}
        wanted = {name: policy for name, each in scaled_objects.items() if (policy := inline_policy(each)) is not None}
        for kept in (self.faults, self._refused):
            for name in [name for name in kept if name not in wanted]:
                del kept[name]
        for name, policy in wanted.items():
            await self._keep(name, policy)
        for extra in superfluous(self._policies.all(), scaled_objects):
            await self._drop(extra)

    async def _keep(self, name: Name, wanted: dict[str, Any]) -> None:
        there = self._policies.get(name)
        if there is not None and owner_of(there) != owner_of(wanted):
            why = f"ForecastPolicy {'/'.join(name)} is there and was not made of this ScaledObject"
            self._fail(name, f"{why}: write `policy: {name[1]}` into the trigger, or give one of both another name")
            return
        if there is not None and is_as_wanted(there, wanted):
            self.faults.pop(name, None)
            return
        if not self._may_try(name, wanted):
            return
        try:
            await self._api.apply(name, wanted)
        except PolicyNotWritten as error:
            self._refused[name] = (wanted, self._monotonic() if error.is_refused else -math.inf)
            self._fail(name, f"ScaledObject {'/'.join(name)} holds a policy that was refused: {error}")
            return
        self.faults.pop(name, None)
        self._refused.pop(name, None)
        self._log.info("inline_policy_written", policy="/".join(name), was_there=there is not None)

    async def _drop(self, policy: Document) -> None:
        name = name_of(policy)
        try:
            await self._api.delete(name, policy["metadata"]["uid"])
        except PolicyNotWritten as error:
            self._seen = None  # it is tried again at the next look
            self._log.warning("inline_policy_not_deleted", policy="/".join(name), error=str(error))
            return
        self._log.info("inline_policy_deleted", policy="/".join(name), cause="its ScaledObject holds none any more")

    def _may_try(self, name: Name, wanted: object) -> bool:
        refused, at = self._refused.get(name, (None, 0.0))
        return refused != wanted or self._monotonic() - at >= _RETRY_AFTER

    def _fail(self, name: Name, why: str) -> None:
        if self.faults.get(name) != why:
            self._log.error("inline_policy_refused", policy="/".join(name), why=why)
        self.faults[name] = why


def _not_written(error: Exception) -> PolicyNotWritten:
    status = getattr(error, "status", None) or 0
    why = getattr(error, "body", None) or getattr(error, "reason", None) or error
    return PolicyNotWritten(str(why)[:500], is_refused=400 <= status < 500 and status not in _BUSY)
