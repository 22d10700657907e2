"""What a list of pods tells of start-ups. Of a pod a few fields are kept, and the rest is not even built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from scalers.start_ups import StartUp

# Without a look at nodes, a pod that was scheduled later than this had none to go to.
_AT_ONCE = timedelta(seconds=30)
# Of a pod that was there before anybody looked, Ready may be younger than its first one (a probe that failed once).
LONGEST_UNSEEN = timedelta(hours=1)
_FAILING = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)


class _Part(msgspec.Struct, rename="camel", frozen=True):
    """A part of a pod; fields that are not named are skipped."""


class _Owner(_Part, frozen=True):
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class _Metadata(_Part, frozen=True):
    creation_timestamp: datetime
    name: str = ""
    uid: str = ""
    deletion_timestamp: datetime | None = None
    owner_references: tuple[_Owner, ...] = ()


class _Container(_Part, frozen=True):
    image: str = ""


class _Spec(_Part, frozen=True):
    node_name: str = ""
    containers: tuple[_Container, ...] = ()


class _Condition(_Part, frozen=True):
    type: str
    status: str = ""
    reason: str | None = None
    last_transition_time: datetime | None = None


class _Running(_Part, frozen=True):
    started_at: datetime | None = None


class _Waiting(_Part, frozen=True):
    reason: str = ""


class _State(_Part, frozen=True):
    running: _Running | None = None
    waiting: _Waiting | None = None


class _ContainerStatus(_Part, frozen=True):
    restart_count: int = 0
    state: _State = _State()


class _Status(_Part, frozen=True):
    phase: str = ""
    conditions: tuple[_Condition, ...] = ()
    container_statuses: tuple[_ContainerStatus, ...] = ()
    init_container_statuses: tuple[_ContainerStatus, ...] = ()


class Pod(_Part, frozen=True):
    """A pod, as far as its start-up goes."""

    metadata: _Metadata
    spec: _Spec = _Spec()
    status: _Status = _Status()

    @property
    def is_alive(self) -> bool:
        """Whether it is neither finished nor going."""
        return self.metadata.deletion_timestamp is None and self.status.phase not in {"Succeeded", "Failed"}

    @property
    def is_ready(self) -> bool:
        """Whether it serves."""
        return self.is_alive and self._since("Ready") is not None

    @property
    def is_unschedulable(self) -> bool:
        """Whether no node has room for it now."""
        told = self._condition("PodScheduled")
        return told is not None and told.status == "False" and told.reason == "Unschedulable"

    @property
    def has_restarted(self) -> bool:
        """Whether one of its containers failed and began anew."""
        statuses = (*self.status.container_statuses, *self.status.init_container_statuses)
        return any(each.restart_count > 0 for each in statuses)

    @property
    def trouble(self) -> str | None:
        """Why it does not come up, as Kubernetes names it; None where nothing is wrong."""
        if not self.is_alive or self.is_ready:
            return None
        statuses = (*self.status.init_container_statuses, *self.status.container_statuses)
        waiting = [each.state.waiting.reason for each in statuses if each.state.waiting is not None]
        return next((reason for reason in waiting if reason in _FAILING), None)

    def belongs_to(self, kind: str, name: str) -> bool:
        """Whether a workload's controller made it; of a kind whose controllers are not known, a label is enough."""
        owner = next((each for each in self.metadata.owner_references if each.controller), None)
        if kind == "Deployment":
            return owner is not None and owner.kind == "ReplicaSet" and owner.name.rpartition("-")[0] == name
        if kind == "StatefulSet":
            return owner is not None and (owner.kind, owner.name) == (kind, name)
        return True

    def start_up(self, *, had_no_node: bool, node: Node | None) -> StartUp | None:
        """Return its way to Ready; None where it has not come there, or not at the first attempt.

        Args:
            had_no_node: it was seen when no node had room for it.
            node: the one it is on, where that is known.
        """
        scheduled, ready = self._since("PodScheduled"), self._since("Ready")
        running = [each.state.running for each in self.status.container_statuses]
        begun = [each.started_at for each in running if each is not None and each.started_at is not None]
        if not self.is_alive or scheduled is None or ready is None or not begun or self.has_restarted:
            return None
        created, prepared = self.metadata.creation_timestamp, self._prepared()
        # clocks of scheduler and kubelet differ, and times are whole seconds: no part is shorter than nothing
        at_node = max(created, scheduled)
        at_start = at_node if prepared is None else max(at_node, prepared)
        at_run = max(at_start, *begun)
        return StartUp(
            pod=self.metadata.uid,
            created=created,
            to_schedule=at_node - created,
            to_start=None if prepared is None else at_start - at_node,
            to_run=at_run - at_start,
            to_ready=max(ready, at_run) - at_run,
            waited_for_node=had_no_node or _had_to_start(node, created, at_node),
            image=", ".join(sorted({each.image for each in self.spec.containers})),
            node_class="" if node is None else node.node_class,
        )

    def _prepared(self) -> datetime | None:
        """Return when network, volumes and init containers were done; None before Kubernetes 1.29, which tells none."""
        sandbox, initialized = self._since("PodReadyToStartContainers"), self._since("Initialized")
        if sandbox is None:
            return None
        return sandbox if initialized is None else max(sandbox, initialized)

    def _condition(self, name: str) -> _Condition | None:
        return next((each for each in self.status.conditions if each.type == name), None)

    def _since(self, name: str) -> datetime | None:
        """Return since when a condition is true; None where it is not."""
        told = self._condition(name)
        return told.last_transition_time if told is not None and told.status == "True" else None


class _PodList(_Part, frozen=True):
    items: tuple[Pod, ...] = ()


class _NodeMetadata(_Part, frozen=True):
    creation_timestamp: datetime
    labels: Mapping[str, str] = {}


class _Node(_Part, frozen=True):
    metadata: _NodeMetadata


@dataclass(frozen=True, slots=True)
class Node:
    """A node, as far as start-ups go."""

    created: datetime
    node_class: str  # its instance type; empty where it has none


_PODS = msgspec.json.Decoder(_PodList)
_NODE = msgspec.json.Decoder(_Node)


def pods_of(body: bytes) -> tuple[Pod, ...]:
    """Return the pods of a list.

    Raises:
        ValueError: it is none.
    """
    return _PODS.decode(body).items


def node_of(body: bytes) -> Node:
    """Return a node from its metadata.

    Raises:
        ValueError: it is none.
    """
    metadata = _NODE.decode(body).metadata
    return Node(metadata.creation_timestamp, metadata.labels.get("node.kubernetes.io/instance-type", ""))


def trouble_of(pods: Iterable[Pod]) -> str | None:
    """Say which pods do not become Ready; None where all is well."""
    reasons = Counter(pod.trouble for pod in pods if pod.trouble is not None)
    if not reasons:
        return None
    told = ", ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
    return f"pods that do not become Ready are no start-ups: {told}"


def ready_among(pods: Sequence[Pod]) -> int:
    """Return how many serve."""
    return sum(pod.is_ready for pod in pods)


def _had_to_start(node: Node | None, created: datetime, scheduled: datetime) -> bool:
    if node is not None:
        return node.created > created
    return scheduled - created > _AT_ONCE
