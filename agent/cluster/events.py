"""Events of our policies: what has changed of a status, no more of it than an API server and a reader can bear."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from kubernetes.aio import client

from agent.cluster.access import FAILURES
from agent.cluster.documents import Document, Name, name_of
from agent.cluster.news import Facts, News, facts_of, news
from agent.log import logger
from agent.policy.document import API_VERSION, KIND
from agent.redaction import redact_text
from scalers.policy import Mode

_BURST, _REFILL = (
    10.0,
    300.0,
)  # Events of one policy at once, and seconds until one more: one that flaps tells it 12 an hour
_LONGEST_NOTE = 1000  # bytes; the API server refuses more than 1024: kubernetes pkg/apis/core/validation/events.go
_CONTROLLER = "foretide.dev/agent"


class EventNotWritten(Exception):
    """An Event could not be written; the message says why."""


class EventApi(Protocol):
    """Who takes Events."""

    async def create(self, namespace: str, event: dict[str, Any]) -> None:
        """Create one.

        Raises:
            EventNotWritten: it was refused, or nobody answered.
        """
        ...


class KubernetesEvents:
    """Events on the API server."""

    def __init__(self, api: client.ApiClient) -> None:
        self._objects = client.CustomObjectsApi(api)  # for the instants, whose form the typed client does not keep to

    async def create(self, namespace: str, event: dict[str, Any]) -> None:
        """Create one."""
        try:
            await self._objects.create_namespaced_custom_object(
                "events.k8s.io", "v1", namespace, "events", event, field_manager="foretide", _request_timeout=10
            )
        except FAILURES as error:
            raise EventNotWritten(f"an Event in namespace {namespace}: {_refusal(error)}") from error


class TokenBucket:
    """Lets some through at once and then one after the other."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left, self._at = _BURST, monotonic()

    def take(self) -> bool:
        """Return whether one may pass."""
        now = self._monotonic()
        self._left = min(_BURST, self._left + (now - self._at) / _REFILL)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


@dataclass(slots=True)
class _Policy:
    uid: str
    facts: Facts
    bucket: TokenBucket
    left_out: int = 0


class EventTeller:
    """Tells what has changed between two statuses of a policy; after a start, since the one that the cluster has."""

    def __init__(self, api: EventApi, *, instance: str, monotonic: Callable[[], float]) -> None:
        """Tell through an API as one instance of the agent; `monotonic` tells seconds."""
        self._api = api
        self._instance = instance
        self._monotonic = monotonic
        self._policies: dict[Name, _Policy] = {}
        self._trouble = ""
        self._log = logger("events")

    def keep(self, names: Set[Name]) -> None:
        """Forget the policies that are not among these."""
        self._policies = {name: known for name, known in self._policies.items() if name in names}

    async def written(self, document: Document, status: dict[str, Any], *, mode: Mode | None, now: datetime) -> None:
        """Tell what is new in a status that was just written.

        Args:
            document: the policy, with the status before.
            status: the one that was written.
            mode: that is acted on; None where nothing is.
            now: the time.
        """
        known, facts = self._known(document), facts_of(status, mode)
        before, known.facts = known.facts, facts
        for each in news(before, facts):
            if known.bucket.take():
                await self._create(document, each, known, now)
            else:
                known.left_out += 1

    def _known(self, document: Document) -> _Policy:
        name, uid = name_of(document), str(document["metadata"].get("uid", ""))
        known = self._policies.get(name)
        if known is None or known.uid != uid:
            facts = facts_of(document.get("status") or {}, None)
            known = self._policies[name] = _Policy(uid, facts, TokenBucket(self._monotonic))
        return known

    async def _create(self, document: Document, told: News, known: _Policy, now: datetime) -> None:
        left_out = f" ({known.left_out} before it were left out)" if known.left_out else ""
        note = f"{_cut(redact_text(told.note), _LONGEST_NOTE - len(left_out))}{left_out}"
        try:
            await self._api.create(name_of(document)[0], _event(document, told, note, self._instance, now))
        except EventNotWritten as error:
            if str(error) != self._trouble:
                self._log.warning("event_not_written", policy="/".join(name_of(document)), error=str(error))
            self._trouble = str(error)
            return
        known.left_out, self._trouble = 0, ""


def _refusal(error: Exception) -> str:
    """Return why an Event was not taken; what was wrong with it stands in the body alone."""
    status = getattr(error, "status", None)
    if status == 403:
        return "Forbidden: let the service account create events.events.k8s.io"
    return f"{status} {str(getattr(error, 'body', ''))[:500]}" if status else str(error)


def _event(document: Document, told: News, note: str, instance: str, now: datetime) -> dict[str, Any]:
    namespace, name = name_of(document)
    regarding = {"apiVersion": API_VERSION, "kind": KIND, "namespace": namespace, "name": name}
    metadata = document["metadata"]
    regarding |= {key: metadata[key] for key in ("uid", "resourceVersion") if key in metadata}
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        # a dash: of what a name is made of, the API server takes no dot at the end
        "metadata": {"generateName": f"{name[:200]}-", "namespace": namespace},
        "eventTime": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}",  # six digits, or it is refused
        "reportingController": _CONTROLLER,
        "reportingInstance": instance[:128],
        "regarding": regarding,
        "type": "Warning" if told.is_wrong else "Normal",
        "reason": told.reason[:128],
        "action": told.action,
        "note": note,
    }


def _cut(text: str, longest: int) -> str:
    whole = text.encode()
    return text if len(whole) <= longest else f"{whole[: longest - 3].decode(errors='ignore')}…"
