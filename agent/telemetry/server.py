"""What KEDA's calls ask of the gRPC server, and what it shows them: the server's observer, on metrics."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from agent.telemetry.metrics import Metrics, show
from scalers.keda.limits import Limit

# Whatever else is observed one day counts under one name, so that no client can make labels up.
_RPCS = frozenset({
    "GetMetricSpec", "GetMetrics", "IsActive", "StreamIsActive", "StreamMetricSpec",
    "Check", "Watch", "ServerReflectionInfo",
})  # fmt: skip
_OTHER_RPC = "other"
_SERVER, _CLIENT_CA = "server", "client_ca"
# A call is answered from memory: the fine end shows whether it still is, 1 s is where KEDA's patience is at risk.
_RPC_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_PUSH_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # 10,000 streams are told within 1 s
_AGE_BUCKETS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)  # a step is 15 s, `staleness.data` 10 min


class ServerTelemetry:
    """An `RpcObserver` (scalers/keda/observing.py) that counts and times; and the certificate's validity."""

    def __init__(self, metrics: Metrics) -> None:
        self._declare_calls(metrics)
        self._declare_certificate(metrics)

    def rpc_handled(self, rpc: str, code: str, seconds: float) -> None:
        """Count a unary call that ended by method (a bare name or a path), gRPC status code name and duration."""
        counted, timed = self._of_rpc(_known_rpc(rpc), code)
        counted.inc()
        timed.observe(seconds)

    def stream_opened(self, rpc: str) -> None:
        """Count a stream in."""
        self._streams.labels(_known_rpc(rpc)).inc()

    def stream_closed(self, rpc: str, code: str) -> None:
        """Count a stream out, by the name of its gRPC status code; how long it was open says nothing."""
        name = _known_rpc(rpc)
        self._streams.labels(name).dec()
        self._rpcs.labels(name, code).inc()

    def limit_exceeded(self, limit: Limit) -> None:
        """Count a call or stream that was refused because it asked for too much."""
        self._limits_exceeded.labels(limit.value).inc()

    def answered(self, age_seconds: float) -> None:
        """Take note of how old the decision is that a GetMetrics told."""
        self._answer_age.observe(age_seconds)

    def pushed(self, delay_seconds: float) -> None:
        """Take note of how long a change on the board took to be written to one stream."""
        self._push_delay.observe(delay_seconds)

    def certificate_served(self, *, expires_at: datetime, authorities_expire_at: datetime | None) -> None:
        """Show until when the gRPC server's certificate is valid, and the last of its clients' authorities."""
        show(self._certificate_expiry, (_SERVER,), expires_at.timestamp())
        show(
            self._certificate_expiry,
            (_CLIENT_CA,),
            authorities_expire_at.timestamp() if authorities_expire_at is not None else None,
        )

    def certificate_refused(self) -> None:
        """Count a look at certificate files that have changed and cannot be used."""
        self._certificates_refused.inc()

    def _declare_calls(self, metrics: Metrics) -> None:
        self._rpcs = metrics.counter("grpc_handled_total", "gRPC calls that ended.", ("rpc", "code"))
        self._rpc_seconds = metrics.histogram(
            "grpc_handling_seconds", "Time to answer a gRPC call.", ("rpc", "code"), _RPC_BUCKETS
        )
        # looking labels up costs more than counting, and this is done at each call
        self._of_rpc = cache(lambda rpc, code: (self._rpcs.labels(rpc, code), self._rpc_seconds.labels(rpc, code)))
        self._push_delay = metrics.histogram(
            "grpc_push_delay_seconds", "Time from a change to its being written to a stream.", (), _PUSH_BUCKETS
        )
        self._answer_age = metrics.histogram(
            "grpc_answer_age_seconds", "Age of the decision that a GetMetrics told.", (), _AGE_BUCKETS
        )
        self._limits_exceeded = metrics.counter(
            "grpc_limits_exceeded_total", "Calls and streams refused because they asked for too much.", ("limit",)
        )
        self._streams = metrics.gauge("grpc_streams", "Open gRPC streams.", ("rpc",))

    def _declare_certificate(self, metrics: Metrics) -> None:
        self._certificate_expiry = metrics.gauge(
            "grpc_certificate_not_after_timestamp_seconds",
            "End of the validity of what new gRPC connections get.",
            ("certificate",),
        )
        self._certificates_refused = metrics.counter(
            "grpc_certificate_reload_failures_total",
            "Looks, one every 5 s, at changed certificate files that cannot be used.",
            (),
        )


def _known_rpc(rpc: str) -> str:
    name = rpc.rpartition("/")[2]
    return name if name in _RPCS else _OTHER_RPC
