"""What may be done in a cluster: the API server says so, for who asks or for another account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from kubernetes.aio import client

from agent.cluster.access import FAILURES

_LONGEST = 10  # seconds


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

    group: str  # empty for the core group
    resource: str  # with its subresource, as RBAC writes it
    verb: str
    namespace: str = ""  # empty: all of them, or none
    name: str = ""  # of the one object that it is about


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

    def __init__(self, api: client.ApiClient, account: Account | None = None) -> None:
        self._reviews = client.AuthorizationV1Api(api)
        self._account = account

    async def allows(self, ask: Ask) -> bool:
        """Return whether it is."""
        resource, _, subresource = ask.resource.partition("/")
        asked = client.V1ResourceAttributes(
            group=ask.group,
            resource=resource,
            subresource=subresource,
            verb=ask.verb,
            namespace=ask.namespace,
            name=ask.name,
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
