"""A namespace that cannot hold the pods that a policy asks for is told with its mend; one that can is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.cluster.holding import Place, held_back
from agent.cluster.namespaces import rules_of
from agent.cluster.target import target_of
from agent.cluster.targets import counts_of
from agent.cluster.workloads import workload_of
from agent.surroundings import FIGHTS, Conflict
from scalers.policy import Bounds
from tests.fakes.namespace_documents import (
    MAIN,
    Object,
    a_budget,
    a_container,
    a_deployment,
    a_limit_range,
    a_quota,
)
from tests.fakes.situations import a_policy

CHAT = a_policy()  # ml/chat, 1 to 40 replicas
DEPLOYMENT = target_of("ml", {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"})


def found(
    *,
    deployment: Object | None = None,
    quotas: tuple[Object, ...] = (),
    ranges: tuple[Object, ...] = (),
    budgets: tuple[Object, ...] = (),
    bounds: Bounds = CHAT.bounds,
    need: float | None = 5.0,
) -> list[Conflict]:
    """Return what is found where Deployment/chat has 5 pods of half a core and 1 GiB, unless it says otherwise."""
    workload = workload_of(counts_of(deployment or a_deployment()))
    lists = {"resourcequotas": quotas, "limitranges": ranges, "poddisruptionbudgets": budgets}
    place = Place(workload, rules_of(lists, {("Deployment", "chat"): workload.most}))
    return list(held_back(place, replace(CHAT, bounds=bounds), DEPLOYMENT, need=need))


def the(found: list[Conflict]) -> tuple[str, str]:
    (conflict,) = found
    assert conflict.reason not in FIGHTS
    return conflict.reason, conflict.message


def reasons(found: list[Conflict]) -> list[str]:
    return [each.reason for each in found]


def test_a_quota_that_does_not_hold_the_need_is_told_with_what_others_use() -> None:
    quota = a_quota({"requests.cpu": "8"}, {"requests.cpu": "5500m"})  # 2.5 are the 5 pods' own
    assert the(found(quotas=(quota,), need=10.2)) == (
        "QuotaBelowNeed",
        "ResourceQuota ml/team: spec.hard has requests.cpu: 8, of which others use 3: it has room for 10 pods of"
        " Deployment/chat, and 11 are needed now: raise it, or lower what a pod asks for",
    )


def test_a_quota_that_holds_the_need_and_not_the_policys_maximum_is_told() -> None:
    assert the(found(quotas=(a_quota({"pods": "39"}, {"pods": "5"}),))) == (
        "QuotaBelowPolicy",
        "ResourceQuota ml/team: spec.hard has pods: 39: it has room for 39 pods of Deployment/chat, and 40 is the"
        " policy's spec.replicas.max: raise it, or lower spec.replicas.max",
    )
    assert found(quotas=(a_quota({"pods": "40"}, {"pods": "5"}),)) == []


def test_the_surge_of_a_rollout_is_counted() -> None:
    of_deployment, quota = a_deployment(surge="25%"), a_quota({"pods": "49"}, {"pods": "5"})
    reason, message = the(found(deployment=of_deployment, quotas=(quota,)))
    assert reason == "QuotaBelowPolicy"
    assert "40 is the policy's spec.replicas.max, and a rollout makes 10 more (maxSurge 25%)" in message
    assert found(deployment=of_deployment, quotas=(a_quota({"pods": "50"}, {"pods": "5"}),)) == []
    assert reasons(found(deployment=a_deployment(surge=None), quotas=(quota,))) == ["QuotaBelowPolicy"]  # 25 % as well
    assert reasons(found(deployment=a_deployment(surge=10), quotas=(quota,))) == ["QuotaBelowPolicy"]
    recreated = a_deployment()
    recreated["spec"]["strategy"] = {"type": "Recreate"}
    assert found(deployment=recreated, quotas=(a_quota({"pods": "40"}, {"pods": "5"}),)) == []


def test_no_more_than_the_policys_maximum_is_ever_needed() -> None:
    assert found(quotas=(a_quota({"pods": "40"}, {"pods": "5"}),), need=1e6) == []
    assert found(quotas=(a_quota({"pods": "40"}, {"pods": "5"}),), need=None) == []


@pytest.mark.parametrize(
    ("hard", "fits"),
    [
        ({"cpu": "4"}, 8),
        ({"requests.cpu": "4"}, 8),
        ({"memory": "4Gi"}, 4),
        ({"limits.memory": "4Gi"}, 4),
        ({"count/pods": "7"}, 7),
        ({"requests.cpu": "4", "memory": "3Gi"}, 3),
        ({"requests.cpu": "3.4"}, 6),
    ],
    ids=str,
)
def test_a_quota_has_room_by_the_resource_that_is_scarcest(hard: Object, fits: int) -> None:
    assert f"has room for {fits} pods" in the(found(quotas=(a_quota(hard),)))[1]


def test_accelerators_are_counted_by_their_limit_where_no_request_is_given() -> None:
    gpu = a_container(limits={"nvidia.com/gpu": "2"})
    told = found(deployment=a_deployment(gpu), quotas=(a_quota({"requests.nvidia.com/gpu": "8"}),))
    assert "has room for 4 pods" in the(told)[1]


def test_tenths_of_cores_add_up_to_whole_ones() -> None:
    small = a_deployment(a_container(requests={"cpu": "100m"}))
    assert found(deployment=small, quotas=(a_quota({"requests.cpu": "4"}, {"requests.cpu": "500m"}),)) == []


def test_init_containers_count_where_they_ask_for_more_and_sidecars_always() -> None:
    init = a_container("load", requests={"cpu": "2"})
    sidecar = a_container("proxy", requests={"cpu": "500m"}, restartPolicy="Always")
    quota = a_quota({"requests.cpu": "10"})
    assert "room for 5 pods" in the(found(deployment=a_deployment(inits=(init,)), quotas=(quota,)))[1]
    assert "room for 10 pods" in the(found(deployment=a_deployment(inits=(sidecar,)), quotas=(quota,)))[1]
    assert "room for 4 pods" in the(found(deployment=a_deployment(inits=(sidecar, init)), quotas=(quota,)))[1]


def test_a_container_that_says_nothing_where_a_quota_wants_it_said_is_told() -> None:
    silent = a_deployment(MAIN, a_container("sidecar"))
    assert the(found(deployment=silent, quotas=(a_quota({"requests.cpu": "100"}),))) == (
        "QuotaRefusesPods",
        "ResourceQuota ml/team: spec.hard has requests.cpu: 100, and container sidecar of Deployment/chat does not say"
        " how much it takes, so no new pod is let in: say it, or give the namespace a LimitRange with defaults",
    )
    defaults = a_limit_range(default={"cpu": "1"}, defaultRequest={"cpu": "100m"})
    assert found(deployment=silent, quotas=(a_quota({"requests.cpu": "100"}),), ranges=(defaults,)) == []


def test_what_a_limit_range_gives_by_default_is_counted() -> None:
    silent, defaults = a_deployment(a_container()), a_limit_range(default={"cpu": "2"}, defaultRequest={"cpu": "2"})
    told = found(deployment=silent, quotas=(a_quota({"requests.cpu": "10"}),), ranges=(defaults,))
    assert "room for 5 pods" in the(told)[1]


@pytest.mark.parametrize(
    ("scope", "is_told"),
    [
        ({"scopes": ["NotBestEffort"]}, True),
        ({"scopes": ["NotTerminating"]}, True),
        ({"scopes": ["BestEffort"]}, False),
        ({"scopes": ["Terminating"]}, False),
        ({"scopes": ["CrossNamespacePodAffinity"]}, False),
        ({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists"}]}}, False),
    ],
    ids=str,
)
def test_a_quota_of_other_pods_is_none(scope: Object, is_told: bool) -> None:
    assert bool(found(quotas=(a_quota({"pods": "6"}, **scope),))) == is_told


def test_a_quota_of_a_priority_class_counts_pods_of_it() -> None:
    high = {"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}
    quota = a_quota({"pods": "6"}, scopeSelector={"matchExpressions": [high]})
    assert len(found(deployment=a_deployment(priorityClassName="high"), quotas=(quota,))) == 1
    assert found(deployment=a_deployment(priorityClassName="low"), quotas=(quota,)) == []


def test_counts_that_lag_behind_each_other_are_no_conflict() -> None:
    """The quota has counted the 20 pods that the HPA asked for, and the Deployment's status has seen 5 of them."""
    quota = a_quota({"pods": "40"}, {"pods": "20"})
    assert found(deployment=a_deployment(replicas=20, existing=5), quotas=(quota,)) == []
    ending = a_deployment(replicas=5, existing=5)
    ending["status"]["terminatingReplicas"] = 15
    assert found(deployment=ending, quotas=(quota,)) == []


