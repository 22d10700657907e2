"""What KEDA and the HPA make of a reply: mirrors kedacore/keda pkg/scalers/external_scaler.go and pkg/scaling."""

from __future__ import annotations

import math

from scalers.keda.proto.externalscaler_pb2 import GetMetricSpecResponse, GetMetricsResponse, IsActiveResponse
from scalers.sentence import number


class Unusable(Exception):
    """An answer that KEDA would take for an error."""


def of_specs(reply: GetMetricSpecResponse) -> str:
    """Return the metric that KEDA would use.

    Raises:
        Unusable: there is not one, or its target is none.
    """
    specs = reply.metricSpecs
    if len(specs) != 1:
        raise Unusable(f"KEDA would use one metric, and gets {len(specs)}")
    target = _read(specs[0].targetSizeFloat, specs[0].targetSize)
    if target <= 0:
        raise Unusable(f"the target is {target:g}, which no HPA accepts")
    return f"metric {specs[0].metricName}, target {number(target)}"


def of_value(reply: GetMetricsResponse) -> str:
    """Return the replicas that the HPA would ask for."""
    value = _value(reply)
    replicas = math.ceil(value)
    asked = f"HPA would ask for {replicas} {'replica' if replicas == 1 else 'replicas'}"
    return f"{number(value)}: {asked}" if replicas else "0: HPA would ask for its minimum"


def of_jobs(reply: GetMetricsResponse) -> str:
    """Return the jobs that KEDA would have for a ScaledJob, before its strategy takes off those that there are."""
    value = _value(reply)
    jobs = math.ceil(value)
    return (
        f"{number(value)}: items for {jobs} {'job' if jobs == 1 else 'jobs'}" if jobs else "0: KEDA would start no job"
    )


def of_activity(reply: IsActiveResponse) -> str:
    """Return what KEDA would do with a target."""
    if reply.result:
        return "active: KEDA would keep at least one replica"
    return "not active: KEDA would go to zero after the cooldown period, where minReplicaCount is 0"


def of_jobs_activity(reply: IsActiveResponse) -> str:
    """Return what KEDA would do with a ScaledJob."""
    return "active: KEDA would start jobs" if reply.result else "not active: KEDA would start no job"


def of_push(reply: IsActiveResponse) -> str:
    """Return what KEDA would do on a push."""
    if reply.result:
        return "active, pushed: KEDA would wake a target at zero at once"
    return "not active, pushed: KEDA waits for a push, and goes to zero by its polls alone"


def _value(reply: GetMetricsResponse) -> float:
    if not reply.metricValues:
        raise Unusable("no value: the HPA would find no matching metric")
    return sum(_read(each.metricValueFloat, each.metricValue) for each in reply.metricValues)


def _read(fraction: float, whole: int) -> float:
    """Return what KEDA makes of a float field and its deprecated integer."""
    if math.isinf(fraction):
        return 0.0
    return float(f"{fraction:.3f}") if fraction > 0 else float(max(whole, 0))
