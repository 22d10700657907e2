"""KEDA played against a running agent: each of its calls for each policy, how long it takes, what KEDA concludes.

A call that fails is asked for once more at once, as KEDA does. Here every call has a deadline, which KEDA's have not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import Protocol, TypeVar

import grpc

from agent.doctor.conclusions import Unusable, of_activity, of_jobs, of_jobs_activity, of_push, of_specs, of_value
from agent.doctor.finding import Finding, Level
from agent.doctor.tls import CHECK as TLS_CHECK
from agent.doctor.tls import KedaTls, check_tls, speaks_tls
from scalers.keda.metadata import POLICY, QUEUE_COUNTS
from scalers.keda.metrics import METRIC_NAME
from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from scalers.policy import PolicyKey

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


def play_keda_at(
    address: str, policies: Sequence[PolicyKey], *, tls: KedaTls | None, jobs: Collection[PolicyKey] = ()
) -> list[Finding]:
    """Connect as KEDA would, look at the certificates where TLS is spoken, and ask all that KEDA asks."""
    if tls is None:
        with grpc.insecure_channel(address) as channel:
            findings = check_keda(channel, policies, address=address, jobs=jobs)
        return [_SPEAKS_TLS] if findings[0].check == "agent" and speaks_tls(address) else findings
    findings = check_tls(address, tls)
    if any(finding.level is Level.FAIL for finding in findings):
        return findings
    with tls.channel(address) as channel:
        return findings + check_keda(channel, policies, address=address, jobs=jobs)


def check_keda(
    channel: grpc.Channel,
    policies: Sequence[PolicyKey],
    *,
    address: str,
    deadline: timedelta = DEADLINE,
    jobs: Collection[PolicyKey] = (),
) -> list[Finding]:
    """Ask all that KEDA asks, policy by policy; where nothing listens at all, that is the one finding.

    Args:
        channel: to the agent, as KEDA would connect.
        policies: each is asked for as by a trigger in its namespace.
        address: what the channel leads to, for findings and for the trigger's metadata.
        deadline: of connecting and of each call; a stream, which says its state when it opens, has a third of it.
        jobs: those of the policies that are asked for as by a ScaledJob's trigger.
    """
    try:
        grpc.channel_ready_future(channel).result(timeout=deadline.total_seconds())
    except grpc.FutureTimeoutError:
        what = f"nothing answers at {address}: KEDA would hold the replicas it has, and create no new HPA"
        return [Finding("agent", Level.FAIL, what, _REACH)]
    if not policies:
        what = f"gRPC answers at {address}, and there is no policy to ask for"
        return [Finding("agent", Level.WARN, what, "give --policies FILE or FOLDER")]
    player = _Player(ExternalScalerStub(channel), address, deadline.total_seconds())
    findings = [finding for policy in policies for finding in player.ask(policy, is_job=policy in jobs)]
    return [*findings, *player.timing()]


@dataclass(slots=True)
class _Player:
    """Asks as KEDA does, and keeps how long each call took."""

    scaler: ExternalScalerStub
    address: str
    limit: float  # seconds
    times: list[tuple[float, str]] = field(default_factory=list)  # seconds, and of what

    def ask(self, policy: PolicyKey, *, is_job: bool) -> list[Finding]:
        """Return what came of each call for a policy; a ScaledJob has no stream, as KEDA takes no push for it."""
        metadata = {"scalerAddress": self.address, POLICY: policy.name, **({QUEUE_COUNTS: "waiting"} if is_job else {})}
        trigger = ScaledObjectRef(name=policy.name, namespace=policy.namespace, scalerMetadata=metadata)
        value = GetMetricsRequest(scaledObjectRef=trigger, metricName=METRIC_NAME)
        scaler, limit = self.scaler, self.limit
        calls = [
            self._asked(policy, "GetMetricSpec", lambda: scaler.GetMetricSpec(trigger, timeout=limit), of_specs),
            self._asked(
                policy, "GetMetrics", lambda: scaler.GetMetrics(value, timeout=limit), of_jobs if is_job else of_value
            ),
            self._asked(
                policy,
                "IsActive",
                lambda: scaler.IsActive(trigger, timeout=limit),
                of_jobs_activity if is_job else of_activity,
            ),
        ]
        if is_job:
            return calls
        return [
            *calls,
            self._heard(
                policy, "StreamMetricSpec", lambda: scaler.StreamMetricSpec(trigger, timeout=limit / 3), of_specs
            ),
            self._heard(policy, "StreamIsActive", lambda: scaler.StreamIsActive(trigger, timeout=limit / 3), of_push),
        ]

    def timing(self) -> list[Finding]:
        """Return how long the calls took, all together; nothing if none came back."""
        if not self.times:
            return []
        slowest, what = max(self.times)
        middle = median(seconds for seconds, _ in self.times)
        said = (
            f"{len(self.times)} calls, half of them within {1000 * middle:.1f} ms, the slowest {what} ({_ms(slowest)})"
        )
        return [Finding("time of calls", Level.WARN if slowest > SLOW_SECONDS else Level.OK, said, _slow(slowest))]

    def _asked(
        self, policy: PolicyKey, rpc: str, ask: Callable[[], Reply], conclude: Callable[[Reply], str]
    ) -> Finding:
        """Return what a call gave, asked for a second time if it failed."""
        return second_try(lambda: self._timed(policy, rpc, ask, conclude))

    def _heard(
        self, policy: PolicyKey, rpc: str, open_: Callable[[], _Stream[Reply]], conclude: Callable[[Reply], str]
    ) -> Finding:
        return self._timed(policy, rpc, lambda: _first(open_()), conclude)

    def _timed(
        self, policy: PolicyKey, rpc: str, ask: Callable[[], Reply], conclude: Callable[[Reply], str]
    ) -> Finding:
        """Return what one try gave, what KEDA makes of it, and how long it took."""
        check = f"policy {policy}: {rpc}"
        began = time.perf_counter()
        try:
            reply = ask()
        except grpc.RpcError as error:
            took = time.perf_counter() - began
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                self.times.append((took, f"{rpc} of {policy}"))
            return _failed(policy, rpc, error, took)
        except Unusable as unusable:
            return Finding(check, Level.FAIL, str(unusable), _ANOTHER)
        took = time.perf_counter() - began
        self.times.append((took, f"{rpc} of {policy}"))
        try:
            what = f"{conclude(reply)} ({_ms(took)})"
        except Unusable as unusable:
            return Finding(check, Level.FAIL, str(unusable), _ANOTHER)
        return Finding(check, Level.WARN if took > SLOW_SECONDS else Level.OK, what, _slow(took))


def second_try(attempt: Callable[[], Finding]) -> Finding:
    """Return what one attempt found, or a second one at once if that failed; a hang is not waited for again."""
    first = attempt()
    if first.level is not Level.FAIL or grpc.StatusCode.DEADLINE_EXCEEDED.name in first.what:
        return first
    second = attempt()
    if second.level is Level.FAIL:
        return second
    what = f"{second.what}, at KEDA's second try; the first: {first.what}"
    return Finding(second.check, Level.WARN, what, first.mend)


def _slow(seconds: float) -> str:
    return _SLOW if seconds > SLOW_SECONDS else ""


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"


def _failed(policy: PolicyKey, rpc: str, error: grpc.RpcError, seconds: float) -> Finding:
    check = f"policy {policy}: {rpc}"
    code = error.code()
    if rpc.startswith("Stream") and code is grpc.StatusCode.DEADLINE_EXCEEDED:
        what = "the stream is open and has nothing to say: KEDA would go by its polls"
        return Finding(check, Level.WARN, what, _see(policy))
    if rpc == "StreamMetricSpec" and code is grpc.StatusCode.UNIMPLEMENTED:
        return Finding(check, Level.WARN, "UNIMPLEMENTED: KEDA would ask GetMetricSpec instead, for good", _ANOTHER)
    return Finding(
        check, Level.FAIL, f"{_CONCLUSIONS[rpc]}: {code.name}: {error.details()} ({_ms(seconds)})", _mend(policy, code)
    )


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
        raise Unusable("the stream ended with OK before it said anything") from None
    finally:
        stream.cancel()