def test_pods_that_the_api_server_refuses_are_told_in_its_words() -> None:
    words = 'pods "chat-5f-" is forbidden: exceeded quota: team, requested: pods=1, used: pods=40, limited: pods=40'
    reason, message = the(found(deployment=a_deployment(refused=words)))
    assert reason == "PodsRefused"
    assert message == f"Deployment/chat: its controller is refused new pods, {words}: mend what this says"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"max": {"memory": "512Mi"}}, "max.memory is 536,870,912, and container main has a limit of 1,073,741,824"),
        ({"max": {"cpu": "2"}}, "max.cpu is 2, and container main has no limit"),
        ({"min": {"cpu": "1"}}, "min.cpu is 1, and container main has 0.5"),
        ({"min": {"nvidia.com/gpu": "1"}}, "min.nvidia.com/gpu is 1, and container main has no request"),
        ({"maxLimitRequestRatio": {"cpu": "2"}}, "is 2, and container main has no limit or no request"),
        ({"type": "Pod", "max": {"memory": "512Mi"}}, "and a pod has a limit of 1,073,741,824"),
        ({"type": "Pod", "min": {"cpu": "1"}}, "min.cpu is 1, and a pod has 0.5"),
    ],
    ids=str,
)
def test_a_limit_range_that_refuses_its_pods_is_told(entry: Object, said: str) -> None:
    reason, message = the(found(ranges=(a_limit_range(**entry),)))
    assert reason == "LimitRangeRefusesPods"
    assert message.startswith("LimitRange ml/bounds: ")
    assert said in message
    assert message.endswith("in Deployment/chat, so no new pod is let in: change one of the two")


