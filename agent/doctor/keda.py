"""KEDA played against a running agent: each of its calls for each policy, how long it takes, what KEDA concludes.

Mirrors kedacore/keda pkg/scalers/external_scaler.go: the float field counts if it is above 0, printed with three
decimals; the HPA divides by the target and rounds up. Here every call has a deadline, which KEDA's have not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Protocol, TypeVar

import grpc

from agent.doctor.finding import Finding, Level
from agent.doctor.tls import CHECK as TLS_CHECK
from agent.doctor.tls import KedaTls, check_tls, speaks_tls
from scalers.keda.metadata import POLICY
from scalers.keda.metrics import METRIC_NAME
from scalers.keda.proto.externalscaler_pb2 import (
    GetMetricSpecResponse,
    GetMetricsRequest,
    GetMetricsResponse,
    IsActiveResponse,
    ScaledObjectRef,
)
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from scalers.policy import PolicyKey
from scalers.sentence import number

DEADLINE = timedelta(seconds=3)
SLOW_SECONDS = 0.25  # an HPA waits for four calls, and a few threads of the controller serve all HPAs

_REACH = "start the agent, or give its address: --grpc-address HOST:PORT; in a cluster look at Service and endpoints"
_ANOTHER = "give the address of Foretide's gRPC port: --grpc-address HOST:PORT"
_HANGS = "restart the agent: KEDA sets no deadline, and each ScaledObject that asks it stands still"
_SLOW = "give the agent more CPU, or look for what takes it: KEDA and the HPA ask one target after the other"
_SPEAKS_TLS = Finding(
    TLS_CHECK,
    Level.FAIL,
    "the agent speaks TLS, and was asked in plaintext: KEDA would get no connection",
    "give --ca-cert, and KEDA caCert in a TriggerAuthentication (or --enable-tls and enableTLS)",
)
_MENDS = {
    grpc.StatusCode.UNIMPLEMENTED: _ANOTHER,
    grpc.StatusCode.DEADLINE_EXCEEDED: _HANGS,
    grpc.StatusCode.PERMISSION_DENIED: (
        "give --client-cert and --client-key of a client in the agent's grpc.tls.allowedClientSans, as KEDA has them"
    ),
    grpc.StatusCode.NOT_FOUND: "give the agent the policy, or take it out of --policies",
}

Reply = TypeVar("Reply")
Message_co = TypeVar("Message_co", covariant=True)


class _Stream(Iterator[Message_co], Protocol[Message_co]):
    """A stream that is open."""

    def cancel(self) -> bool: ...


def play_keda_at(address: str, policies: Sequence[PolicyKey], *, tls: KedaTls | None) -> list[Finding]:
    """Connect as KEDA would, look at the certificates where TLS is spoken, and ask all that KEDA asks."""
    if tls is None:
        with grpc.insecure_channel(address) as channel:
            findings = check_keda(channel, policies, address=address)
        return [_SPEAKS_TLS] if findings[0].check == "agent" and speaks_tls(address) else findings
    findings = check_tls(address, tls)
    if any(finding.level is Level.FAIL for finding in findings):
        return findings
    with tls.channel(address) as channel:
        return findings + check_keda(channel, policies, address=address)


def check_keda(
    channel: grpc.Channel, policies: Sequence[PolicyKey], *, address: str, deadline: timedelta = DEADLINE
) -> list[Finding]:
    """Ask all that KEDA asks, policy by policy; where nothing listens at all, that is the one finding.

    Args:
        channel: to the agent, as KEDA would connect.
        policies: each is asked for as by a trigger in its namespace.
        address: what the channel leads to, for findings and for the trigger's metadata.
        deadline: of connecting and of each call; a stream, which says its state when it opens, has a third of it.
    """
    try:
        grpc.channel_ready_future(channel).result(timeout=deadline.total_seconds())
    except grpc.FutureTimeoutError:
        what = f"nothing answers at {address}: KEDA would hold the replicas it has, and create no new HPA"
        return [Finding("agent", Level.FAIL, what, _REACH)]
    if not policies:
        what = f"gRPC answers at {address}, and there is no policy to ask for"
        return [Finding("agent", Level.WARN, what, "give --policies FILE or FOLDER")]
    scaler = ExternalScalerStub(channel)
    return [finding for policy in policies for finding in _check_policy(scaler, policy, address, deadline)]


def _check_policy(scaler: ExternalScalerStub, policy: PolicyKey, address: str, deadline: timedelta) -> list[Finding]:
    metadata = {"scalerAddress": address, POLICY: policy.name}
    trigger = ScaledObjectRef(name=policy.name, namespace=policy.namespace, scalerMetadata=metadata)
    value = GetMetricsRequest(scaledObjectRef=trigger, metricName=METRIC_NAME)
    limit = deadline.total_seconds()
    return [
        _asked(policy, "GetMetricSpec", lambda: scaler.GetMetricSpec(trigger, timeout=limit), _specs),
        _asked(policy, "GetMetrics", lambda: scaler.GetMetrics(value, timeout=limit), _value),
        _asked(policy, "IsActive", lambda: scaler.IsActive(trigger, timeout=limit), _activity),
        _asked(policy, "StreamMetricSpec", lambda: _first(scaler.StreamMetricSpec(trigger, timeout=limit / 3)), _specs),
        _asked(policy, "StreamIsActive", lambda: _first(scaler.StreamIsActive(trigger, timeout=limit / 3)), _push),
    ]


def _asked(policy: PolicyKey, rpc: str, ask: Callable[[], Reply], conclude: Callable[[Reply], str]) -> Finding:
    """Return what one call gave, and what KEDA makes of it."""
    check = f"policy {policy}: {rpc}"
    began = time.perf_counter()
    try:
        reply = ask()
        took = time.perf_counter() - began
        what = f"{conclude(reply)} ({1000 * took:.1f} ms)"
    except grpc.RpcError as error:
        return _failed(policy, rpc, error)
    except _Unusable as unusable:
        return Finding(check, Level.FAIL, str(unusable), _ANOTHER)
    if took > SLOW_SECONDS:
        return Finding(check, Level.WARN, what, _SLOW)
    return Finding(check, Level.OK, what)


class _Unusable(Exception):
    """An answer that KEDA would take for an error."""


def _failed(policy: PolicyKey, rpc: str, error: grpc.RpcError) -> Finding:
    check = f"policy {policy}: {rpc}"
    code = error.code()
    if rpc.startswith("Stream") and code is grpc.StatusCode.DEADLINE_EXCEEDED:
        what = "the stream is open and has nothing to say: KEDA would go by its polls"
        return Finding(check, Level.WARN, what, _see(policy))
    if rpc == "StreamMetricSpec" and code is grpc.StatusCode.UNIMPLEMENTED:
        return Finding(check, Level.WARN, "UNIMPLEMENTED: KEDA would ask GetMetricSpec instead, for good", _ANOTHER)
    return Finding(check, Level.FAIL, f"{_CONCLUSIONS[rpc]}: {code.name}: {error.details()}", _mend(policy, code))


_CONCLUSIONS = {
    "GetMetricSpec": "KEDA would create no HPA, and use no fallback",
    "GetMetrics": "KEDA would hold, or use the ScaledObject's fallback",
    "IsActive": "KEDA would hold, or use the ScaledObject's fallback",
    "StreamMetricSpec": "KEDA would open the stream again after 2 to 60 s",
    "StreamIsActive": "KEDA would open the stream again after 2 to 60 s",
}


def _mend(policy: PolicyKey, code: grpc.StatusCode) -> str:
    return _MENDS.get(code) or _see(policy)


def _see(policy: PolicyKey) -> str:
    return f"`foretide explain {policy.name} -n {policy.namespace}` says what is missing"


def _first(stream: _Stream[Reply]) -> Reply:
    """Return a stream's first message and leave it."""
    try:
        return next(stream)
    except StopIteration:
        raise _Unusable("the stream ended with OK before it said anything") from None
    finally:
        stream.cancel()


