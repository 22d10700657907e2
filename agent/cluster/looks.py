"""Looks at the pods of policies' targets where something has changed there, and at what /scale says of other kinds.

A watch would be one connection for each target, or an index of all pods of the cluster. What is asked for instead is a
list of one target's pods, from the API server's cache, once its counts have moved: a pod's status tells its whole way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from agent.cluster.lead_times import LeadTimes
from agent.cluster.pods import LONGEST_UNSEEN, Node, Pod, node_of, pods_of, ready_among, trouble_of
from agent.cluster.reading import METADATA_ALONE, NotRead, Reader
from agent.cluster.scales import NoScale, Scale, Scales
from agent.cluster.target import Target, selector_text
from agent.cluster.targets import WatchedTargets
from agent.log import logger
from agent.snapshot import Unseen
from scalers.decision import Replicas
from scalers.policy import PolicyKey
from scalers.start_ups import StartUp

# Seconds. Pods come up one after the other; each look sees all that happened since the last.
_SOON, _SELDOM = 15.0, 600.0
_SCALE_EVERY = 15.0
_VALID_FOR = 300.0  # of what /scale said, while nobody answers
_MOST_AT_ONCE, _MOST_TOGETHER = 40, 8
_MOST_NODES = 5000


@dataclass(slots=True)
class _Seen:
    """What the last look at a target gave."""

    target: Target
    looked_at: float | None = None  # at pods
    version: object = None  # of the counts then
    is_settled: bool = False  # whether every pod was Ready
    wait: float = _SOON  # until the next look while they are not
    starting: set[str] = field(default_factory=set)  # pods that were seen before they were Ready
    without_node: set[str] = field(default_factory=set)  # pods that were seen while no node had room for them
    done: set[str] = field(default_factory=set)  # pods that were Ready once
    ready: int | None = None
    scaled_at: float | None = None  # when /scale was asked
    answered_at: float | None = None  # and gave an answer
    scale: Scale | None = None
    unseen: Unseen | None = None
    trouble: str | None = None


class TargetLooks:
    """Keeps lead times and the replicas of other kinds up to date. For the agent's loop."""

    def __init__(
        self, reader: Reader, watched: WatchedTargets, lead_times: LeadTimes, *, monotonic: Callable[[], float]
    ) -> None:
        """Look through a reader.

        Args:
            reader: of the API server.
            watched: what the watch keeps of Deployments and StatefulSets.
            lead_times: who hears of start-ups.
            monotonic: seconds.
        """
        self._reader = reader
        self._watched = watched
        self._lead_times = lead_times
        self._monotonic = monotonic
        self._scales = Scales(reader, monotonic)
        self._seen: dict[PolicyKey, _Seen] = {}
        self._nodes: dict[str, Node] = {}
        self._may_read_nodes = True
        self._together = asyncio.Semaphore(_MOST_TOGETHER)
        self._is_cut = False  # whether nobody answered in this round
        self._log = logger("targets")

    def observed(self, key: PolicyKey) -> Replicas | None:
        """Return the replicas of a target of another kind, as long as they are known."""
        seen = self._seen.get(key)
        if seen is None or seen.scale is None or seen.ready is None or seen.answered_at is None:
            return None
        if self._monotonic() - seen.answered_at > _VALID_FOR:
            return None
        return Replicas(existing=seen.scale.existing, ready=min(seen.ready, seen.scale.existing))

    def unseen(self, key: PolicyKey) -> Unseen | None:
        """Return why they are not known."""
        seen = self._seen.get(key)
        return None if seen is None else seen.unseen

    async def look(self, targets: Iterable[tuple[PolicyKey, Target]]) -> None:
        """Look where something is due, at most at some targets; those that were looked at longest ago come first."""
        wanted = dict(targets)
        self._seen = {
            key: seen if (seen := self._seen.get(key)) is not None and seen.target == target else _Seen(target)
            for key, target in wanted.items()
        }
        due = [(key, seen) for key, seen in self._seen.items() if self._is_due(seen)]
        self._is_cut = False
        due.sort(key=lambda pair: -1.0 if pair[1].looked_at is None else pair[1].looked_at)
        await asyncio.gather(*(self._look_at(key, seen) for key, seen in due[:_MOST_AT_ONCE]))

    def _is_due(self, seen: _Seen) -> bool:
        now = self._monotonic()
        if seen.target.makes_jobs:
            return False
        if not self._watched.is_watched(seen.target):
            return seen.scaled_at is None or now - seen.scaled_at >= _SCALE_EVERY
        version = self._watched.version(seen.target)
        return version is not None and self._has_changed(seen, version)

    def _has_changed(self, seen: _Seen, version: object) -> bool:
        if seen.looked_at is None:
            return True
        age = self._monotonic() - seen.looked_at
        if version != seen.version and age >= _SOON:
            return True
        return not seen.is_settled and age >= seen.wait

    async def _look_at(self, key: PolicyKey, seen: _Seen) -> None:
        async with self._together:
            if self._is_cut:
                return
            try:
                if self._watched.is_watched(seen.target):
                    selector = selector_text(self._watched.selector(seen.target) or {})
                    await self._look_at_pods(key, seen, selector, self._watched.version(seen.target))
                else:
                    await self._look_at_scale(key, seen)
            except NotRead as error:
                self._not_read(key, seen, error)

    async def _look_at_scale(self, key: PolicyKey, seen: _Seen) -> None:
        now = seen.scaled_at = self._monotonic()
        try:
            scale = await self._scales.scale(seen.target)
        except NoScale as error:
            self._tell(key, seen, error.unseen)
            if not error.is_passing:
                seen.scale = None
            return
        seen.scale, seen.answered_at = scale, now
        if not scale.selector:
            told = f"the /scale of {seen.target.shown} names no selector, so its pods are not known"
            self._tell(key, seen, Unseen("NoSelector", told))
            return
        if self._has_changed(seen, scale) or now - (seen.looked_at or now) >= _SELDOM:
            await self._look_at_pods(key, seen, scale.selector, scale)
        self._tell(key, seen, None)

    async def _look_at_pods(self, key: PolicyKey, seen: _Seen, selector: str | None, version: object) -> None:
        seen.looked_at = self._monotonic()
        if selector is None:
            seen.version, seen.is_settled = version, True
            return
        pods = await self._pods(seen.target, selector)
        seen.ready, seen.version = ready_among(pods), version
        was_settled, seen.is_settled = seen.is_settled, all(pod.is_ready for pod in pods if pod.is_alive)
        seen.wait = _SOON if was_settled else min(2 * seen.wait, _SELDOM)
        start_ups = await self._start_ups(seen, pods)
        if start_ups:
            seen.wait = _SOON
        seen.trouble = trouble_of(pods)
        self._lead_times.saw(key, start_ups, trouble=seen.trouble)

    async def _pods(self, target: Target, selector: str) -> Sequence[Pod]:
        path = f"/api/v1/namespaces/{target.namespace}/pods"
        # version 0: as the API server's cache has them, which costs etcd nothing
        body = await self._reader.get(path, (("labelSelector", selector), ("resourceVersion", "0")))
        return [pod for pod in pods_of(body) if pod.belongs_to(target.kind, target.name)]

    async def _start_ups(self, seen: _Seen, pods: Sequence[Pod]) -> list[StartUp]:
        """Return the start-ups of pods that are Ready for the first time."""
        names = {pod.metadata.uid for pod in pods}
        seen.without_node = (seen.without_node & names) | {pod.metadata.uid for pod in pods if pod.is_unschedulable}
        found = []
        for pod in pods:
            name = pod.metadata.uid
            if not pod.is_ready or name in seen.done:
                continue
            node = await self._node(pod.spec.node_name)
            start_up = pod.start_up(had_no_node=name in seen.without_node, node=node)
            if start_up is not None and (name in seen.starting or start_up.total <= LONGEST_UNSEEN):
                found.append(start_up)
        seen.done = (seen.done & names) | {pod.metadata.uid for pod in pods if pod.is_ready}
        seen.starting = {pod.metadata.uid for pod in pods if not pod.is_ready} - seen.done
        return found

    async def _node(self, name: str) -> Node | None:
        """Return a node; None where nodes may not be read, or it is gone."""
        if not name or not self._may_read_nodes:
            return None
        if name not in self._nodes:
            if len(self._nodes) >= _MOST_NODES:
                self._nodes.clear()
            try:
                self._nodes[name] = node_of(await self._reader.get(f"/api/v1/nodes/{name}", accept=METADATA_ALONE))
            except NotRead as error:
                self._node_not_read(error)
                return None
        return self._nodes[name]

    def _node_not_read(self, error: NotRead) -> None:
        if error.status in (401, 403):
            self._may_read_nodes = False
            effect = (
                "which class a node is of is not known, and a pod that was scheduled late is taken to have had none"
            )
            self._log.info(
                "nodes_not_read", error=str(error), effect=effect, mend="rbac.nodes of the chart, cluster scope"
            )

    def _not_read(self, key: PolicyKey, seen: _Seen, error: NotRead) -> None:
        if error.status is None:  # it is tried again, and what was seen stands
            self._is_cut = True
            return
        trouble = f"its pods cannot be listed: {error}"
        if error.status in (401, 403):
            trouble = f"its pods cannot be listed: let the service account list pods in {seen.target.namespace}"
        if trouble != seen.trouble:
            self._log.warning("pods_not_listed", policy=str(key), target=seen.target.shown, error=str(error))
        seen.trouble, seen.wait = trouble, min(2 * seen.wait, _SELDOM)
        self._lead_times.saw(key, (), trouble=trouble)
        if seen.scale is not None:
            seen.unseen = Unseen("PodsNotListed", trouble)

    def _tell(self, key: PolicyKey, seen: _Seen, unseen: Unseen | None) -> None:
        if unseen is not None and unseen != seen.unseen:
            self._log.warning("target_not_seen", policy=str(key), reason=unseen.reason, told=unseen.message)
        seen.unseen = unseen
