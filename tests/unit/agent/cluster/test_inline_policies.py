"""Policies that ScaledObjects hold inline: what they become, and how the cluster is kept as they say."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from agent.cluster.documents import Documents, Name, name_of
from agent.cluster.inline_policies import inline_policy, owner_of
from agent.cluster.inline_writer import InlineWriter, PolicyNotWritten
from agent.cluster.others import kept_scaled_object, scaled_object_of
from agent.policy import policy_of
from scalers.policy import Mode

NAME = ("ml", "chat")
INLINE = {"scalerAddress": "foretide.foretide:6000", "query": "sum(rate(requests[1m]))", "capacityPerReplica": "12"}


def scaled_object(*triggers: Mapping[str, Any], uid: str = "so-1", **spec: object) -> dict[str, Any]:
    return {
        "metadata": {"name": "chat", "namespace": "ml", "uid": uid, "resourceVersion": "5"},
        "spec": {"scaleTargetRef": {"name": "chat"}, "triggers": list(triggers), **spec},
    }


def external(**metadata: str) -> dict[str, Any]:
    return {"type": "external-push", "metadata": {**INLINE, **metadata}}


def test_a_scaled_object_alone_is_a_whole_policy() -> None:
    wanted = inline_policy(scaled_object(external()))
    assert wanted is not None
    policy = policy_of(wanted, origin="inline")

    assert policy.spec.mode is Mode.ACTIVE
    assert policy.spec.scale_target_ref.kind == "Deployment"
    assert (policy.spec.replicas.min, policy.spec.replicas.max) == (0, 100)  # as KEDA has them
    assert policy.spec.risk == 0.01
    assert owner_of(wanted) == "so-1"


def test_what_the_trigger_and_the_scaled_object_say_is_in_the_policy() -> None:
    trigger = external(risk="5%", leadTime="90s", mode="Shadow", source="long-term")
    target = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "chat", "envSourceContainerName": "main"}
    wanted = inline_policy(scaled_object(trigger, scaleTargetRef=target, minReplicaCount=2, maxReplicaCount=40))
    assert wanted is not None
    policy = policy_of(wanted, origin="inline")

    assert wanted["spec"]["scaleTargetRef"] == {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "chat",
    }  # fmt: skip
    assert (policy.spec.replicas.min, policy.spec.replicas.max, policy.spec.risk) == (2, 40, 0.05)
    assert policy.spec.mode is Mode.SHADOW
    assert policy.spec.demand is not None
    assert policy.spec.demand.source == "long-term"
    assert policy.spec.lead_time.declared.total_seconds() == 90


@pytest.mark.parametrize(
    "trigger",
    [
        {"type": "external", "metadata": {"scalerAddress": "foretide:6000", "policy": "chat"}},
        {"type": "external", "metadata": {"scalerAddress": "other:6000", "query": "up"}},
        {"type": "prometheus", "metadata": {"query": "up", "threshold": "5"}},
        {"type": "cpu"},
    ],
)
def test_other_triggers_hold_no_policy(trigger: dict[str, Any]) -> None:
    assert inline_policy(scaled_object(trigger)) is None
    assert inline_policy(scaled_object(trigger, external())) is not None


def test_what_a_watch_keeps_of_a_scaled_object_is_enough_and_it_is_said_to_name_its_own_policy() -> None:
    trigger = external(risk="5%", apiKey="hunter2")
    whole = scaled_object(trigger, minReplicaCount=2, maxReplicaCount=40)
    kept = kept_scaled_object(whole)
    assert inline_policy(kept) == inline_policy(whole)
    assert "hunter2" not in str(kept)
    assert "foretide.foretide" not in str(kept)
    assert scaled_object_of(kept).policies == scaled_object_of(kept).pushed == {"chat"}


class Cluster:
    """Takes what is written as an API server does; refuses what it is told to."""

    def __init__(self) -> None:
        self.scaled_objects, self.policies = Documents(), Documents()
        self.calls: list[str] = []
        self.refuses = ""
        self.is_away = False
        self.now = 0.0
        self.writer = InlineWriter(self, self.scaled_objects, self.policies, monotonic=lambda: self.now)

    async def apply(self, name: Name, policy: Mapping[str, object]) -> None:
        self.calls.append(f"apply {'/'.join(name)}")
        self._may_refuse()
        there: dict[str, Any] = copy.deepcopy(dict(policy))
        there["metadata"] |= {"uid": "fcp-1", "resourceVersion": str(self.policies.changes + 10)}
        there["spec"]["forecast"] = {"horizon": "1h"}  # a default of the server's
        self.policies.put(there)

    async def delete(self, name: Name, uid: str) -> None:
        self.calls.append(f"delete {'/'.join(name)} {uid}")
        self._may_refuse()
        there = self.policies.get(name)
        assert there is not None
        self.policies.remove(there)

    def _may_refuse(self) -> None:
        if self.is_away:
            raise PolicyNotWritten("503", is_refused=False)
        if self.refuses:
            raise PolicyNotWritten(self.refuses, is_refused=True)

    async def edit(self, document: dict[str, Any], version: int) -> None:
        document["metadata"]["resourceVersion"] = str(version)
        self.scaled_objects.put(document)
        await self.writer.look()


async def test_a_policy_is_made_changed_and_deleted_with_its_scaled_object() -> None:
    cluster = Cluster()
    await cluster.edit(scaled_object(external()), 6)
    assert cluster.calls == ["apply ml/chat"]

    await cluster.writer.look()
    await cluster.edit(scaled_object(external()), 7)  # nothing of the policy has changed
    assert cluster.calls == ["apply ml/chat"]

    await cluster.edit(scaled_object(external(risk="5%"), maxReplicaCount=7), 8)
    there = cluster.policies.get(NAME)
    assert there is not None
    assert (there["spec"]["risk"], there["spec"]["replicas"]["max"]) == ("5%", 7)

    named = {"type": "external-push", "metadata": {"scalerAddress": "foretide:6000", "policy": "other"}}
    await cluster.edit(scaled_object(named), 9)
    assert cluster.calls[-1] == "delete ml/chat fcp-1"
    assert cluster.policies.get(NAME) is None


async def test_a_policy_that_somebody_has_edited_is_set_right() -> None:
    cluster = Cluster()
    await cluster.edit(scaled_object(external()), 6)
    edited = copy.deepcopy(dict(cluster.policies.get(NAME) or {}))
    edited["spec"]["capacity"] = {"perReplica": "99"}
    edited["metadata"]["resourceVersion"] = "90"
    cluster.policies.put(edited)
    await cluster.writer.look()
    assert cluster.calls == ["apply ml/chat", "apply ml/chat"]


async def test_a_policy_that_a_person_made_is_never_touched() -> None:
    cluster = Cluster()
    own = {"metadata": {"name": "chat", "namespace": "ml", "uid": "mine"}, "spec": {}}
    cluster.policies.put(own)
    await cluster.edit(scaled_object(external()), 6)

    assert cluster.calls == []
    assert "was not made of this ScaledObject" in cluster.writer.faults[NAME]
    await cluster.edit(scaled_object({"type": "cpu"}), 7)
    assert cluster.calls == []
    assert cluster.writer.faults == {}


async def test_the_policy_of_a_scaled_object_that_is_gone_is_left_to_the_garbage_collection() -> None:
    cluster = Cluster()
    first = scaled_object(external())
    await cluster.edit(first, 6)
    cluster.scaled_objects.remove(first)
    await cluster.writer.look()
    assert cluster.calls == ["apply ml/chat"]


async def test_what_was_refused_is_told_and_tried_again_when_it_changes_or_after_a_while() -> None:
    cluster = Cluster()
    cluster.refuses = "spec.risk: must be below 50%"
    await cluster.edit(scaled_object(external(risk="80%")), 6)
    await cluster.writer.look()
    assert cluster.calls == ["apply ml/chat"]
    assert "must be below 50%" in cluster.writer.faults[NAME]

    cluster.now += 300.0
    await cluster.writer.look()
    assert len(cluster.calls) == 2

    cluster.refuses = ""
    await cluster.edit(scaled_object(external(risk="8%")), 7)
    assert cluster.writer.faults == {}
    assert name_of(cluster.policies.all()[0]) == NAME


async def test_what_nobody_answered_is_tried_again_at_the_next_look() -> None:
    cluster = Cluster()
    cluster.is_away = True
    await cluster.edit(scaled_object(external()), 6)
    assert cluster.policies.get(NAME) is None
    cluster.is_away = False
    await cluster.writer.look()
    assert cluster.policies.get(NAME) is not None
    assert cluster.writer.faults == {}

    cluster.is_away = True
    await cluster.edit(scaled_object({"type": "cpu"}), 7)
    assert cluster.policies.get(NAME) is not None
    cluster.is_away = False
    await cluster.writer.look()
    assert cluster.policies.get(NAME) is None
