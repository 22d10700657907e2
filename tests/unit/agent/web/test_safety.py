from __future__ import annotations

from agent.web.headers import SECURITY_HEADERS
from tests.fakes.book import InventedBook, SteppedClock


class LeakingBook(InventedBook):
    """Fails with what must not be repeated."""

    def snapshot(self, key):
        raise RuntimeError("https://user:hunter2@prometheus")


async def test_a_failure_tells_nothing_but_that_it_failed(client) -> None:
    reply = await client(book=LeakingBook(SteppedClock())).get("/api/v1/policies/ml/chat")
    assert reply.status_code == 500
    assert "hunter2" not in reply.text
    assert reply.json()["title"] == "Internal Server Error"


async def test_a_wrong_query_is_not_repeated(client) -> None:
    reply = await client().get("/api/v1/policies/ml/chat/decisions?limit=hunter2")
    assert (reply.status_code, "hunter2" in reply.text) == (422, False)


async def test_every_response_carries_the_security_headers(client) -> None:
    agent = client()
    for path in ("/", "/healthz", "/api/v1/policies", "/api/v1/policies/ml/gone", "/nowhere"):
        headers = (await agent.get(path)).headers
        assert {name: headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS, path


async def test_the_page_may_run_nothing_but_the_agents_own_files() -> None:
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy


async def test_writing_is_not_allowed(client) -> None:
    reply = await client().post("/api/v1/policies", json={})
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET")


async def test_numbers_are_never_kept_by_a_browser(client) -> None:
    assert (await client().get("/api/v1/policies")).headers["cache-control"] == "no-store"


async def test_long_answers_are_compressed(client) -> None:
    reply = await client().get("/api/v1/policies", headers={"accept-encoding": "gzip"})
    assert reply.headers["content-encoding"] == "gzip"
