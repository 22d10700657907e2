"""What Kubernetes and Prometheus ask: alive, ready, metrics."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from agent.web.readiness import Readiness

EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def probe_routes(readiness: Callable[[], Readiness], exposition: Callable[[], bytes]) -> APIRouter:
    """Return the routes of the probes and of the metrics."""
    routes = APIRouter(tags=["probes"], default_response_class=PlainTextResponse)

    @routes.get("/healthz", summary="Whether the process is alive")
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @routes.get("/readyz", summary="Whether the board answers; 503 with the reasons where it does not")
    async def readyz() -> PlainTextResponse:
        answer = readiness()
        lines = ["ready" if answer.is_ready else "not ready", *answer.reasons]
        return PlainTextResponse("\n".join(lines) + "\n", status_code=200 if answer.is_ready else 503)

    @routes.get("/metrics", summary="Metrics in Prometheus's text format")
    async def metrics() -> Response:
        return Response(exposition(), media_type=EXPOSITION_TYPE)

    return routes
