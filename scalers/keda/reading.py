"""Requests as they come off the wire: whatever anybody sends is read without an exception, or told to be unreadable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import grpc
from google.protobuf.message import DecodeError, Message

from scalers.keda.refusal import RpcRefused

Request = TypeVar("Request")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a request that is no message of the proto."""

    size: int  # bytes


def tolerant(parse: Callable[[bytes], Message]) -> Callable[[bytes], Message]:
    """Return a parser that raises nothing: gRPC would log a traceback for every wrong request."""

    def read(raw: bytes) -> Message:
        try:
            return parse(raw)
        except DecodeError:
            return cast("Message", Unreadable(len(raw)))

    return read


def readable(request: Request) -> Request:
    """Return a request that was read.

    Raises:
        RpcRefused: it could not be read.
    """
    if isinstance(request, Unreadable):
        sentence = (
            f"the request's {request.size} bytes are no message of KEDA's externalscaler.proto, or a text in it is not "
            "UTF-8: ask as KEDA does (`foretide doctor --keda` shows how)"
        )
        raise RpcRefused(grpc.StatusCode.INVALID_ARGUMENT, sentence)
    return request
