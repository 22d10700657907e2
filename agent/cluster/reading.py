"""Reads single documents from the API server as bytes, so that what is not needed of them is never built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlencode

from kubernetes.aio import client

from agent.cluster.access import FAILURES

_LONGEST = 10.0  # seconds
METADATA_ALONE = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_JSON = "application/json"


class NotRead(Exception):
    """A document could not be read.

    Attributes:
        status: HTTP's; None where nobody answered.
    """

    def __init__(self, path: str, status: int | None, reason: str) -> None:
        super().__init__(f"GET {path}: {reason if status is None else f'{status} {reason}'}")
        self.status = status


class Reader(Protocol):
    """Who reads documents."""

    async def get(self, path: str, query: Sequence[tuple[str, str]] = (), *, accept: str = _JSON) -> bytes:
        """Return what a path shows.

        Raises:
            NotRead: it was refused, is not there, or nobody answered.
        """
        ...


class KubernetesReader:
    """Reads from the API server."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    async def get(self, path: str, query: Sequence[tuple[str, str]] = (), *, accept: str = _JSON) -> bytes:
        """Return what a path shows."""
        try:
            method, url, headers, *_ = await self._api.param_serialize(
                "GET", path, header_params={"Accept": accept}, auth_settings=["BearerToken"]
            )
            asked = f"{url}?{urlencode(query)}" if query else url
            reply = await self._api.call_api(method, asked, headers, _request_timeout=_LONGEST)
            body = bytes(await reply.read())  # type: ignore[no-untyped-call]
        except client.ApiException as error:
            raise NotRead(path, error.status, str(error.reason)) from error
        except FAILURES as error:
            raise NotRead(path, None, str(error) or type(error).__name__) from error
        if not 200 <= reply.status < 300:
            raise NotRead(path, reply.status, str(reply.reason))
        return body
