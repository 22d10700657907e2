from __future__ import annotations

from dataclasses import replace

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalers.keda.limits import Limit, LimitExceeded, Limits
from scalers.keda.metadata import policy_key
from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
from scalers.keda.refusal import RpcRefused
from scalers.policy import PolicyKey


def trigger(**metadata: str) -> ScaledObjectRef:
    return ScaledObjectRef(name="chat-scaler", namespace="ml", scalerMetadata=metadata)


def refusal(**metadata: str) -> RpcRefused:
    with pytest.raises(RpcRefused) as caught:
        policy_key(trigger(**metadata))
    return caught.value


def test_a_policy_lies_in_the_namespace_of_its_scaled_object() -> None:
    assert policy_key(trigger(policy="chat")) == PolicyKey("ml", "chat")


def test_keys_of_keda_itself_and_of_its_later_versions_are_left_alone() -> None:
    keys = {"scalerAddress": "foretide.foretide:6000", "enableTLS": "true", "unsafeSsl": "false", "notYetThought": "of"}
    assert policy_key(trigger(policy="chat", **keys)) == PolicyKey("ml", "chat")


def test_a_trigger_without_a_policy_is_told_how_to_name_one() -> None:
    refused = refusal(scalerAddress="foretide.foretide:6000")
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.sentence == (
        "trigger metadata of ml/chat-scaler has no `policy`: write `policy: NAME` of a ForecastPolicy in its namespace"
    )


def test_a_misspelt_key_is_recognised() -> None:
    assert refusal(polcy="chat").sentence.endswith("; it has `polcy`, did you mean `policy`?")


def test_a_policy_in_the_trigger_has_the_name_of_its_scaled_object() -> None:
    inline = trigger(query="sum(rate(requests[1m]))", capacityPerReplica="12", risk="5%")
    assert policy_key(inline) == PolicyKey("ml", "chat-scaler")


@pytest.mark.parametrize(
    ("keys", "missing"),
    [({"query": "up"}, "`capacityPerReplica`"), ({"capacityPerReplica": "3"}, "`query`"), ({"risk": "1%"}, "`query`")],
)
def test_a_policy_in_the_trigger_that_lacks_what_it_needs_is_refused(keys: dict[str, str], missing: str) -> None:
    refused = refusal(**keys)
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert missing in refused.sentence
    assert "a policy in a trigger needs both" in refused.sentence


def test_a_policy_and_inline_keys_together_are_refused_as_they_contradict() -> None:
    refused = refusal(policy="chat", risk="5%")
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert "has both `policy` and `risk`" in refused.sentence


def test_a_policy_of_another_namespace_cannot_be_reached() -> None:
    refused = refusal(policy="billing/chat")
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert "write the name alone, without a namespace" in refused.sentence


@pytest.mark.parametrize("name", ["Chat", "chat ", "-chat", "chat\n", "č", "a" * 254])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert "is not a name" in refusal(policy=name).sentence


def test_what_keda_resolved_from_the_environment_is_never_read_nor_told() -> None:
    refused = refusal(policyFromEnv="hunter2", queryFromEnv="hunter2", polcyFromEnv="hunter2")
    assert "has no `policy`" in refused.sentence
    assert "FromEnv" not in refused.sentence
    assert "hunter2" not in refused.sentence


@pytest.mark.parametrize(
    ("metadata", "claim", "field"),
    [
        (
            {f"key-{number}": "x" for number in range(101)},
            "has 101 entries, more than the 100 that are read",
            "metadataEntries",
        ),
        (
            {"policy": "chat", "k" * 254: "x"},
            f"has a key of 254 characters, `{'k' * 40}…`, more than 253",
            "metadataKey",
        ),
        (
            {"policy": "chat", "caCert": "x" * 16_385},
            "has `caCert` of 16,385 characters, more than 16,384",
            "metadataValue",
        ),
    ],
    ids=["entries", "key", "value"],
)
def test_metadata_beyond_a_limit_are_refused_with_object_field_size_and_mend(
    metadata: dict[str, str], claim: str, field: str
) -> None:
    refused = refusal(**metadata)
    assert (refused.code, refused.limit) == (grpc.StatusCode.INVALID_ARGUMENT, Limit.METADATA)
    assert refused.sentence.startswith(f"trigger metadata of ml/chat-scaler {claim}: ")
    assert refused.sentence.endswith(f"or raise grpc.limits.{field} of the agent's configuration")


def test_metadata_up_to_the_limits_are_read() -> None:
    others = {f"{number}-".ljust(253, "k"): "x" * 16_384 for number in range(99)}
    assert policy_key(trigger(policy="chat", **others)) == PolicyKey("ml", "chat")


def test_limits_may_be_set() -> None:
    with pytest.raises(LimitExceeded, match="has 2 entries, more than the 1 that are read"):
        policy_key(trigger(policy="chat", other="x"), replace(Limits(), metadata_entries=1))


def test_what_keda_resolved_from_the_environment_may_be_as_long_as_a_secret_is() -> None:
    assert policy_key(trigger(policy="chat", kubeconfigFromEnv="x" * 1_000_000)) == PolicyKey("ml", "chat")


@given(metadata=st.dictionaries(st.text(), st.text(max_size=2000), max_size=8), name=st.text(max_size=400))
def test_any_metadata_without_a_policy_is_refused_in_a_short_sentence(metadata: dict[str, str], name: str) -> None:
    metadata.pop("policy", None)
    with pytest.raises(RpcRefused) as caught:
        policy_key(ScaledObjectRef(name=name, namespace="ml", scalerMetadata=metadata))
    assert len(caught.value.sentence) <= 600
