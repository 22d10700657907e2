"""Whether every verb that the chart grants is granted: to who asks, or to the agent's own service account."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kubernetes.aio import client

from agent.cluster.access import FAILURES
from agent.cluster.permissions import Permission, Scope, permissions
from agent.doctor.finding import Finding, Level

_CHECK = "permissions"
_AT_ONCE = 8
_LONGEST = 10  # seconds
_CHART = "upgrade the chart's release (rbac.create: true), or add the verb to the role that your account is bound to"


@dataclass(frozen=True, slots=True)
class Account:
    """A service account."""

    namespace: str
    name: str

    @property
    def user(self) -> str:
        """As RBAC knows it."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    @property
    def groups(self) -> list[str]:
        """Groups that every service account is of."""
        return ["system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{self.namespace}"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One verb on one kind of objects."""

    permission: Permission
    verb: str
    namespace: str  # empty: all of them, or none


class NotReviewed(Exception):
    """The API server did not say whether something is allowed; the message says why."""


class Reviewer(Protocol):
    """Who says what is allowed."""

    async def allows(self, ask: Ask) -> bool:
        """Return whether it is.

        Raises:
            NotReviewed: nobody says.
        """
        ...


class KubernetesReviewer:
    """The API server, asked for who asks or for a service account."""

    def __init__(self, api: client.ApiClient, account: Account | None) -> None:
        self._reviews = client.AuthorizationV1Api(api)
        self._account = account

    async def allows(self, ask: Ask) -> bool:
        """Return whether it is."""
        resource, _, subresource = ask.permission.resource.partition("/")
        asked = client.V1ResourceAttributes(
            group=ask.permission.group,
            resource=resource,
            subresource=subresource,
            verb=ask.verb,
            namespace=ask.namespace,
            name=ask.permission.name,
        )
        try:
            return await self._own(asked) if self._account is None else await self._others(asked, self._account)
        except FAILURES as error:
            raise NotReviewed(str(getattr(error, "reason", None) or error)) from error

    async def _own(self, asked: client.V1ResourceAttributes) -> bool:
        spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=asked)
        review = client.V1SelfSubjectAccessReview(spec=spec)
        return _said(await self._reviews.create_self_subject_access_review(review, _request_timeout=_LONGEST))

    async def _others(self, asked: client.V1ResourceAttributes, account: Account) -> bool:
        spec = client.V1SubjectAccessReviewSpec(resource_attributes=asked, user=account.user, groups=account.groups)
        review = client.V1SubjectAccessReview(spec=spec)
        return _said(await self._reviews.create_subject_access_review(review, _request_timeout=_LONGEST))


def _said(review: Any) -> bool:
    return bool(review.status.allowed)


async def check_permissions(
    reviewer: Reviewer, *, namespaces: Sequence[str], own: str, lease: str, who: str
) -> list[Finding]:
    """Ask for every verb, and return a finding for each kind of objects with one missing.

    Args:
        reviewer: who says.
        namespaces: whose policies are acted on; none are all.
        own: the agent's namespace.
        lease: the name of its Lease.
        who: is asked for, for findings.
    """
    asks = [
        Ask(permission, verb, namespace)
        for permission in permissions(namespace=own, lease=lease)
        for namespace in _where(permission, namespaces, own)
        for verb in permission.verbs
    ]
    together = asyncio.Semaphore(_AT_ONCE)

    async def allows(ask: Ask) -> bool:
        async with together:
            return await reviewer.allows(ask)

    try:
        allowed = await asyncio.gather(*map(allows, asks))
    except NotReviewed as error:
        mend = (
            "ask as somebody who may create subjectaccessreviews.authorization.k8s.io, or leave --service-account out"
        )
        return [Finding(_CHECK, Level.WARN, f"of {who} cannot be looked at: {error}", mend)]
    missing: dict[tuple[Permission, str], list[str]] = {}
    for ask, is_allowed in zip(asks, allowed, strict=True):
        if not is_allowed:
            missing.setdefault((ask.permission, ask.namespace), []).append(ask.verb)
    if not missing:
        return [Finding(_CHECK, Level.OK, f"all {len(asks)} that the chart grants are granted to {who}")]
    return [_missing(permission, namespace, verbs, who) for (permission, namespace), verbs in missing.items()]


def _where(permission: Permission, namespaces: Sequence[str], own: str) -> Sequence[str]:
    return {Scope.POLICIES: namespaces or ("",), Scope.OWN: (own,), Scope.CLUSTER: ("",)}[permission.scope]


def _missing(permission: Permission, namespace: str, verbs: list[str], who: str) -> Finding:
    everywhere = "" if permission.scope is Scope.CLUSTER else " in all namespaces"
    where = f" in namespace {namespace}" if namespace else everywhere
    what = f"{', '.join(verbs)} {permission.shown}{where} is not granted to {who}: {permission.without}"
    return Finding(_CHECK, Level.FAIL if permission.is_needed else Level.WARN, what, _CHART)
