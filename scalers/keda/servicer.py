"""KEDA's five calls, each looked up on the board: no I/O, no computing, no waiting but for a policy's first answer."""

# ruff: noqa: N802 - the proto names the methods
# ruff: noqa: ARG002 - gRPC passes a context that not all of them need

from __future__ import annotations

import time
from typing import cast

import grpc

from scalers.keda.board import Answer, UnknownPolicy
from scalers.keda.identity import AllowedClients, Authenticated
from scalers.keda.limits import CallRates, Limits
from scalers.keda.metadata import counts_items, is_inline, policy_key, refuse_push
from scalers.keda.metrics import check_metric_name, jobs_of, metric_spec, metric_value, replicas_of
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
from scalers.keda.speeches import ActivitySpeech, SpecSpeech
from scalers.policy import PolicyKey

_NOT_MADE = (
    "its policy is written into the trigger: an agent in a cluster makes one of it within seconds, an agent on files "
    "(--policies) never does"
)


class BoardServicer(ExternalScalerServicer):
    """`externalscaler.ExternalScaler` over the board, for `ObservedMethods`.

    A refusal is raised, and becomes a status there; a stream is a speech, which is held there.

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

    async def GetMetricSpec(self, request: ScaledObjectRef, context: object) -> GetMetricSpecResponse:
        """Return the constant spec, for every trigger and in every state."""
        return metric_spec()

    async def GetMetrics(self, request: GetMetricsRequest, context: object) -> GetMetricsResponse:
        """Return the policy's replicas, or a ScaledJob's jobs, as the one value of the requested metric."""
        self._admit(context)
        check_metric_name(readable(request).metricName)
        key = self._key(request.scaledObjectRef)
        answer = await self._answer(key, request.scaledObjectRef)
        now = time.monotonic()
        value = jobs_of(answer, key, now) if counts_items(request.scaledObjectRef) else replicas_of(answer, key)
        if answer.published_at is not None:
            self._observer.answered(now - answer.published_at)
        return GetMetricsResponse(metricValues=[metric_value(request.metricName, value)])

    async def IsActive(self, request: ScaledObjectRef, context: object) -> IsActiveResponse:
        """Return whether the target should have replicas, or jobs, at all; `false` is always observed idleness."""
        self._admit(context)
        key = self._key(readable(request))
        answer = await self._answer(key, request)
        if counts_items(request):
            return IsActiveResponse(result=jobs_of(answer, key, time.monotonic()) > 0)
        replicas_of(answer, key)
        return IsActiveResponse(result=answer.is_active)

    def StreamIsActive(self, request: ScaledObjectRef, context: object) -> ActivitySpeech:  # type: ignore[override]
        """Say the policy's activity when it is known, when it changes, and again while the target is at zero."""
        self._admit(context)
        key = self._key(readable(request))
        self._check_known(key, request)
        if counts_items(request):
            refuse_push(request)
        return ActivitySpeech(self._feeds, key, _peer(context))

    def StreamMetricSpec(self, request: ScaledObjectRef, context: object) -> SpecSpeech:  # type: ignore[override]
        """Say the constant spec at once and from time to time: KEDA loses it on any error of the scaler."""
        return SpecSpeech(self._feeds.streams, _peer(context))

    def _admit(self, context: object) -> None:
        if self._clients is not None:
            self._clients.admit(cast("Authenticated", context))  # the stubs make contexts of both kinds of server one

    def _key(self, reference: ScaledObjectRef) -> PolicyKey:
        self._rates.take(reference.namespace)
        return policy_key(reference, self._limits)

    async def _answer(self, key: PolicyKey, reference: ScaledObjectRef) -> Answer:
        try:
            return await self._board.answer(key)
        except UnknownPolicy as unknown:
            raise _not_found(unknown, reference) from unknown

    def _check_known(self, key: PolicyKey, reference: ScaledObjectRef) -> None:
        try:
            self._board.check(key)
        except UnknownPolicy as unknown:
            raise _not_found(unknown, reference) from unknown


def _not_found(unknown: UnknownPolicy, reference: ScaledObjectRef) -> RpcRefused:
    inline = f"; {_NOT_MADE}" if is_inline(reference) else ""
    return RpcRefused(grpc.StatusCode.NOT_FOUND, f"{unknown.args[0]}{inline}")


def _peer(context: object) -> str:
    return cast("grpc.aio.ServicerContext[object, object]", context).peer()
