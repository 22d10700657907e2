"""The page's files: hashed assets are kept for good, the page itself is asked about each time."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

NOT_BUILT = "The page is not built here: run `make page`. The API is at /api/v1/policies.\n"
FOR_GOOD = "public, max-age=31536000, immutable"


class HashedFiles(StaticFiles):
    """Files whose names hold a hash of what is in them, so that a browser need not ask again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or the 404 of its absence."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = FOR_GOOD
        return response


def install_page(app: FastAPI, page: Path | None) -> None:
    """Serve the built page at `/` and at the path of each policy, or say that it is not built."""
    routes = APIRouter(include_in_schema=False)
    files = None if page is None else StaticFiles(directory=page)

    @routes.get("/")
    @routes.get("/policies/{namespace}/{name}")
    async def index(request: Request) -> Response:
        if files is None:
            return PlainTextResponse(NOT_BUILT, status_code=404)
        response = await files.get_response("index.html", request.scope)
        response.headers["Cache-Control"] = "no-cache"  # kept, and asked about by its ETag
        return response

    app.include_router(routes)
    if page is not None:
        app.mount("/assets", HashedFiles(directory=page / "assets"))
