from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from scalers.keda.server import CannotListen, KedaServer, ServerSettings
from tests.fakes.board import CHAT, IDLE, REFUSAL, HeldBoard, needing
from tests.fakes.rpcs import RecordedRpcs
from tests.unit.scalers.keda.conftest import PATIENT, SOON, Serving

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVING = health_pb2.HealthCheckResponse.SERVING


def checked(channel: grpc.Channel, service: str) -> int:
    return health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service)).status


@pytest.mark.parametrize("service", ["", "externalscaler.ExternalScaler"])
def test_health_says_serving_for_the_server_and_for_its_service(serving: Serving, service: str) -> None:
    assert checked(serving.channel, service) == SERVING


def test_reflection_shows_kedas_contract(serving: Serving) -> None:
    database = ProtoReflectionDescriptorDatabase(serving.channel)
    assert "externalscaler.ExternalScaler" in list(database.get_services())
    service = DescriptorPool(database).FindServiceByName("externalscaler.ExternalScaler")
    assert [method.name for method in service.methods] == [
        "IsActive",
        "StreamIsActive",
        "GetMetricSpec",
        "StreamMetricSpec",
        "GetMetrics",
    ]


def test_a_stopping_server_says_so_and_serves_on_for_the_drain_delay(trigger: ScaledObjectRef) -> None:
    board = HeldBoard()
    board.put(CHAT, needing(10.7))
    server = KedaServer(board, RecordedRpcs(), ServerSettings(drain_delay=timedelta(milliseconds=300)))
    port = server.start("127.0.0.1:0")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, ThreadPoolExecutor() as pool:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=5)
        heard = [next(watch).status]
        stopped = pool.submit(server.stop, timedelta(0))
        heard.append(next(watch).status)
        assert heard == [SERVING, NOT_SERVING]
        assert ExternalScalerStub(channel).IsActive(trigger).result is True
        stopped.result(timeout=5)
        with pytest.raises(grpc.RpcError):
            ExternalScalerStub(channel).IsActive(trigger)


def test_a_server_that_has_stopped_says_so_and_stops_again_without_harm(serving: Serving) -> None:
    serving.server.stop(SOON)
    serving.server.stop(SOON)
    assert serving.server.ended.result(timeout=0) is None


def test_a_server_that_never_began_stops_without_harm() -> None:
    KedaServer(HeldBoard(), RecordedRpcs(), PATIENT).stop(SOON)


def test_an_address_that_is_taken_is_refused_with_the_mend() -> None:
    first, second = (KedaServer(HeldBoard(), RecordedRpcs(), PATIENT) for _ in range(2))
    port = first.start("127.0.0.1:0")
    with pytest.raises(CannotListen, match=rf"cannot listen on 127.0.0.1:{port}: .*--grpc-address"):
        second.start(f"127.0.0.1:{port}")
    assert isinstance(second.ended.exception(timeout=1), CannotListen)
    second.stop(SOON)
    first.stop(SOON)


def test_the_observer_hears_of_every_rpc_with_its_code(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, needing(1.0))
    serving.scaler.IsActive(trigger)
    serving.board.put(CHAT, REFUSAL)
    with pytest.raises(grpc.RpcError):
        serving.scaler.GetMetrics(serving.metric(trigger))
    assert serving.rpcs.handled == [("IsActive", "OK"), ("GetMetrics", "UNAVAILABLE")]
    assert all(0 < seconds < 1 for seconds in serving.rpcs.seconds)


def test_the_observer_hears_how_streams_ended(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, IDLE)
    left = serving.scaler.StreamIsActive(trigger)
    next(left)
    left.cancel()
    with pytest.raises(grpc.RpcError):
        list(serving.scaler.StreamIsActive(ScaledObjectRef()))
    ended = serving.scaler.StreamMetricSpec(trigger)
    next(ended)
    serving.server.stop(SOON)
    assert serving.rpcs.opened == ["StreamIsActive", "StreamIsActive", "StreamMetricSpec"]
    assert sorted(serving.rpcs.closed) == [
        ("StreamIsActive", "CANCELLED"),
        ("StreamIsActive", "INVALID_ARGUMENT"),
        ("StreamMetricSpec", "OK"),
    ]


def test_the_observer_is_not_told_of_health_checks(serving: Serving) -> None:
    checked(serving.channel, "")
    assert serving.rpcs.handled == []


def test_an_unknown_method_is_unimplemented(serving: Serving) -> None:
    call = serving.channel.unary_unary("/externalscaler.ExternalScaler/GetPlans")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
