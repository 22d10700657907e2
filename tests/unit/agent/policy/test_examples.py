from pathlib import Path

import pytest
import yaml

from agent.policy import document_json, load_policies, reserved_fields_used, to_scaling_policy
from agent.policy.crd import custom_resource_definition
from scalers.policy import Mode
from tests.fakes.api_server import FakeApiServer

EXAMPLES = Path(__file__).parents[4] / "examples"
SERVER = FakeApiServer(custom_resource_definition())
POLICIES = {policy.key.name: policy for policy in load_policies(EXAMPLES / "policies")}


def test_the_examples_are_the_three_that_the_docs_name():
    assert sorted(POLICIES) == ["chat", "embeddings", "image-generation"]


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_an_example_is_good_in_a_file_and_in_a_cluster(name):
    policy = POLICIES[name]
    assert to_scaling_policy(policy).mode is Mode.SHADOW  # who tries an example must not be scaled by it
    assert reserved_fields_used(policy) == ()
    as_written = yaml.safe_load((EXAMPLES / "policies" / f"{name}.yaml").read_text("utf-8"))
    as_written["spec"].pop("overrides", None)  # PyYAML makes datetimes of instants; an API server sees text
    assert SERVER.refusals(as_written) == []
    assert SERVER.refusals(document_json(policy)) == []


def test_the_scaled_object_asks_for_the_chat_policy_in_its_namespace():
    scaled_object = yaml.safe_load((EXAMPLES / "scaledobject.yaml").read_text("utf-8"))
    chat = POLICIES["chat"]
    (trigger,) = scaled_object["spec"]["triggers"]
    assert trigger["type"] == "external-push"
    assert trigger["metadata"] == {"scalerAddress": "foretide.foretide:6000", "policy": "chat"}
    assert scaled_object["metadata"]["namespace"] == chat.key.namespace
    assert scaled_object["spec"]["scaleTargetRef"]["name"] == chat.spec.scale_target_ref.name
    bounds = (scaled_object["spec"]["minReplicaCount"], scaled_object["spec"]["maxReplicaCount"])
    assert bounds == (chat.spec.replicas.min, chat.spec.replicas.max)
