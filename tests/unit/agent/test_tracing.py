"""OpenTelemetry's own interceptor around the server's calls."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import ProxyTracerProvider, StatusCode

from agent.tracing import grpc_interceptors
from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
from tests.fakes.board import CHAT, IDLE, needing
from tests.keda_server import SOON, Serving, served

SERVICE = "/externalscaler.ExternalScaler"
TRIGGER = ScaledObjectRef(name="chat", namespace="ml", scalerMetadata={"policy": "chat"})
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(spans: InMemorySpanExporter) -> Iterator[Serving]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    with served(interceptors=grpc_interceptors(provider)) as serving:
        yield serving


def told(spans: InMemorySpanExporter) -> list[tuple[str, object, StatusCode]]:
    return [
        (span.name, (span.attributes or {})["rpc.grpc.status_code"], span.status.status_code)
        for span in spans.get_finished_spans()
    ]


def test_without_tracing_set_up_there_is_no_interceptor() -> None:
    assert grpc_interceptors(ProxyTracerProvider()) == ()


def test_calls_answered_and_refused_are_spans_with_their_codes(traced: Serving, spans: InMemorySpanExporter) -> None:
    traced.board.put(CHAT, needing(10.7))
    traced.scaler.GetMetrics(traced.metric(TRIGGER))
    with pytest.raises(grpc.RpcError) as caught:
        traced.scaler.IsActive(ScaledObjectRef(name="x", namespace="ml", scalerMetadata={"policy": "nobody-knows"}))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    traced.server.stop(SOON)  # a span ends after its call
    assert told(spans) == [(f"{SERVICE}/GetMetrics", 0, StatusCode.UNSET), (f"{SERVICE}/IsActive", 5, StatusCode.UNSET)]


def test_a_span_belongs_to_the_trace_of_who_asked(traced: Serving, spans: InMemorySpanExporter) -> None:
    traced.scaler.GetMetricSpec(TRIGGER, metadata=[("traceparent", PARENT)])
    traced.server.stop(SOON)
    (span,) = spans.get_finished_spans()
    assert f"{span.get_span_context().trace_id:032x}" == PARENT.split("-")[1]


def test_a_stream_is_a_span_from_its_opening_to_its_end(traced: Serving, spans: InMemorySpanExporter) -> None:
    traced.board.put(CHAT, IDLE)
    stream = traced.scaler.StreamIsActive(TRIGGER, timeout=SOON.total_seconds())
    heard = [next(stream).result]
    traced.board.put(CHAT, needing(1.0))
    heard.append(next(stream).result)
    assert spans.get_finished_spans() == ()
    traced.server.stop(SOON)
    assert (heard, list(stream)) == ([False, True], [])
    assert told(spans) == [(f"{SERVICE}/StreamIsActive", 0, StatusCode.UNSET)]


def test_health_checks_are_no_spans(traced: Serving, spans: InMemorySpanExporter) -> None:
    health_pb2_grpc.HealthStub(traced.channel).Check(health_pb2.HealthCheckRequest())
    assert spans.get_finished_spans() == ()
