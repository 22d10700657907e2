"""Whether every verb that the chart grants is granted: to who asks, or to the agent's own service account."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agent.cluster.permissions import Permission, Scope, permissions
from agent.cluster.reviewing import Ask, NotReviewed, Reviewer
from agent.doctor.finding import Finding, Level

_CHECK = "permissions"
_AT_ONCE = 8
_CHART = "upgrade the chart's release (rbac.create: true), or add the verb to the role that your account is bound to"


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
        (permission, namespace, verb)
        for permission in permissions(namespace=own, lease=lease)
        for namespace in _where(permission, namespaces, own)
        for verb in permission.verbs
    ]
    together = asyncio.Semaphore(_AT_ONCE)

    async def allows(permission: Permission, namespace: str, verb: str) -> bool:
        async with together:
            return await reviewer.allows(Ask(permission.group, permission.resource, verb, namespace, permission.name))

    try:
        allowed = await asyncio.gather(*(allows(*ask) for ask in asks))
    except NotReviewed as error:
        mend = (
            "ask as somebody who may create subjectaccessreviews.authorization.k8s.io, or leave --service-account out"
        )
        return [Finding(_CHECK, Level.WARN, f"of {who} cannot be looked at: {error}", mend)]
    missing: dict[tuple[Permission, str], list[str]] = {}
    for (permission, namespace, verb), is_allowed in zip(asks, allowed, strict=True):
        if not is_allowed:
            missing.setdefault((permission, namespace), []).append(verb)
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
