"""Calls of the gRPC server as metrics: nothing that a caller sends becomes a label."""

from __future__ import annotations

import pytest

from agent.telemetry import Metrics, ServerTelemetry
from scalers.keda.limits import Limit
from tests.fakes.telemetry import NOW, value


@pytest.fixture
def telemetry(metrics: Metrics) -> ServerTelemetry:
    return ServerTelemetry(metrics)


def test_a_method_that_a_caller_makes_up_is_no_label(metrics: Metrics, telemetry: ServerTelemetry) -> None:
    telemetry.rpc_handled("/externalscaler.ExternalScaler/GetMetrics", "OK", 0.001)
    telemetry.rpc_handled("/externalscaler.ExternalScaler/Evil1", "UNIMPLEMENTED", 0.001)
    telemetry.rpc_handled("Evil2", "UNIMPLEMENTED", 0.001)

    assert value(metrics, "grpc_handled_total", rpc="GetMetrics", code="OK") == 1
    assert value(metrics, "grpc_handled_total", rpc="other", code="UNIMPLEMENTED") == 2
    assert "Evil" not in metrics.exposition().decode()


def test_open_streams_are_counted(metrics: Metrics, telemetry: ServerTelemetry) -> None:
    telemetry.stream_opened("StreamIsActive")
    telemetry.stream_opened("StreamIsActive")
    telemetry.stream_closed("StreamIsActive", "CANCELLED")

    assert value(metrics, "grpc_streams", rpc="StreamIsActive") == 1
    assert value(metrics, "grpc_handled_total", rpc="StreamIsActive", code="CANCELLED") == 1


def test_without_authorities_of_clients_there_is_no_end_of_theirs(metrics: Metrics, telemetry: ServerTelemetry) -> None:
    telemetry.certificate_served(expires_at=NOW, authorities_expire_at=NOW)
    telemetry.certificate_served(expires_at=NOW, authorities_expire_at=None)

    name = "grpc_certificate_not_after_timestamp_seconds"
    assert value(metrics, name, certificate="server") == NOW.timestamp()
    assert value(metrics, name, certificate="client_ca") is None


def test_calls_are_timed_by_method_and_code(metrics: Metrics, telemetry: ServerTelemetry) -> None:
    telemetry.rpc_handled("GetMetrics", "OK", 0.002)
    telemetry.rpc_handled("GetMetrics", "UNAVAILABLE", 0.004)

    assert value(metrics, "grpc_handling_seconds_sum", rpc="GetMetrics", code="OK") == 0.002
    assert value(metrics, "grpc_handling_seconds_sum", rpc="GetMetrics", code="UNAVAILABLE") == 0.004


def test_pushes_answers_and_refusals_by_limit_are_told(metrics: Metrics, telemetry: ServerTelemetry) -> None:
    telemetry.pushed(0.02)
    telemetry.answered(14.0)
    telemetry.limit_exceeded(Limit.CONNECTION)

    assert value(metrics, "grpc_push_delay_seconds_bucket", le="0.025") == 1
    assert value(metrics, "grpc_push_delay_seconds_bucket", le="0.005") == 0
    assert value(metrics, "grpc_answer_age_seconds_bucket", le="15.0") == 1
    assert value(metrics, "grpc_limits_exceeded_total", limit="streams_per_connection") == 1
