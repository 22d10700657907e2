from __future__ import annotations

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from scalers.keda.reading import Unreadable, readable, tolerant
from scalers.keda.refusal import RpcRefused


def test_a_request_of_the_proto_is_read() -> None:
    reference = ScaledObjectRef(name="chat", namespace="ml", scalerMetadata={"policy": "chat"})
    assert readable(tolerant(ScaledObjectRef.FromString)(reference.SerializeToString())) == reference


@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe", b"\x0a\x7f"], ids=["tag", "text", "length"])
def test_what_is_no_message_of_the_proto_is_an_invalid_argument_and_told_how_to_ask(raw: bytes) -> None:
    with pytest.raises(RpcRefused, match=rf"the request's {len(raw)} bytes are no message .*doctor --keda") as caught:
        readable(tolerant(ScaledObjectRef.FromString)(raw))
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


@given(raw=st.binary(max_size=400))
def test_no_bytes_raise_anything(raw: bytes) -> None:
    for message in (ScaledObjectRef, GetMetricsRequest):
        assert isinstance(tolerant(message.FromString)(raw), message | Unreadable)
