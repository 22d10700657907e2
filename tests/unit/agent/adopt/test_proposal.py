"""The documents of the way there and back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.adopt.cannot import CannotAdopt
from agent.adopt.finding import Found
from agent.adopt.today import today_of
from agent.policy.crd import custom_resource_definition
from tests.fakes.adopted import BEHAVIOR, QUERY, file, hpa, prometheus_trigger, proposed, scaled_object
from tests.fakes.api_server import FakeApiServer
from tests.fakes.scaler_documents import CPU_TRIGGER, Object, a_scaled_object

OURS = {
    "type": "external-push",
    "metricType": "AverageValue",
    "metadata": {"scalerAddress": "foretide.foretide:6000", "policy": "chat"},
}


def test_the_policy_is_in_shadow_with_the_bounds_and_rules_of_today() -> None:
    policy = file(proposed(hpa(behavior=BEHAVIOR), query=QUERY, capacity=12), "policy.yaml")
    assert policy["metadata"] == {"name": "chat", "namespace": "ml"}
    assert policy["spec"] == {
        "mode": "Shadow",
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"},
        "demand": {"prometheus": {"query": QUERY}, "step": "15s"},
        "capacity": {"perReplica": 12},
        "replicas": {"min": 1, "max": 20},
        "risk": "1%",
        "leadTime": {"declared": "2m"},
        "scaling": {"tolerance": "5%", "stabilization": "2m"},
    }
    assert FakeApiServer(custom_resource_definition()).refusals(policy) == []


def test_an_hpa_is_taken_over_by_its_name_with_bounds_and_behavior() -> None:
    made = file(proposed(hpa(behavior=BEHAVIOR), query=QUERY, capacity=12), "scaledobject.yaml")
    assert made["metadata"]["annotations"] == {"scaledobject.keda.sh/transfer-hpa-ownership": "true"}
    assert made["spec"]["advanced"]["horizontalPodAutoscalerConfig"] == {"name": "chat-hpa", "behavior": BEHAVIOR}
    assert (made["spec"]["minReplicaCount"], made["spec"]["maxReplicaCount"]) == (1, 20)
    assert made["spec"]["triggers"] == [OURS]


def test_an_hpa_without_a_minimum_keeps_the_one_that_kubernetes_means() -> None:
    made = file(proposed(hpa(minReplicas=1), query=QUERY, capacity=12), "scaledobject.yaml")
    bare = hpa()
    spec = {key: value for key, value in bare.document["spec"].items() if key != "minReplicas"}
    assert today_of(Found(bare.kind, {**bare.document, "spec": spec})).minimum == 1
    assert "behavior" not in made["spec"]["advanced"]["horizontalPodAutoscalerConfig"]


def test_the_way_back_is_the_hpa_without_what_the_server_keeps() -> None:
    found = hpa()
    found.document["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "ml"}
    back = file(proposed(found, query=QUERY, capacity=12), "way-back-hpa.yaml")
    assert back == {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {
            "name": "chat-hpa",
            "namespace": "ml",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "ml"},
        },
        "spec": found.document["spec"],
    }


def test_of_a_scaled_object_the_triggers_alone_change_and_change_back() -> None:
    cron = {"type": "cron", "metadata": {"desiredReplicas": "10"}}
    asked = prometheus_trigger()
    proposal = proposed(scaled_object(cron, asked, CPU_TRIGGER))
    assert file(proposal, "hand-over.yaml") == {"spec": {"triggers": [cron, OURS]}}
    assert file(proposal, "way-back.yaml") == {"spec": {"triggers": [cron, asked, CPU_TRIGGER]}}


def test_the_commands_come_in_their_order() -> None:
    shadow, there, back = proposed(hpa(), query=QUERY, capacity=12).steps
    assert shadow.commands[0] == "kubectl apply --server-side -f {dir}/policy.yaml"
    assert [command.format(dir=".") for command in there.commands] == [
        """kubectl patch fcp chat -n ml --type=merge -p '{"spec":{"mode":"Active"}}'""",
        "kubectl apply --server-side -f ./scaledobject.yaml",
    ]
    assert [command.format(dir=".") for command in back.commands] == [
        "kubectl delete scaledobject chat -n ml --cascade=orphan",
        "kubectl replace -f ./way-back-hpa.yaml",
        "kubectl delete fcp chat -n ml",
    ]


def test_who_would_set_it_back_and_who_would_fight_is_told() -> None:
    found = hpa()
    found.document["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "Helm"}
    notes = " ".join(proposed(found, query=QUERY, capacity=12, hpas=("chat-2",), has_keda=False).notes)
    assert "HPA ml/chat-hpa is managed by Helm: make the same change there" in notes
    assert "HPA chat-2 scales Deployment chat, too" in notes
    assert "install KEDA before the hand-over" in notes


def test_an_hpa_of_another_controller_is_refused() -> None:
    found = hpa()
    owner = {"kind": "InferenceService", "name": "chat", "controller": True}
    found.document["metadata"]["ownerReferences"] = [owner]
    with pytest.raises(CannotAdopt, match=r"metadata\.ownerReferences names InferenceService chat, which would set it"):
        today_of(found)


def test_a_scaled_object_that_asks_foretide_already_is_refused() -> None:
    with pytest.raises(CannotAdopt, match=r"spec\.triggers\[0\] asks Foretide already; `foretide explain chat -n ml`"):
        today_of(Found(scaled_object().kind, a_scaled_object()))


def test_a_formula_over_triggers_is_refused() -> None:
    found = scaled_object(prometheus_trigger(), advanced={"scalingModifiers": {"formula": "max(a, b)"}})
    with pytest.raises(CannotAdopt, match=r"scalingModifiers\.formula 'max\(a, b\)' names its triggers"):
        today_of(found)


def test_a_target_whose_name_keda_cannot_label_is_refused() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "c" * 64}
    with pytest.raises(CannotAdopt, match="has 64 characters, and KEDA takes ScaledObjects of 63 at most"):
        proposed(hpa(scaleTargetRef=target), query=QUERY, capacity=12)


def test_what_is_unsaid_is_kubernetes_default() -> None:
    today = today_of(hpa())
    assert (today.tolerance, today.tolerance_down, today.stabilization) == (0.1, 0.1, timedelta(minutes=5))


@pytest.mark.parametrize("other", [a_scaled_object("chat", target={"name": "talk"}), a_scaled_object("mine")])
def test_a_scaled_object_of_the_name_or_on_the_target_is_not_overwritten(other: Object) -> None:
    with pytest.raises(CannotAdopt, match="stands in the way of a ScaledObject chat for chat: adopt that one"):
        proposed(hpa(), query=QUERY, capacity=12, scaled_objects=(other,))


def test_a_policy_that_is_there_already_is_told_before_it_is_changed() -> None:
    notes = proposed(hpa(), query=QUERY, capacity=12, policies=frozenset({"chat"})).notes
    assert "there is a policy ml/chat already: policy.yaml would change it, and the way back deletes it" in notes[-1]
    assert not any("already" in note for note in proposed(hpa(), query=QUERY, capacity=12).notes)
