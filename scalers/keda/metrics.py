"""What KEDA reads as a metric: one constant spec, and a policy's answer as its value."""

from __future__ import annotations

import math

import grpc

from scalers.keda.board import Answer
from scalers.keda.proto.externalscaler_pb2 import GetMetricSpecResponse, MetricSpec, MetricValue
from scalers.keda.refusal import RpcRefused
from scalers.policy import PolicyKey

METRIC_NAME = "foretide-replicas"  # KEDA shows it as s<i>-foretide-replicas, i being the trigger's place
TARGET = 1  # the value is replicas already, so the HPA divides by one
_DECIMALS = 3  # KEDA prints floats with "%.3f"
_SMALLEST = 10**-_DECIMALS


def metric_spec() -> GetMetricSpecResponse:
    """Return the one spec, whatever the trigger says: it rests on nothing, so it cannot fail.

    A GetMetricSpec that fails darkens every other trigger of the ScaledObject (kedacore/keda#5914, #8056).
    """
    spec = MetricSpec(metricName=METRIC_NAME, targetSize=TARGET, targetSizeFloat=float(TARGET))
    return GetMetricSpecResponse(metricSpecs=[spec])


def metric_value(requested: str, answer: float) -> MetricValue:
    """Return an answer, finite and not below 0, as the float that KEDA reads and the integer that old ones read.

    The float leaves as KEDA would print it, but for a need so small that it would print as 0.000: that is still a
    need, and becomes the smallest value above 0. The integer is rounded up, as the HPA does with the float, so that
    no version is told less than the need; it is 0 only together with the float.
    """
    printed = round(answer, _DECIMALS)
    if answer > 0:
        printed = max(printed, _SMALLEST)
    return MetricValue(metricName=requested, metricValue=math.ceil(printed), metricValueFloat=printed)


def replicas_of(answer: Answer, policy: PolicyKey) -> float:
    """Return an answer's replicas.

    Raises:
        RpcRefused: the answer is a refusal; UNAVAILABLE makes KEDA hold what is there, or use its fallback.
    """
    if answer.replicas is None:
        raise RpcRefused(grpc.StatusCode.UNAVAILABLE, f"policy {policy} has no answer: {answer.reason}")
    return answer.replicas


def jobs_of(answer: Answer, policy: PolicyKey, now: float) -> float:
    """Return the jobs for the items of an answer, at an instant of the monotonic clock in seconds.

    Raises:
        RpcRefused: how many items there are is not known now; UNAVAILABLE makes KEDA start no job, and end none.
    """
    wanted = answer.jobs
    if wanted is None:
        raise RpcRefused(grpc.StatusCode.UNAVAILABLE, f"policy {policy} has no fresh count of items: {answer.reason}")
    if answer.published_at is not None and now - answer.published_at > wanted.valid_for.total_seconds():
        sentence = (
            f"policy {policy} counted its items {now - answer.published_at:.0f} s ago, too long for a job to start"
        )
        raise RpcRefused(grpc.StatusCode.UNAVAILABLE, f"{sentence}: the agent's decision loop is not running")
    return wanted.jobs


def check_metric_name(requested: str) -> None:
    """Accept the one metric that the spec names, in any case, as KEDA matches it.

    Raises:
        RpcRefused: another metric is asked for.
    """
    if requested.lower() != METRIC_NAME:
        raise RpcRefused(
            grpc.StatusCode.INVALID_ARGUMENT,
            f"there is no metric {requested[:80]!r}: ask for {METRIC_NAME!r}, without the prefix s<i>- that KEDA shows",
        )
