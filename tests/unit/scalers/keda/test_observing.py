"""What the edge of an RPC asks of gRPC once the client has left."""

# ruff: noqa: N802 - the proto names the methods

from __future__ import annotations

from typing import Any, Self

from scalers.keda.observing import ObservedMethods
from scalers.keda.proto.externalscaler_pb2 import IsActiveResponse, ScaledObjectRef
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerServicer, add_ExternalScalerServicer_to_server
from tests.fakes.rpcs import RecordedRpcs
from tests.unit.scalers.keda.test_call_log import Kept


class Methods:
    """Where methods are registered."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        self.handlers |= handlers


class Call:
    """A call as gRPC core has it: of one that is gone it tells no peer, and ends the process."""

    is_gone = False

    def peer(self) -> str:
        assert not self.is_gone, "gRPC core reads what it has freed"
        return "ipv4:10.0.0.7:41234"


class EndlessSpeech:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def words(self) -> IsActiveResponse:
        return IsActiveResponse(result=True)

    def silence(self) -> None:
        return None


class Talker(ExternalScalerServicer):
    def StreamIsActive(self, request: ScaledObjectRef, context: object) -> EndlessSpeech:  # type: ignore[override]
        return EndlessSpeech()


async def test_a_stream_that_is_put_away_after_its_call_asks_nothing_of_it() -> None:
    """Where the client leaves while a message is sent, the stream ends when it is collected; its call did before."""
    server, kept, call = Methods(), Kept(), Call()
    methods = ObservedMethods(server, RecordedRpcs(), kept)  # type: ignore[arg-type]  # all that is asked of a server
    add_ExternalScalerServicer_to_server(Talker(), methods)  # type: ignore[arg-type]
    stream = server.handlers["StreamIsActive"].unary_stream(ScaledObjectRef(name="chat").SerializeToString(), call)
    await anext(stream)
    call.is_gone = True
    await stream.aclose()
    (told,) = kept.calls
    assert (told.code, told.peer) == ("CANCELLED", "ipv4:10.0.0.7:41234")
