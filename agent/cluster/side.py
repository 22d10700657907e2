"""What runs in a cluster beside the decisions: the watch, and the writing of statuses and of inline policies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, cast

from kubernetes.aio import client

from agent.clock import Clock
from agent.cluster.access import FAILURES, api_client
from agent.cluster.definition import INSTALL, lacking, misfit, read_definition
from agent.cluster.documents import Documents, name_of
from agent.cluster.events import EventTeller, KubernetesEvents
from agent.cluster.ghosts import forget_gone
from agent.cluster.inline_writer import InlineWriter, KubernetesPolicies
from agent.cluster.kill_switch import KillSwitch
from agent.cluster.kubernetes_lease import KubernetesLease
from agent.cluster.lead_times import LeadTimes, MeasuredPolicies
from agent.cluster.lease import Elector, identity, own_namespace
from agent.cluster.looks import TargetLooks
from agent.cluster.onlooker import ClusterOnlooker
from agent.cluster.others import SCALED_OBJECTS
from agent.cluster.policies import ClusterPolicies
from agent.cluster.reaching import Unreachable
from agent.cluster.reading import KubernetesReader, NotRead, Reader
from agent.cluster.reviewing import KubernetesReviewer
from agent.cluster.rights import WatchRights
from agent.cluster.statuses import PLURAL, KubernetesStatuses, StatusBook, StatusWriter
from agent.cluster.target import Target, target_of
from agent.cluster.targets import WATCHED, ObservedTargets, WatchedTargets
from agent.cluster.watch import ClusterWatch, Kind
from agent.log import logger
from agent.parts import Parts
from agent.policy.document import API_VERSION, GROUP, KIND, VERSION
from agent.sources.table import SourceTable
from scalers.policy import PolicyKey

POLICIES = Kind(GROUP, VERSION, PLURAL)
_PAGE = 500  # objects of a list at a time
_LIST_EVERY, _LIST_AFTER_CUT = 300.0, 30.0  # seconds
_DEFAULT_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment"}


class ClusterSide:
    """Policies, targets and statuses of one cluster. Begun once, in the agent's loop.

    Attributes:
        every: how often it looks whether a status is due.
        policies: what the watch has kept of our policies.
        targets: replicas of their scale targets.
        lead_times: start-ups of their pods.
        onlooker: what else acts on them.
        kill_switch: whether a person wants every answer to be the raw need.
        elector: this agent's part in the election; None before the API server has been reached, and without a Lease.
    """

    every = timedelta(seconds=5)

    def __init__(self, clock: Clock, namespaces: Sequence[str], *, lease: str | None = None) -> None:
        """Prepare to take part.

        Args:
            clock: the time.
            namespaces: whose policies are acted on, all where none is named.
            lease: name of the Lease, in the agent's own namespace, whose holder alone writes; None writes always.
        """
        self.policies = Documents()
        self._kept: dict[Kind, Documents] = {
            POLICIES: self.policies,
            **{kind: Documents() for kind in WATCHED.values()},
        }
        self._watched = WatchedTargets(self._kept)
        self._looks: TargetLooks | None = None
        self.lead_times = LeadTimes(clock.now)
        self.targets = ObservedTargets(self._watched, self._target, lambda: self._looks)
        self.onlooker = ClusterOnlooker(
            self.policies, self._target, self._watched.controller, namespaces, workload=self._watched.workload
        )
        self.kill_switch = KillSwitch(own_namespace())
        self._clock = clock
        self._namespaces = tuple(namespaces)
        self._watch: ClusterWatch | None = None
        self._rights: WatchRights | None = None
        self._listed_at, self._lists_seen = 0.0, 0
        self._api: client.ApiClient | None = None
        self._writer: StatusWriter | None = None
        self._inline: InlineWriter | None = None
        self._lease = lease
        self.elector: Elector | None = None
        self._electing: asyncio.Task[None] | None = None
        self._shown: tuple[StatusBook, ClusterPolicies] | None = None
        self._is_resting: Callable[[], bool] = lambda: False
        self._log = logger("cluster")

    def policies_of(self, parts: Parts, sources: SourceTable, *, most: int | None = None) -> MeasuredPolicies:
        """Return the policies for the engine, each namespace's at most; what its book shows becomes their status."""
        policies = ClusterPolicies(self.policies, sources, most=most)
        self._shown, self._is_resting = (parts.book, policies), lambda: parts.engine.is_resting
        self.lead_times.keep_in(parts.store, parts.storing)
        return MeasuredPolicies(policies, self.lead_times)

    async def begin(self) -> None:
        """List the policies, and watch from then on.

        Raises:
            Unreachable: there is no way to the API server, it refuses, or it has no policies of this version.
        """
        self._api = await api_client()
        reader = KubernetesReader(self._api)
        await self._look_at_definition(reader)
        await self.kill_switch.look(reader)
        await self._list_policies(self._api)
        await self.lead_times.load((key, target.shown) for key, target in self._targets())
        self._rights = WatchRights(KubernetesReviewer(self._api), self._namespaces)
        await self.onlooker.list_all(reader)
        await self.onlooker.look_at_namespaces(reader, (target for _, target in self._targets()))
        self._looks = TargetLooks(reader, self._watched, self.lead_times, monotonic=time.monotonic)
        events = EventTeller(KubernetesEvents(self._api), instance=identity(), monotonic=time.monotonic)
        self._writer = StatusWriter(KubernetesStatuses(self._api), self.policies, events)
        scaled_objects = self.onlooker.kept[SCALED_OBJECTS]
        self._inline = InlineWriter(KubernetesPolicies(self._api), scaled_objects, self.policies)
        if self._lease is not None:
            leases = KubernetesLease(self._api, namespace=own_namespace(), name=self._lease)
            self.elector = Elector(leases, identity(), monotonic=time.monotonic)
        await self._watch_anew()

    async def look(self) -> None:
        """Write what is due and tell what is new, where this agent leads; begin an ended watch anew."""
        if self._watch is not None and self._watch.ended.done():
            self._log.error("watch_ended", error=str(self._watch.ended.exception()), effect="it is begun anew")
            await self._watch_anew()
        if self._api is not None:
            await self.kill_switch.look(KubernetesReader(self._api))
        await self._list_now_and_then()
        self.onlooker.look()
        await self._look_at_targets()
        if self._writer is None or self._inline is None or self._shown is None:
            return
        if self.elector is not None and not self.elector.is_leading:
            self._writer.forget()
            return
        await self._inline.look()
        book, policies = self._shown
        await self._writer.look(book, policies.faults, self._clock.now())

    async def stand(self, address: str) -> None:
        """Take part in the election from now on; the others may follow at this address, if there is one."""
        if self.elector is not None:
            self.elector.address = address
            await self.elector.step()
            self._electing = asyncio.create_task(self.elector.run(), name="lease")

    async def resign(self) -> None:
        """Take part no more, and let go of the Lease; one that never took part, too."""
        if self._electing is not None and self.elector is not None:
            self._electing.cancel()
            self._electing = None
            await self.elector.release()

    async def close(self) -> None:
        """End the watch, let go of the Lease, and end the connections."""
        await self.resign()
        await self._stop_watching()
        if self._api is not None:
            await self._api.close()  # type: ignore[no-untyped-call]

    async def _look_at_definition(self, reader: Reader) -> None:
        try:
            definition = await read_definition(reader)
        except NotRead:
            return  # what is wrong is said by the list that follows
        if (fault := misfit(definition)) is not None:
            raise Unreachable(f"{fault.what}: {fault.mend}")
        if (what := lacking(definition)) is not None:
            self._log.warning("crd_older", found=what, mend=INSTALL)

    async def _list_policies(self, api: client.ApiClient) -> None:
        objects = client.CustomObjectsApi(api)
        self._listed_at, self._lists_seen = time.monotonic(), 0 if self._watch is None else self._watch.listed
        for scope in self._scopes():
            documents, version = await _listed(objects, scope)
            if gone := self.policies.settle(documents, version=version, namespace=scope):
                self._log.warning("policies_gone", count=gone, cause="deleted while the watch was cut")

    async def _list_now_and_then(self) -> None:
        """List all anew that is watched: kopf tells of nothing that was deleted while its watch was cut."""
        age = time.monotonic() - self._listed_at
        was_cut = self._watch is not None and self._watch.listed != self._lists_seen
        is_unwatched = self._rights is not None and POLICIES in self._rights.missing
        if self._api is None or age < (_LIST_AFTER_CUT if was_cut or is_unwatched else _LIST_EVERY):
            return
        try:
            await self._list_policies(self._api)
        except Unreachable as error:
            self._log.warning("policies_not_listed", error=str(error), effect="those that are known stay")
            return
        reader = KubernetesReader(self._api)
        await self._forget_targets(reader)
        has_others = await self.onlooker.list_all(reader)
        if await self._look_at_rights() or has_others:
            await self._stop_watching()
            await self._watch_anew()

    async def _forget_targets(self, reader: Reader) -> None:
        targets = {kind: self._kept[kind] for kind in WATCHED.values()}
        try:
            gone = await forget_gone(reader, targets, namespaces=self._namespaces)
        except NotRead as error:
            self._log.warning("targets_not_listed", error=str(error), effect="those that are known stay")
            return
        if gone:
            self._log.warning("targets_gone", count=gone, cause="deleted while the watch was cut")

    async def _look_at_rights(self) -> bool:
        """Look which kinds may be watched; return whether others than before may."""
        if self._rights is None:
            return False
        has_changed = await self._rights.look((*self._kept, *self.onlooker.watched))
        self._watched.forbidden = self.onlooker.forbidden = self._rights.missing
        for kind in WATCHED.values():
            if kind in self._rights.missing:
                self._kept[kind].replace(())  # what was known of replicas no longer stands
        return has_changed

    async def _watch_anew(self) -> None:
        await self._look_at_rights()
        missing = {} if self._rights is None else self._rights.missing
        kinds = {kind: kept for kind, kept in {**self._kept, **self.onlooker.watched}.items() if kind not in missing}
        self._watch = ClusterWatch(kinds, namespaces=self._namespaces)
        await asyncio.to_thread(self._watch.start)

    async def _stop_watching(self) -> None:
        if self._watch is not None:
            await asyncio.to_thread(self._watch.stop)

    def _scopes(self) -> Sequence[str | None]:
        return self._namespaces or (None,)

    async def _look_at_targets(self) -> None:
        targets = self._targets()
        await self.lead_times.load((key, target.shown) for key, target in targets)
        if self._is_resting():  # who decides looks, and the store has a copy of what came of it
            await self.lead_times.follow()
            return
        if self._looks is not None and self._api is not None:
            await self.onlooker.look_at_namespaces(KubernetesReader(self._api), (target for _, target in targets))
            await self._looks.look(targets)
        self.lead_times.review()
        await self.lead_times.keep()

    def _targets(self) -> list[tuple[PolicyKey, Target]]:
        keys = [PolicyKey(*name_of(document)) for document in self.policies.all()]
        return [(key, target) for key in keys if (target := self._target(key)) is not None]

    def _target(self, key: PolicyKey) -> Target | None:
        document = self.policies.get((key.namespace, key.name))
        if document is None:
            return None
        return target_of(key.namespace, {**_DEFAULT_TARGET, **document["spec"]["scaleTargetRef"]})


