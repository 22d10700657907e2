"""The place for what others put around each call: tracing, an audit, a login of one's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest

from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
from tests.fakes.board import CHAT, needing
from tests.unit.scalers.keda.conftest import SOON, served


class Heard(grpc.aio.ServerInterceptor):
    """Keeps the method of each call, and sends those home that do not say who they are."""

    def __init__(self) -> None:
        self.methods: list[str] = []

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        self.methods.append(handler_call_details.method)
        if ("who", "keda") not in handler_call_details.invocation_metadata:
            return grpc.unary_unary_rpc_method_handler(refuse)
        return await continuation(handler_call_details)


async def refuse(request: object, context: grpc.aio.ServicerContext) -> None:
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "say who you are")


def test_an_interceptor_sees_each_call_before_it_is_answered_and_may_refuse_it(trigger: ScaledObjectRef) -> None:
    heard = Heard()
    with served(interceptors=[heard]) as serving:
        serving.board.put(CHAT, needing(1.0))
        with pytest.raises(grpc.RpcError) as caught:
            serving.scaler.IsActive(trigger)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert serving.rpcs.handled == []
        assert serving.scaler.IsActive(trigger, metadata=[("who", "keda")]).result is True
        stream = serving.scaler.StreamIsActive(trigger, metadata=[("who", "keda")], timeout=SOON.total_seconds())
        assert next(stream).result is True
    service = "/externalscaler.ExternalScaler"
    assert heard.methods == [f"{service}/IsActive", f"{service}/IsActive", f"{service}/StreamIsActive"]
