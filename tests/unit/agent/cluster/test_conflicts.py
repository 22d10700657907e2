"""What stands against a policy is found and told with its mend; what looks like it and is none is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent.cluster.conflicts import conflicts, known_of
from agent.cluster.documents import Name
from agent.cluster.others import kept_hpa, kept_scaled_object, kept_vpa
from agent.cluster.target import Target, target_of
from agent.surroundings import FIGHTS, Conflict
from scalers.policy import Bounds, Mode
from tests.fakes.scaler_documents import (
    CPU_TRIGGER,
    Object,
    a_keda_hpa,
    a_scaled_object,
    a_vpa,
    an_hpa,
    polled,
    utilization,
)
from tests.fakes.situations import a_policy

CHAT = replace(a_policy(), tolerance=0.1)  # ml/chat, Active, 1 to 40 replicas, lead time 2 min
DEPLOYMENT = target_of("ml", {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"})
KEDA = (a_scaled_object(), a_keda_hpa())
DISABLED = {"scaleUp": {"selectPolicy": "Disabled"}, "scaleDown": {"selectPolicy": "Disabled"}}


def found(
    *documents: Object,
    mode: Mode = Mode.ACTIVE,
    bounds: Bounds = CHAT.bounds,
    tolerance: float = CHAT.tolerance,
    need: float | None = 5.0,
    others: Sequence[tuple[Name, Target]] = (),
    controller: tuple[str, str] | None = None,
) -> tuple[Conflict, ...]:
    """Return what is found where these documents are there."""
    by_kind: dict[str, list[Object]] = {"ScaledObject": [], "HorizontalPodAutoscaler": [], "VerticalPodAutoscaler": []}
    for document in documents:
        by_kind[document["kind"]].append(document)
    own = [(("ml", "chat"), DEPLOYMENT)] if mode is Mode.ACTIVE else []
    known = known_of(
        scaled_objects=map(kept_scaled_object, by_kind["ScaledObject"]),
        hpas=map(kept_hpa, by_kind["HorizontalPodAutoscaler"]),
        vpas=map(kept_vpa, by_kind["VerticalPodAutoscaler"]),
        active=[*own, *others],
    )
    policy = replace(CHAT, mode=mode, bounds=bounds, tolerance=tolerance)
    return conflicts(known, policy, DEPLOYMENT, need=need, controller=controller)


def the(found: tuple[Conflict, ...]) -> tuple[str, bool, str]:
    (conflict,) = found
    return conflict.reason, conflict.reason in FIGHTS, conflict.message


def test_kedas_own_hpa_is_no_conflict() -> None:
    assert found(*KEDA) == ()
    assert found(a_keda_hpa()) == ()  # nor where the watch of ScaledObjects comes later


def test_another_hpa_on_the_target_is_one() -> None:
    assert the(found(*KEDA, an_hpa())) == (
        "TwoScalers",
        True,
        "HorizontalPodAutoscaler ml/chat-cpu: it scales Deployment/chat, too: delete it, or hand it to KEDA"
        " (annotation scaledobject.keda.sh/transfer-hpa-ownership)",
    )


@pytest.mark.parametrize(
    "near",
    [
        an_hpa(scaleTargetRef={"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "chat"}),
        an_hpa(scaleTargetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat-canary"}),
        an_hpa(behavior=DISABLED),
        {**an_hpa(), "metadata": {**an_hpa()["metadata"], "namespace": "batch"}},
    ],
    ids=["another kind", "another name", "one that may not act", "another namespace"],
)
def test_an_hpa_that_does_not_act_on_the_target_is_none(near: Object) -> None:
    assert found(*KEDA, near) == ()


def test_an_hpa_by_another_version_of_the_targets_api_is_one() -> None:
    assert len(
        found(*KEDA, an_hpa(scaleTargetRef={"apiVersion": "apps/v1beta2", "kind": "Deployment", "name": "chat"}))
    )


def test_todays_hpa_beside_a_policy_in_shadow_is_what_shadow_is_for() -> None:
    assert found(an_hpa(), mode=Mode.SHADOW) == ()
    assert the(found(*KEDA, an_hpa(), mode=Mode.SHADOW))[0] == "TwoScalers"


def test_another_scaled_object_on_the_target_is_one() -> None:
    other = a_scaled_object("chat-cpu", triggers=(CPU_TRIGGER,))
    assert the(found(*KEDA, other, a_keda_hpa("chat-cpu"))) == (
        "TwoScalers",
        True,
        "ScaledObject ml/chat-cpu: it scales Deployment/chat, too: let one ScaledObject have all triggers, one with"
        " policy: chat among them",
    )
    assert the(found(other))[2].startswith("ScaledObject ml/chat-cpu")  # the only one, and it does not ask us


@pytest.mark.parametrize(
    "annotations",
    [{"autoscaling.keda.sh/paused": "true"}, {"autoscaling.keda.sh/paused-replicas": "3"}],
)
def test_a_scaled_object_that_is_paused_scales_nothing(annotations: dict[str, str]) -> None:
    other = a_scaled_object("chat-cpu", triggers=(CPU_TRIGGER,), annotations=annotations)
    assert found(*KEDA, other) == ()


def test_a_pause_that_is_false_is_none() -> None:
    going = {"autoscaling.keda.sh/paused": "false"}
    assert len(found(*KEDA, a_scaled_object("chat-cpu", triggers=(CPU_TRIGGER,), annotations=going))) == 1


def test_of_two_scaled_objects_that_name_the_policy_one_is_too_many() -> None:
    assert the(found(*KEDA, a_scaled_object("chat-again")))[2].startswith("ScaledObject ml/chat-again")


def test_a_target_that_knative_owns_is_scaled_by_knative() -> None:
    assert the(found(*KEDA, controller=("Revision", "chat-00001"))) == (
        "TwoScalers",
        True,
        "Revision ml/chat-00001: it owns Deployment/chat, whose replicas Knative's own autoscaler sets: name a workload"
        " that Knative does not own, for KServe by deploymentMode Standard",
    )
    assert found(*KEDA, controller=("InferenceService", "chat")) == ()


def test_two_active_policies_on_one_target_are_one() -> None:
    assert the(found(*KEDA, others=[(("ml", "chat-nightly"), DEPLOYMENT)])) == (
        "TwoPolicies",
        True,
        "ForecastPolicy ml/chat-nightly: spec.mode is Active and it scales Deployment/chat, too: put its demand into"
        " spec.signals of one policy, or set one of them to Shadow",
    )


def test_a_policy_in_shadow_beside_an_active_one_is_none() -> None:
    assert found(mode=Mode.SHADOW, others=[(("ml", "chat-nightly"), DEPLOYMENT)]) == ()
    assert found(*KEDA, others=[(("ml", "other"), replace(DEPLOYMENT, name="other"))]) == ()


def test_a_vpa_that_sets_the_requests_an_hpa_divides_by_is_told_and_no_fight() -> None:
    by_cpu = a_keda_hpa(metrics=(utilization("cpu"),))
    assert the(found(a_scaled_object(), by_cpu, a_vpa())) == (
        "VerticalAndHorizontal",
        False,
        "VerticalPodAutoscaler ml/chat-vpa: spec.updatePolicy.updateMode is Auto for cpu, by whose utilization"
        " HorizontalPodAutoscaler ml/keda-hpa-chat scales Deployment/chat: set it to Off, or take cpu out of its"
        " controlledResources",
    )
    assert len(found(a_scaled_object(), by_cpu, a_vpa(None))) == 1  # without a mode it acts
    assert len(found(a_scaled_object(), by_cpu, a_vpa("Initial"))) == 1
    sidecar = {"containerName": "istio-proxy", "mode": "Off"}
    assert len(found(a_scaled_object(), by_cpu, a_vpa("Auto", sidecar))) == 1


@pytest.mark.parametrize(
    "vpa",
    [
        a_vpa("Off"),
        a_vpa("Auto", {"containerName": "*", "controlledResources": ["memory"]}),
        a_vpa("Auto", {"containerName": "*", "mode": "Off"}),
    ],
    ids=["recommends alone", "another resource", "no container"],
)
def test_a_vpa_that_leaves_the_resource_alone_is_none(vpa: Object) -> None:
    assert found(a_scaled_object(), a_keda_hpa(metrics=(utilization("cpu"),)), vpa) == ()


def test_a_vpa_beside_an_hpa_of_our_metric_alone_is_none() -> None:
    assert found(*KEDA, a_vpa()) == ()
    average = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "2"}}}
    assert found(a_scaled_object(), a_keda_hpa(metrics=(average,)), a_vpa()) == ()


def test_a_maximum_below_the_policys_is_told() -> None:
    assert the(found(a_scaled_object(maxReplicaCount=10))) == (
        "MaxReplicasBelowPolicy",
        False,
        "ScaledObject ml/chat: spec.maxReplicaCount is 10, below the 40 of the policy's spec.replicas.max: raise it, or"
        " lower that",
    )
    assert found(a_scaled_object(maxReplicaCount=None), bounds=Bounds(1, 100)) == ()  # KEDA's default is 100
    assert the(found(a_scaled_object(maxReplicaCount=None), bounds=Bounds(1, 101)))[0] == "MaxReplicasBelowPolicy"


def test_a_maximum_below_the_need_is_told_with_the_need() -> None:
    assert the(found(a_scaled_object(maxReplicaCount=10), need=10.2)) == (
        "MaxReplicasBelowNeed",
        False,
        "ScaledObject ml/chat: spec.maxReplicaCount is 10, and 11 are needed now: raise it",
    )
    assert the(found(a_scaled_object(), need=41.0))[2].endswith("raise it and the policy's spec.replicas.max")
    assert found(a_scaled_object(), need=40.0) == ()
    assert found(a_scaled_object(), need=None) == ()


def test_a_poll_slower_than_the_lead_time_is_told_where_only_a_poll_wakes() -> None:
    slow = a_scaled_object(triggers=(polled(),), minReplicaCount=0, pollingInterval=300)
    assert the(found(slow, bounds=Bounds(0, 40))) == (
        "PollingTooSlow",
        False,
        "ScaledObject ml/chat: spec.pollingInterval is 300, longer than the lead time of 2 min, and from zero only a"
        " poll wakes the target: use a trigger of type external-push, or poll more often",
    )
    idle = a_scaled_object(triggers=(polled(),), idleReplicaCount=0, pollingInterval=300)
    assert the(found(idle, bounds=Bounds(0, 40)))[0] == "PollingTooSlow"


@pytest.mark.parametrize(
    ("scaled", "least"),
    [
        (a_scaled_object(triggers=(polled(),), minReplicaCount=1, pollingInterval=300), 0),
        (a_scaled_object(triggers=(polled(),), minReplicaCount=0, pollingInterval=120), 0),
        (a_scaled_object(triggers=(polled(),), minReplicaCount=0, pollingInterval=None), 0),
        (a_scaled_object(minReplicaCount=0, pollingInterval=300), 0),
        (a_scaled_object(triggers=(polled(),), minReplicaCount=0, pollingInterval=300), 1),
    ],
    ids=["never at zero", "as fast", "30 s by default", "pushed", "the policy keeps one"],
)
def test_a_slow_poll_that_wakes_nothing_is_none(scaled: Object, least: int) -> None:
    assert found(scaled, bounds=Bounds(least, 40)) == ()


def test_a_tolerance_of_the_hpa_that_the_policy_takes_for_smaller_is_told() -> None:
    assert the(found(*KEDA, tolerance=0.0)) == (
        "ToleranceAbovePolicy",
        False,
        "HorizontalPodAutoscaler ml/keda-hpa-chat: spec.behavior.scaleUp.tolerance is not set, which is mostly 10%,"
        " above the 0% of the policy's spec.scaling.tolerance, and answers within it move nothing: set"
        " spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.tolerance of ScaledObject ml/chat, or raise that"
        " of the policy",
    )
    wide = a_keda_hpa(behavior={"scaleUp": {"tolerance": "150m"}})
    assert "scaleUp.tolerance is 15%, above the 10% of" in the(found(a_scaled_object(), wide))[2]


@pytest.mark.parametrize(
    ("hpa", "tolerance"),
    [
        (a_keda_hpa(), 0.1),
        (a_keda_hpa(behavior={"scaleUp": {"tolerance": "0"}}), 0.0),
        (a_keda_hpa(behavior={"scaleUp": {"tolerance": "50m"}}), 0.1),
        (a_keda_hpa("chat-canary"), 0.0),
    ],
    ids=["the default", "none", "a smaller one", "of a ScaledObject that does not name the policy"],
)
def test_a_tolerance_that_the_decision_goes_past_is_none(hpa: Object, tolerance: float) -> None:
    assert found(a_scaled_object(), hpa, tolerance=tolerance) == ()


def test_those_that_fight_come_first() -> None:
    several = found(a_scaled_object(maxReplicaCount=10), an_hpa())
    assert [each.reason for each in several] == ["TwoScalers", "MaxReplicasBelowPolicy"]


def test_of_a_triggers_metadata_the_policys_name_alone_is_kept() -> None:
    kept = kept_scaled_object(a_scaled_object())
    assert kept["spec"]["triggers"] == [{"type": "external-push", "metadata": {"policy": "chat"}}]
    assert "kept by nobody" not in str(kept)
    assert "managedFields" not in str(kept)
    assert "status" not in kept
