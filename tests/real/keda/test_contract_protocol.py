"""KEDA's contract, section 1: what is asked and answered, field by field. The server is a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from tests.keda_client import KedaClient, Trigger, desired_replicas
from tests.real.keda.conftest import Server

pytestmark = pytest.mark.real

SERVICE = "/externalscaler.ExternalScaler"


def asking(server: Server, *, index: int = 0, **metadata: str) -> KedaClient:
    return KedaClient([server.endpoint], Trigger("ml", "chat", {"policy": "chat", **metadata}, index))


@pytest.fixture
def keda(server: Server) -> Iterator[KedaClient]:
    with asking(server) as client:
        yield client


def test_the_poll_and_the_hpa_are_told_the_same(server: Server, keda: KedaClient) -> None:
    server.publish(10.7)
    assert keda.poll().metrics == {"s0-foretide-replicas": 10.7}
    assert keda.external_metric("s0-foretide-replicas") == 10.7
    assert desired_replicas(10.7, keda.specs()[0].targetSizeFloat, 4) == 11


@pytest.mark.parametrize("index", [0, 3, 12])
def test_the_place_of_the_trigger_is_kedas_alone(server: Server, index: int) -> None:
    server.publish(10.7)
    with asking(server, index=index) as keda:
        assert keda.external_metric(f"s{index}-foretide-replicas") == 10.7


def test_the_name_of_the_metric_is_matched_in_any_case(server: Server, keda: KedaClient) -> None:
    server.publish(10.7)
    assert keda.external_metric("s0-Foretide-REPLICAS") == 10.7


def test_the_name_of_the_metric_is_a_word_that_a_url_can_hold(keda: KedaClient) -> None:
    (spec,) = keda.specs()
    assert spec.metricName.replace("-", "").isalpha()
    assert spec.metricName == spec.metricName.lower() != "composite-metric"
    assert len(f"s99-{spec.metricName}") < 64


def test_two_triggers_of_one_object_differ_by_their_metadata_alone(server: Server) -> None:
    server.publish(3.0)
    server.publish(7.0, policy="rank")
    with asking(server) as first, asking(server, index=1, policy="rank") as second:
        assert first.poll().metrics == {"s0-foretide-replicas": 3.0}
        assert second.poll().metrics == {"s1-foretide-replicas": 7.0}


def test_a_scaled_object_and_a_scaled_job_of_one_name_are_told_apart_by_their_metadata(server: Server) -> None:
    server.publish(30.0, jobs=2.0)
    with asking(server) as scaled_object, asking(server, queueCounts="waiting") as scaled_job:
        assert scaled_object.poll().metrics == {"s0-foretide-replicas": 30.0}
        assert scaled_job.poll().metrics == {"s0-foretide-replicas": 2.0}


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (0.0, 0.0),
        (1e-9, 0.001),
        (0.0004, 0.001),
        (22.2222, 22.222),
        (0.9996, 1.0),
        (40.0, 40.0),
        (1e6 + 0.25, 1e6 + 0.25),
    ],
)
def test_whatever_is_answered_reaches_the_hpa_with_three_decimals_and_no_need_as_nothing(
    server: Server, keda: KedaClient, answer: float, shown: float
) -> None:
    server.publish(answer)
    polled = keda.poll()
    assert (polled.metrics, polled.is_active) == ({"s0-foretide-replicas": shown}, answer > 0)


def test_what_keda_sends_beside_our_key_changes_nothing(server: Server) -> None:
    server.publish(10.7)
    keys = {"scalerAddress": "foretide.foretide:6000", "enableTLS": "true", "unsafeSsl": "false", "aKeyOfTomorrow": "1"}
    with asking(server, passwordFromEnv="hunter2", policyFromEnv="rank", **keys) as keda:
        assert keda.poll().metrics == {"s0-foretide-replicas": 10.7}


def old_reply(name: str, whole: str) -> type[Message]:
    """Return a reply as KEDA before 2.17 knows it: one repeated message of a name and an integer."""
    text, integer, repeated = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_INT64, 3
    file = FileDescriptorProto(name=f"{name}.proto", package="old", syntax="proto3")
    entry = file.message_type.add(name="Entry")
    entry.field.add(name="metricName", number=1, type=text, label=1)
    entry.field.add(name=whole, number=2, type=integer, label=1)
    reply = file.message_type.add(name=name)
    reply.field.add(name="entries", number=1, type=11, label=repeated, type_name=".old.Entry")
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"old.{name}"))


@pytest.mark.parametrize(("answer", "whole"), [(0.0, 0), (1e-9, 1), (0.3, 1), (10.0, 10), (10.2, 11), (39.999, 40)])
def test_a_keda_that_knows_integers_only_is_told_no_less_than_the_need(
    server: Server, answer: float, whole: int
) -> None:
    server.publish(answer)
    specs, values = old_reply("OldSpecs", "targetSize"), old_reply("OldValues", "metricValue")
    reference = ScaledObjectRef(name="chat", namespace="ml", scalerMetadata={"policy": "chat"})
    asked = GetMetricsRequest(scaledObjectRef=reference, metricName="foretide-replicas").SerializeToString()
    with grpc.insecure_channel(server.endpoint) as channel:
        get_specs = channel.unary_unary(f"{SERVICE}/GetMetricSpec", response_deserializer=specs.FromString)
        get_values = channel.unary_unary(f"{SERVICE}/GetMetrics", response_deserializer=values.FromString)
        (spec,) = get_specs(reference.SerializeToString()).entries
        (value,) = get_values(asked).entries
    assert (spec.metricName, spec.targetSize) == ("foretide-replicas", 1)
    assert (value.metricName, value.metricValue) == ("foretide-replicas", whole)