async def _listed(objects: client.CustomObjectsApi, namespace: str | None) -> tuple[list[dict[str, Any]], str]:
    """Return policies, and the resourceVersion of the list."""
    found: list[dict[str, Any]] = []
    position: str | None = ""
    version = ""
    while position is not None:
        page = await _page(objects, namespace, position)
        # of a list the API server leaves out what all of its items are
        found += [{"apiVersion": API_VERSION, "kind": KIND, **item} for item in page["items"]]
        position, version = page["metadata"].get("continue") or None, page["metadata"]["resourceVersion"]
    return found, version


async def _page(objects: client.CustomObjectsApi, namespace: str | None, position: str) -> dict[str, Any]:
    options: dict[str, Any] = {"limit": _PAGE, "_continue": position, "_request_timeout": 30}
    try:
        if namespace is None:
            listed = await objects.list_cluster_custom_object(GROUP, VERSION, PLURAL, **options)
        else:
            listed = await objects.list_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, **options)
    except FAILURES as error:
        raise Unreachable(_refusal(error, namespace)) from error
    return cast("dict[str, Any]", listed)


def _refusal(error: Exception, namespace: str | None) -> str:
    where = "all namespaces" if namespace is None else f"namespace {namespace}"
    status = getattr(error, "status", None)
    if status == 404:
        mend = f"install the CRD: {INSTALL}"
    elif status == 403:
        mend = "let the service account get, list and watch forecastpolicies.foretide.dev, or name --namespace"
    else:
        mend = "see whether the API server answers"
    return f"ForecastPolicies of {where} cannot be listed ({getattr(error, 'reason', None) or error}): {mend}"
