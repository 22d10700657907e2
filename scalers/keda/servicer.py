"""KEDA's five calls, each looked up on the board: no I/O, no computing, no waiting but for a policy's first answer."""

# ruff: noqa: N802 - the proto names the methods
# ruff: noqa: ARG002 - gRPC passes a context that not all of them need

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import cast

import grpc

from scalers.keda.board import Answer, UnknownPolicy
from scalers.keda.identity import AllowedClients, Authenticated
from scalers.keda.limits import CallRates, Limits, OpenStreams
from scalers.keda.metadata import policy_key
from scalers.keda.metrics import check_metric_name, metric_spec, metric_value, replicas_of
from scalers.keda.observing import RpcObserver
from scalers.keda.patience import PatientBoard
from scalers.keda.proto.externalscaler_pb2 import (
    GetMetricSpecResponse,
    GetMetricsRequest,
    GetMetricsResponse,
    IsActiveResponse,
    ScaledObjectRef,
)
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerServicer
from scalers.keda.pulses import Feeds
from scalers.keda.reading import readable
from scalers.keda.refusal import RpcRefused
from scalers.policy import PolicyKey


class BoardServicer(ExternalScalerServicer):
    """`externalscaler.ExternalScaler` over the board. A refusal is raised; what observes the RPC makes it a status.

    Who may ask is looked at where an answer is told. The spec is told to whoever the handshake let in: it is the same
    for all, and a refused one would keep KEDA from the fallback that a refused answer leads to.
    """

    def __init__(
        self,
        board: PatientBoard,
        feeds: Feeds,
        observer: RpcObserver,
        *,
        clients: AllowedClients | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._board = board
        self._feeds = feeds
        self._observer = observer
        self._clients = clients
        self._limits = limits or Limits()
        self._rates = CallRates(self._limits)
        self._open = OpenStreams(self._limits)

    async def GetMetricSpec(self, request: ScaledObjectRef, context: object) -> GetMetricSpecResponse:
        """Return the constant spec, for every trigger and in every state."""
        return metric_spec()

    async def GetMetrics(self, request: GetMetricsRequest, context: object) -> GetMetricsResponse:
        """Return the policy's replicas as the one value of the requested metric."""
        self._admit(context)
        check_metric_name(readable(request).metricName)
        key = self._key(request.scaledObjectRef)
        answer = await self._answer(key)
        replicas = replicas_of(answer, key)
        if answer.published_at is not None:
            self._observer.answered(time.monotonic() - answer.published_at)
        return GetMetricsResponse(metricValues=[metric_value(request.metricName, replicas)])

    async def IsActive(self, request: ScaledObjectRef, context: object) -> IsActiveResponse:
        """Return whether the target should have replicas at all; `false` is always observed idleness."""
        self._admit(context)
        key = self._key(readable(request))
        answer = await self._answer(key)
        replicas_of(answer, key)
        return IsActiveResponse(result=answer.is_active)

    async def StreamIsActive(self, request: ScaledObjectRef, context: object) -> AsyncGenerator[IsActiveResponse, None]:
        """Yield the policy's activity when it is known, when it changes, and again while the target is at zero."""
        self._admit(context)
        key = self._key(readable(request))
        self._check_known(key)
        peer = self._open.open(_peer(context))
        try:
            with self._feeds.watch(key) as watch:
                async for is_active in watch:
                    yield IsActiveResponse(result=is_active)
                    if watch.changed_at is not None:  # it has been written
                        self._observer.pushed(time.monotonic() - watch.changed_at)
        finally:
            self._open.close(peer)

    async def StreamMetricSpec(
        self, request: ScaledObjectRef, context: object
    ) -> AsyncGenerator[GetMetricSpecResponse, None]:
        """Yield the constant spec at once and from time to time: KEDA loses it on any error of the scaler."""
        peer = self._open.open(_peer(context))
        streams = self._feeds.streams
        ends_at = streams.soon(streams.settings.age, least=0.8)
        bell = streams.open()
        try:
            while not streams.is_over(ends_at):
                yield metric_spec()
                await bell.sleep_until(min(ends_at, streams.soon(streams.settings.respec, least=0.8)))
        finally:
            streams.close(bell)
            self._open.close(peer)

    def _admit(self, context: object) -> None:
        if self._clients is not None:
            self._clients.admit(cast("Authenticated", context))  # the stubs make contexts of both kinds of server one

    def _key(self, reference: ScaledObjectRef) -> PolicyKey:
        self._rates.take(reference.namespace)
        return policy_key(reference, self._limits)

    async def _answer(self, key: PolicyKey) -> Answer:
        try:
            return await self._board.answer(key)
        except UnknownPolicy as unknown:
            raise _not_found(unknown) from unknown

    def _check_known(self, key: PolicyKey) -> None:
        try:
            self._board.check(key)
        except UnknownPolicy as unknown:
            raise _not_found(unknown) from unknown


def _not_found(unknown: UnknownPolicy) -> RpcRefused:
    return RpcRefused(grpc.StatusCode.NOT_FOUND, str(unknown.args[0]))


def _peer(context: object) -> str:
    return cast("grpc.aio.ServicerContext[object, object]", context).peer()
