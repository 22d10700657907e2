"""The HTTP application: probes, metrics, the API and the page over immutable pictures of the engine."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from agent.clock import Clock
from agent.snapshot import SnapshotBook
from agent.web.comparison import ComparisonBook
from agent.web.headers import SecurityHeaders
from agent.web.page import install_page
from agent.web.probes import probe_routes
from agent.web.problems import install_problem_handlers
from agent.web.readiness import Readiness
from agent.web.routes import PolicyReader, policy_routes

DESCRIPTION = """What Foretide forecasts, decides and why. The API only reads.

Keys are camelCase, durations are seconds, instants UTC. `null` is not known, which is never zero.
Errors are problem documents of RFC 9457."""

# Below it the headers of compression cost more than they save.
SMALLEST_COMPRESSED_BYTES = 1024


def create_app(
    book: SnapshotBook,
    *,
    clock: Clock,
    readiness: Callable[[], Readiness],
    exposition: Callable[[], bytes],
    comparison: ComparisonBook | None,
    page: Path | None,
) -> FastAPI:
    """Return the application.

    Args:
        book: where the newest pictures of the policies are.
        clock: the agent's, against which ages are counted.
        readiness: whether the board answers.
        exposition: the metrics in Prometheus's text format.
        comparison: Foretide beside reactive scaling, which only the demo has.
        page: folder of the built page; None where it is not built.
    """
    app = FastAPI(
        title="Foretide",
        description=DESCRIPTION,
        version=_version(),
        openapi_url="/api/v1/openapi.json",
        # FastAPI's own documentation pages load scripts from elsewhere, which the CSP forbids.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_COMPRESSED_BYTES, compresslevel=5)
    app.add_middleware(SecurityHeaders)
    app.include_router(probe_routes(readiness, exposition))
    app.include_router(policy_routes(PolicyReader(book, comparison, clock)))
    install_page(app, page)
    install_problem_handlers(app)
    return app


def _version() -> str:
    try:
        return version("foretide")
    except PackageNotFoundError:
        return "0"
