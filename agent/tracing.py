"""OpenTelemetry where the process was started with it: a span for each call of the gRPC server.

Foretide has no settings for it: `opentelemetry-instrument foretide run` sets it up by OpenTelemetry's own variables,
with what `pip install 'foretide[otel]'` brings.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from agent.log import logger

if TYPE_CHECKING:
    import grpc
    from opentelemetry.trace import TracerProvider

_INSTRUMENTATION = "opentelemetry.instrumentation.grpc"


def grpc_interceptors(provider: TracerProvider | None = None) -> tuple[grpc.aio.ServerInterceptor, ...]:
    """Return what traces the gRPC server's calls, those of health apart; nothing where nobody has set tracing up.

    Args:
        provider: where spans go; the process's own if None.
    """
    try:
        trace = importlib.import_module("opentelemetry.trace")
    except ModuleNotFoundError:
        return ()
    provider = provider or trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        return ()
    try:
        return (_traced_by(provider),)
    except ModuleNotFoundError as missing:
        logger("tracing").warning("grpc_not_traced", missing=missing.name, mend="pip install 'foretide[otel]'")
        return ()


def _traced_by(provider: TracerProvider) -> grpc.aio.ServerInterceptor:
    instrumentation = importlib.import_module(_INSTRUMENTATION)
    filters = importlib.import_module(f"{_INSTRUMENTATION}.filters")
    interceptor: grpc.aio.ServerInterceptor = instrumentation.aio_server_interceptor(
        provider, filter_=filters.negate(filters.health_check())
    )
    return interceptor
