from pathlib import Path

import pytest
import yaml

from agent.configuration import load_configuration
from agent.policy import document_json, load_policies, reserved_fields_used, to_scaling_policy
from agent.policy.crd import custom_resource_definition
from scalers.keda.metadata import counts_items, policy_key
from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
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


def documents(name):
    return {each["kind"]: each for each in yaml.safe_load_all((EXAMPLES / name).read_text("utf-8"))}


@pytest.mark.parametrize("name", ["scaledobject.yaml", "scaledobject-tls.yaml"])
def test_a_scaled_object_asks_for_the_chat_policy_in_its_namespace(name):
    scaled_object = documents(name)["ScaledObject"]
    chat = POLICIES["chat"]
    (trigger,) = scaled_object["spec"]["triggers"]
    assert trigger["type"] == "external-push"
    assert trigger["metadata"]["scalerAddress"] == "foretide.foretide:6000"
    assert trigger["metadata"]["policy"] == "chat"
    assert scaled_object["metadata"]["namespace"] == chat.key.namespace
    assert scaled_object["spec"]["scaleTargetRef"]["name"] == chat.spec.scale_target_ref.name
    bounds = (scaled_object["spec"]["minReplicaCount"], scaled_object["spec"]["maxReplicaCount"])
    assert bounds == (chat.spec.replicas.min, chat.spec.replicas.max)


def test_a_scaled_job_counts_what_waits_for_a_policy_of_its_own(tmp_path):
    parts = documents("scaledjob.yaml")
    (tmp_path / "render.yaml").write_text(yaml.safe_dump(parts["ForecastPolicy"]))
    (policy,) = load_policies(tmp_path)
    scaled_job = parts["ScaledJob"]
    (trigger,) = scaled_job["spec"]["triggers"]
    assert (trigger["type"], "metricType" in trigger) == ("external", False)
    assert (scaled_job["spec"]["rollout"], scaled_job["spec"]["scalingStrategy"]) == (
        {"strategy": "gradual"},
        {"strategy": "accurate"},
    )
    asked = ScaledObjectRef(name="render", namespace="ml", scalerMetadata=trigger["metadata"])
    assert (policy_key(asked), counts_items(asked)) == (to_scaling_policy(policy).key, True)


def test_the_scaled_object_over_tls_finds_its_certificates():
    parts = documents("scaledobject-tls.yaml")
    secret, authentication, scaled_object = parts["Secret"], parts["TriggerAuthentication"], parts["ScaledObject"]
    assert {each["metadata"]["namespace"] for each in parts.values()} == {"ml"}
    assert scaled_object["spec"]["triggers"][0]["authenticationRef"]["name"] == authentication["metadata"]["name"]
    references = authentication["spec"]["secretTargetRef"]
    assert [each["parameter"] for each in references] == ["caCert", "tlsClientCert", "tlsClientKey"]
    assert {each["name"] for each in references} == {secret["metadata"]["name"]}
    assert [each["key"] for each in references] == list(secret["stringData"])


def test_the_agent_over_tls_listens_where_the_scaled_object_asks():
    agent = load_configuration(EXAMPLES / "agent.yaml", environment={})
    assert agent.grpc_address == "0.0.0.0:6000"
    assert agent.grpc.tls is not None
    assert agent.grpc.tls.client_ca_file is not None
    assert agent.grpc.tls.allowed_client_sans == ("keda-operator.keda.svc",)
