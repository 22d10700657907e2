"""What is there of a policy's scale target: replicas that exist and those that serve, as the watch has seen them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from agent.cluster.documents import Document, Documents
from agent.cluster.rollouts import Progress, deployment_rolls, stateful_set_rolls
from agent.cluster.target import Target
from agent.cluster.watch import Kind
from agent.cluster.workloads import Workload, kept_template, workload_of
from agent.snapshot import Unseen
from scalers.decision import Replicas
from scalers.policy import PolicyKey

_FIRST_LIST = 60.0  # seconds within which a watch has told what is there
_MOST_WORKLOADS = 20_000  # read and kept, a few KiB each: of policies that are gone nobody tells
_METADATA = ("name", "namespace", "uid", "resourceVersion", "generation", "ownerReferences")
_SPEC = ("replicas", "selector", "paused", "progressDeadlineSeconds", "strategy", "updateStrategy")
_STATUS = (
    "replicas",
    "readyReplicas",
    "updatedReplicas",
    "terminatingReplicas",
    "observedGeneration",
    "currentRevision",
    "updateRevision",
)
_CONDITIONS = {"Progressing": ("type", "status", "reason"), "ReplicaFailure": ("type", "status", "message")}


def counts_of(document: Document) -> Document:
    """Return of a workload what says how many replicas there are, and what each asks for: whole it has tens of KiB."""
    kept: dict[str, Document] = {}
    for part, names in (("metadata", _METADATA), ("spec", _SPEC), ("status", _STATUS)):
        whole = document.get(part) or {}
        kept[part] = {name: whole[name] for name in names if whole.get(name) is not None}
    told = (document.get("status") or {}).get("conditions") or ()
    conditions = [
        {name: each.get(name) for name in _CONDITIONS[each["type"]]} for each in told if each.get("type") in _CONDITIONS
    ]
    template = kept_template((document.get("spec") or {}).get("template") or {})
    spec, status = {**kept["spec"], "template": template}, {**kept["status"], "conditions": conditions}
    return {**kept, "spec": spec, "status": status}


DEPLOYMENTS = Kind("apps", "v1", "deployments", counts_of)
STATEFUL_SETS = Kind("apps", "v1", "statefulsets", counts_of)
WATCHED = {("apps", "Deployment"): DEPLOYMENTS, ("apps", "StatefulSet"): STATEFUL_SETS}
_ROLLS = {"Deployment": deployment_rolls, "StatefulSet": stateful_set_rolls}


class WatchedTargets:
    """Scale targets of the kinds that are watched.

    Attributes:
        forbidden: those of these kinds that may not be watched, and what a person can do about each.
    """

    def __init__(self, kept: Mapping[Kind, Documents], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Look up what a watch keeps; `monotonic` tells seconds, for rollouts that do not come on."""
        self.forbidden: Mapping[Kind, str] = {}
        self._kept = kept
        self._monotonic = monotonic
        self._began = monotonic()
        self._progress = Progress(monotonic)
        self._workloads: dict[Target, tuple[Document, Workload]] = {}  # and what each was read from

    def is_watched(self, target: Target) -> bool:
        """Whether a target's kind is one of them."""
        return (target.group, target.kind) in WATCHED

    def is_missing(self, target: Target) -> bool:
        """Whether there is no such object, as far as a watch that has had its time to begin knows."""
        return self.version(target) is None and self._monotonic() - self._began > _FIRST_LIST

    def refusal(self, target: Target) -> str | None:
        """Return what a person can do where its kind may not be watched; None where it may."""
        kind = WATCHED.get((target.group, target.kind))
        return None if kind is None else self.forbidden.get(kind)

    def selector(self, target: Target) -> Mapping[str, Any] | None:
        """Return its pods' label selector."""
        document = self._document(target)
        return None if document is None else document["spec"].get("selector")

    def version(self, target: Target) -> object:
        """Return what differs after each change of its counts; None where there is no such object."""
        document = self._document(target)
        return None if document is None else (document["metadata"].get("uid"), document["metadata"]["resourceVersion"])

    def controller(self, target: Target) -> tuple[str, str] | None:
        """Return kind and name of what controls it; None where nothing does."""
        document = self._document(target)
        owners = () if document is None else document["metadata"].get("ownerReferences", ())
        return next(((each["kind"], each["name"]) for each in owners if each.get("controller")), None)

    def workload(self, target: Target) -> Workload | None:
        """Return what it says of its pods, read anew when it changes; None where there is no such object."""
        document = self._document(target)
        if document is None:
            self._workloads.pop(target, None)
            return None
        known = self._workloads.get(target)
        if known is None or known[0] is not document:
            if len(self._workloads) >= _MOST_WORKLOADS:
                self._workloads.clear()
            known = self._workloads[target] = (document, workload_of(document))
        return known[1]

    def replicas(self, target: Target) -> Replicas | None:
        """Return its counts; a controller that has not looked at it yet knows none."""
        document = self._document(target)
        if document is None or document["status"].get("observedGeneration") is None:
            return None
        status = document["status"]
        existing, ready = status.get("replicas") or 0, status.get("readyReplicas") or 0
        return Replicas(existing=existing, ready=ready, is_rolling_out=self._is_rolling_out(target, document))

    def _document(self, target: Target) -> Document | None:
        kind = WATCHED.get((target.group, target.kind))
        documents = None if kind is None else self._kept.get(kind)
        return None if documents is None else documents.get((target.namespace, target.name))

    def _is_rolling_out(self, target: Target, document: Document) -> bool:
        if _ROLLS[target.kind](document):
            return self._progress.is_coming_on(target, document)
        self._progress.ended(target)
        return False


class OtherTargets(Protocol):
    """Who knows the replicas of targets of other kinds."""

    def observed(self, key: PolicyKey) -> Replicas | None:
        """Return the newest observation; None is unknown."""
        ...

    def unseen(self, key: PolicyKey) -> Unseen | None:
        """Return why it is unknown."""
        ...


class ObservedTargets:
    """The `ReplicaSource` of a cluster."""

    def __init__(
        self,
        watched: WatchedTargets,
        target: Callable[[PolicyKey], Target | None],
        others: Callable[[], OtherTargets | None],
    ) -> None:
        """Look up what is known.

        Args:
            watched: targets of the kinds that are watched.
            target: of a policy, None where there is no such policy.
            others: who knows the others; None before there is a way to the API server.
        """
        self._watched = watched
        self._target = target
        self._others = others

    def observed(self, key: PolicyKey) -> Replicas | None:
        """Return the newest observation; None where there is no such object, or nobody knows."""
        target, others = self._target(key), self._others()
        if target is None:
            return None
        if self._watched.is_watched(target):
            return self._watched.replicas(target)
        return None if others is None else others.observed(key)

    def unseen(self, key: PolicyKey) -> Unseen | None:
        """Return why it is unknown."""
        target, others = self._target(key), self._others()
        if target is None:
            return None
        if not self._watched.is_watched(target):
            return None if others is None else others.unseen(key)
        if (mend := self._watched.refusal(target)) is not None:
            return Unseen("TargetsForbidden", f"{target.shown} is not seen: {mend}")
        if not self._watched.is_missing(target):
            return None
        return Unseen("NoSuchTarget", f"there is no {target.shown} in namespace {target.namespace}")
