from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from agent.snapshot import SnapshotBook
from agent.web import ComparisonBook, Readiness, create_app
from tests.fakes.book import InventedBook, SteppedClock

Client = Callable[..., httpx.AsyncClient]


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
async def client(clock: SteppedClock) -> AsyncIterator[Client]:
    """Makes a client of an application over an invented book; each part can be given."""
    clients: list[httpx.AsyncClient] = []

    def make(
        *,
        book: SnapshotBook | None = None,
        comparison: ComparisonBook | None = None,
        readiness: Readiness = Readiness(is_ready=True),  # noqa: B008  # frozen
        page: Path | None = None,
    ) -> httpx.AsyncClient:
        app = create_app(
            InventedBook(clock) if book is None else book,
            clock=clock,
            readiness=lambda: readiness,
            exposition=lambda: b"foretide_up 1\n",
            comparison=comparison,
            page=page,
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://agent"))
        return clients[-1]

    yield make
    for each in clients:
        await each.aclose()
