"""How long a decision takes to reach every agent: some policies are asked of each, several times a second."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from bench.cluster.objects import NAMESPACE, name_of
from bench.cluster.security import Mutual, channel
from scalers.keda.metrics import METRIC_NAME
from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub

if TYPE_CHECKING:  # for types alone: there is one class
    from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerAsyncStub

ASKED = 25  # policies
EVERY = 0.2  # seconds


def delays(endpoints: list[str], policies: int, seconds: float, security: Mutual | None) -> list[float]:
    """Return for each new answer of the first agent the seconds until all others gave it, or one after it.

    They count from the last time at which the first still gave the one before: each is longer than it was by as much as
    lies between two questions, at most.
    """
    return asyncio.run(_delays(endpoints, policies, seconds, security))


async def _delays(endpoints: list[str], policies: int, seconds: float, security: Mutual | None) -> list[float]:
    found: list[float] = []
    channels = [channel(endpoint, security) for endpoint in endpoints]
    scalers = [ExternalScalerStub(channel) for channel in channels]
    numbers = range(0, policies, max(1, policies // ASKED))
    try:
        await asyncio.gather(*(_watch(scalers, number, time.monotonic() + seconds, found) for number in numbers))
    finally:
        await asyncio.gather(*(each.close() for each in channels))
    return found


async def _watch(scalers: list[ExternalScalerAsyncStub], number: int, until: float, found: list[float]) -> None:
    known: float | None = None  # the leader's newest answer
    same_at = 0.0  # when the leader was last asked and gave the one before
    missing: set[int] = set()  # who has not given it yet
    while (began := time.monotonic()) < until:
        leader, *others = await asyncio.gather(*(_ask(scaler, number) for scaler in scalers))
        if leader == known and not missing:
            same_at = began
        elif leader != known:
            same_at, missing = (began, set()) if known is None else (same_at, set(range(len(others))))
            known = leader
        if missing:
            missing -= {which for which, answer in enumerate(others) if answer == known}
            if not missing:
                found.append(time.monotonic() - same_at)
        await asyncio.sleep(max(0.0, EVERY - (time.monotonic() - began)))


async def _ask(scaler: ExternalScalerAsyncStub, number: int) -> float:
    name = name_of(number)
    reference = ScaledObjectRef(name=name, namespace=NAMESPACE, scalerMetadata={"policy": name})
    reply = await scaler.GetMetrics(GetMetricsRequest(scaledObjectRef=reference, metricName=METRIC_NAME))
    return float(reply.metricValues[0].metricValueFloat)
