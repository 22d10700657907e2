"""A stand-in for KEDA on the HPA's path: asks an external scaler as KEDA 2.21 does, through a real gRPC channel.

What it does not play: the poll loop (it matters only for targets at zero) and push streams.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import grpc

from scalers.keda.proto import externalscaler_pb2 as messages
from scalers.keda.proto import externalscaler_pb2_grpc as services
from scalers.policy import PolicyKey

# KEDA itself sets none; without one a hung agent would stop the demo with nothing said
TIMEOUT_SECONDS = 5.0


class MetricUnavailable(Exception):
    """The external scaler gave no value, twice. The HPA holds its replicas."""


@dataclass(frozen=True, slots=True)
class ExternalMetric:
    """What the HPA gets to see: the value and the target of type AverageValue, both with three decimals."""

    value: float
    target: float


class KedaStandIn:
    """One ScaledObject with one trigger of type external."""

    def __init__(self, channel: grpc.aio.Channel, *, scaled_object: str, policy: PolicyKey) -> None:
        self._scaler = services.ExternalScalerStub(channel)
        self._ref = messages.ScaledObjectRef(
            name=scaled_object, namespace=policy.namespace, scalerMetadata={"policy": policy.name}
        )

    async def metric(self) -> ExternalMetric:
        """Return the metric's value and target.

        Raises:
            MetricUnavailable: two evaluations in a row failed; the message is the scaler's own.
        """
        try:
            return await self._evaluate()
        except (grpc.aio.AioRpcError, MetricUnavailable):
            # KEDA rebuilds the scaler and asks once more, at once
            return await self._evaluate_again()

    async def _evaluate_again(self) -> ExternalMetric:
        try:
            return await self._evaluate()
        except grpc.aio.AioRpcError as error:
            raise MetricUnavailable(f"{error.code().name}: {error.details()}") from error

    async def _evaluate(self) -> ExternalMetric:
        """One evaluation: the spec, then the value and the activity; a failure of any fails the whole."""
        specs = await self._scaler.GetMetricSpec(self._ref, timeout=TIMEOUT_SECONDS)
        if not specs.metricSpecs:
            raise MetricUnavailable("got empty metric spec")
        spec = specs.metricSpecs[0]
        request = messages.GetMetricsRequest(scaledObjectRef=self._ref, metricName=spec.metricName)
        reply = await self._scaler.GetMetrics(request, timeout=TIMEOUT_SECONDS)
        await self._scaler.IsActive(self._ref, timeout=TIMEOUT_SECONDS)
        if not reply.metricValues:
            raise MetricUnavailable(f"no matching metrics found for {spec.metricName}")
        # KEDA relabels every value with the name it asked for, and the HPA adds them up
        total = sum(_amount(each.metricValueFloat, each.metricValue) for each in reply.metricValues)
        return ExternalMetric(value=total, target=_amount(spec.targetSizeFloat, spec.targetSize))


def _amount(number: float, whole: int) -> float:
    """KEDA's choice between the float field and the deprecated int field, never below 0."""
    if math.isinf(number):
        return 0.0
    return round(number, 3) if number > 0 else float(max(0, whole))
