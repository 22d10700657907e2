"""Stand-ins for the agent and for KEDA in tests of the demo."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime

import grpc
from google.protobuf.message import Message

from agent.demo.keda import ExternalMetric, MetricUnavailable
from scalers.keda.proto import externalscaler_pb2 as messages


class ScriptedMetric:
    """A metric server that answers from a list; None is a failure. The last entry stands for ever."""

    def __init__(self, *values: float | None) -> None:
        self._left: Iterator[float | None] = iter(values)
        self._value: float | None = None

    async def metric(self) -> ExternalMetric:
        self._value = next(self._left, self._value)
        if self._value is None:
            raise MetricUnavailable("UNAVAILABLE: no decision")
        return ExternalMetric(value=self._value, target=1.0)


class RecordingAgent:
    """An agent's tick that decides nothing and remembers what it saw."""

    def __init__(self, look: Callable[[], object] = lambda: None) -> None:
        self._look = look
        self.ticks: list[datetime] = []
        self.seen: list[object] = []

    async def tick(self, now: datetime) -> None:
        self.ticks.append(now)
        self.seen.append(self._look())


class ScriptedScaler:
    """An external scaler on a real port. A reply is a message, or a status code to fail with; the last one stands."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Message]] = []
        self.replies: dict[str, list[Message | grpc.StatusCode]] = {
            "GetMetricSpec": [
                messages.GetMetricSpecResponse(
                    metricSpecs=[messages.MetricSpec(metricName="foretide-replicas", targetSize=1, targetSizeFloat=1.0)]
                )
            ],
            "GetMetrics": [messages.GetMetricsResponse(metricValues=[messages.MetricValue(metricValueFloat=4.2)])],
            "IsActive": [messages.IsActiveResponse(result=True)],
        }

    @property
    def names(self) -> list[str]:
        """The procedures called, in order."""
        return [name for name, _ in self.calls]

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[grpc.aio.Channel]:
        """Run the server and give a channel to it."""
        server = grpc.aio.server()
        requests = {
            "GetMetricSpec": messages.ScaledObjectRef,
            "GetMetrics": messages.GetMetricsRequest,
            "IsActive": messages.ScaledObjectRef,
        }
        handlers = {name: self._handler(name, request) for name, request in requests.items()}
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("externalscaler.ExternalScaler", handlers),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield channel
        finally:
            await server.stop(None)

    def _handler(self, name: str, request: type[Message]) -> grpc.RpcMethodHandler:
        async def reply(message: Message, context: grpc.aio.ServicerContext) -> Message:
            self.calls.append((name, message))
            script = self.replies[name]
            answer = script.pop(0) if len(script) > 1 else script[0]
            if isinstance(answer, grpc.StatusCode):
                await context.abort(answer, "no fresh data for 12 min")
            return answer

        return grpc.unary_unary_rpc_method_handler(
            reply, request_deserializer=request.FromString, response_serializer=lambda each: each.SerializeToString()
        )
