from __future__ import annotations

from pathlib import Path

import pytest

from agent.web.page import NOT_BUILT


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Foretide</title>")
    (tmp_path / "assets" / "main-ABC.js").write_text("void 0;")
    (tmp_path.parent / "secret").write_text("hunter2")
    return tmp_path


@pytest.mark.parametrize("path", ["/", "/policies/ml/chat"])
async def test_the_page_is_served_at_the_fleet_and_at_every_policy(client, built: Path, path: str) -> None:
    reply = await client(page=built).get(path)
    assert reply.text == "<!doctype html><title>Foretide</title>"
    assert reply.headers["content-type"] == "text/html; charset=utf-8"


async def test_the_page_is_asked_about_each_time_and_sent_once(client, built: Path) -> None:
    agent = client(page=built)
    first = await agent.get("/")
    again = await agent.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (first.headers["cache-control"], again.status_code) == ("no-cache", 304)


async def test_hashed_files_are_kept_for_good(client, built: Path) -> None:
    reply = await client(page=built).get("/assets/main-ABC.js")
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/assets/../../secret", "/assets/%2e%2e/%2e%2e/secret", "/assets/gone.js"])
async def test_nothing_outside_the_page_is_served(client, built: Path, path: str) -> None:
    reply = await client(page=built).get(path)
    assert (reply.status_code, "hunter2" in reply.text) == (404, False)


async def test_a_page_that_is_not_built_says_how_to_build_it(client) -> None:
    reply = await client().get("/")
    assert (reply.status_code, reply.text) == (404, NOT_BUILT)