def _specs(reply: GetMetricSpecResponse) -> str:
    specs = reply.metricSpecs
    if len(specs) != 1:
        raise _Unusable(f"KEDA would use one metric, and gets {len(specs)}")
    target = _read(specs[0].targetSizeFloat, specs[0].targetSize)
    if target <= 0:
        raise _Unusable(f"the target is {target:g}, which no HPA accepts")
    return f"metric {specs[0].metricName}, target {number(target)}"


def _value(reply: GetMetricsResponse) -> str:
    if not reply.metricValues:
        raise _Unusable("no value: the HPA would find no matching metric")
    value = sum(_read(each.metricValueFloat, each.metricValue) for each in reply.metricValues)
    replicas = math.ceil(value)
    asked = f"HPA would ask for {replicas} {'replica' if replicas == 1 else 'replicas'}"
    return f"{number(value)}: {asked}" if replicas else "0: HPA would ask for its minimum"


def _activity(reply: IsActiveResponse) -> str:
    if reply.result:
        return "active: KEDA would keep at least one replica"
    return "not active: KEDA would go to zero after the cooldown period, where minReplicaCount is 0"


def _push(reply: IsActiveResponse) -> str:
    if reply.result:
        return "active, pushed: KEDA would wake a target at zero at once"
    return "not active, pushed: KEDA waits for a push, and goes to zero by its polls alone"


def _read(fraction: float, whole: int) -> float:
    """Return what KEDA makes of a float field and its deprecated integer."""
    if math.isinf(fraction):
        return 0.0
    return float(f"{fraction:.3f}") if fraction > 0 else float(max(whole, 0))
