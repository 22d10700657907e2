"""Errors as RFC 9457 problem documents: they name what was asked for and the nearest thing there is, nothing else."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from agent.snapshot import SnapshotBook
from scalers.policy import PolicyKey

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """A problem document of RFC 9457."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "there is no policy ml/chta; did you mean ml/chat?",
                    "instance": "/api/v1/policies/ml/chta",
                    "nearest": "ml/chat",
                }
            ]
        },
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    nearest: str | None = None


class NotFound(Exception):
    """Something with a name is not there; the message says what, and what comes nearest."""

    def __init__(self, detail: str, *, nearest: str | None = None) -> None:
        super().__init__(detail if nearest is None else f"{detail}; did you mean {nearest}?")
        self.nearest = nearest


def unknown_policy(key: PolicyKey, book: SnapshotBook) -> NotFound:
    """Return the error for a policy that is not in the book."""
    known = [str(snapshot.key) for snapshot in book.snapshots()]
    return NotFound(f"there is no policy {key}", nearest=nearest(str(key), known))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like a mistyped one; None where none does."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem document."""
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unforeseen)


def problem_response(
    request: Request,
    status: HTTPStatus,
    detail: str,
    *,
    nearest: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem document for a request."""
    problem = Problem(title=status.phrase, status=status, detail=detail, instance=request.url.path, nearest=nearest)
    body = problem.model_dump(exclude_none=True)
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _not_found(request: Request, error: Exception) -> Response:
    known = error.nearest if isinstance(error, NotFound) else None
    return problem_response(request, HTTPStatus.NOT_FOUND, str(error), nearest=known)


def _invalid_request(request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    # The value is left out: a query string may hold what should not be repeated.
    detail = "; ".join(f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in faults)
    return problem_response(request, HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return _unforeseen(request, error)
    status = HTTPStatus(error.status_code)
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return problem_response(request, status, detail, headers=error.headers)


def _unforeseen(request: Request, _error: Exception) -> Response:
    detail = "the agent failed to answer this request; its log says why, and answers to KEDA do not depend on it"
    return problem_response(request, HTTPStatus.INTERNAL_SERVER_ERROR, detail)