def test_a_limit_above_what_may_be_over_the_request_is_told() -> None:
    wide = a_deployment(a_container(requests={"cpu": "1"}, limits={"cpu": "4"}))
    bounds = a_limit_range(maxLimitRequestRatio={"cpu": "2"})
    assert (
        "is 2, and container main has a limit of 4 over a request of 1"
        in the(found(deployment=wide, ranges=(bounds,)))[1]
    )


@pytest.mark.parametrize(
    "entry",
    [
        {"max": {"memory": "1Gi"}, "min": {"cpu": "500m"}},
        {"max": {"cpu": "2"}, "default": {"cpu": "2"}},  # the default is filled in before it is looked at
        {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}},
    ],
    ids=str,
)
def test_a_limit_range_that_lets_its_pods_in_is_none(entry: Object) -> None:
    assert found(ranges=(a_limit_range(**entry),)) == []


@pytest.mark.parametrize("spec", [{"maxUnavailable": 0}, {"maxUnavailable": "0%"}, {"minAvailable": "100%"}], ids=str)
def test_a_budget_that_lets_no_pod_go_is_told_whoever_else_it_is_for(spec: Object) -> None:
    for pods in (5, 50):
        reason, message = the(found(budgets=(a_budget(expected=pods, **spec),)))
        assert reason == "EvictionsBlocked"
        assert message.startswith(
            f"PodDisruptionBudget ml/chat: spec.{next(iter(spec))} is {next(iter(spec.values()))}:"
        )
        assert message.endswith("scaling in is not kept by it: set maxUnavailable: 1")


def test_a_budget_as_large_as_the_policys_maximum_lets_no_pod_go_either() -> None:
    assert the(found(budgets=(a_budget(minAvailable=40),)))[0] == "EvictionsBlocked"


def test_a_budget_that_lets_no_pod_go_once_the_policy_has_scaled_in_is_told() -> None:
    assert the(found(budgets=(a_budget(minAvailable=2),), bounds=Bounds(2, 40))) == (
        "EvictionsBlockedAtMinimum",
        "PodDisruptionBudget ml/chat: spec.minAvailable is 2: at 2 replicas, to which the policy scales in, no pod of"
        " Deployment/chat is evicted, so no node that one is on can be drained then: set maxUnavailable: 1 instead, or"
        " spec.replicas.min of the policy above 2",
    )
    assert the(found(budgets=(a_budget(minAvailable="50%"),)))[0] == "EvictionsBlockedAtMinimum"  # of 1 it keeps 1
    assert the(found(budgets=(a_budget(minAvailable=1),), bounds=Bounds(0, 40)))[0] == "EvictionsBlockedAtMinimum"


@pytest.mark.parametrize(
    "budget",
    [
        a_budget(maxUnavailable=1),
        a_budget(maxUnavailable="10%"),  # of 3 it is 1: parts count whole
        a_budget(minAvailable=2),
        a_budget(minAvailable=3, expected=50),  # 45 of its pods are another's
        a_budget(maxUnavailable=0, selector={"matchLabels": {"app": "other"}}),
        a_budget(maxUnavailable=0, selector={"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}),
        a_budget(),  # neither field: nothing is kept
    ],
    ids=lambda each: str(each["spec"]),
)
def test_a_budget_that_lets_a_pod_go_is_none(budget: Object) -> None:
    assert found(budgets=(budget,), bounds=Bounds(3, 40)) == []


def test_pods_of_two_budgets_are_never_evicted() -> None:
    everything = a_budget("all", selector={}, maxUnavailable=1)
    assert the(found(budgets=(a_budget(maxUnavailable=1), everything))) == (
        "EvictionsBlocked",
        "PodDisruptionBudgets ml/all and ml/chat: each has the pods of Deployment/chat, and no pod of two budgets is"
        " evicted, so no node of theirs can be drained: let one of them have the pods",
    )
