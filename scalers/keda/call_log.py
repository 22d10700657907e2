"""What is told of a single call that ended, for whoever keeps a log of some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scalers.keda.metadata import POLICY
from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef

_LONGEST = 253  # characters, as names are in Kubernetes


@dataclass(frozen=True, slots=True)
class EndedCall:
    """One unary call, or one stream from its opening. Of the trigger's metadata it has the policy's name alone."""

    rpc: str
    code: str  # the name of the gRPC status
    seconds: float
    peer: str  # as gRPC names it, such as `ipv4:10.0.0.7:41234`
    namespace: str  # empty, like the two below, where the request was not readable
    scaled_object: str
    policy: str
    reason: str | None  # what KEDA was told, where it was refused


class CallLog(Protocol):
    """Keeps some of the calls. Asked in the server's thread at each call: it must neither block nor take long."""

    def takes_answered(self) -> bool:
        """Return whether this call, which was answered, is to be written."""
        ...

    def takes_refused(self) -> bool:
        """Return whether this call, which was refused or failed, is to be written."""
        ...

    def write(self, call: EndedCall) -> None:
        """Keep a call that was taken."""
        ...


class NoCallLog:
    """Takes nothing."""

    def takes_answered(self) -> bool:
        """Return False."""
        return False

    def takes_refused(self) -> bool:
        """Return False."""
        return False

    def write(self, call: EndedCall) -> None:
        """Keep nothing."""


def ended_call(rpc: str, request: object, *, code: str, seconds: float, peer: str, reason: str | None) -> EndedCall:
    """Return what may be told of a call: no value of the trigger's metadata but the policy's name is looked at."""
    if isinstance(request, GetMetricsRequest):
        request = request.scaledObjectRef
    reference = request if isinstance(request, ScaledObjectRef) else ScaledObjectRef()
    return EndedCall(
        rpc=rpc,
        code=code,
        seconds=seconds,
        peer=peer,
        namespace=reference.namespace[:_LONGEST],
        scaled_object=reference.name[:_LONGEST],
        policy=reference.scalerMetadata.get(POLICY, "")[:_LONGEST],
        reason=reason,
    )
