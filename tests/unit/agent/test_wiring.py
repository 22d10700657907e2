from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from agent.clock import WallClock
from agent.configuration import Configuration
from agent.parts import Parts
from agent.policy import parse_policy
from agent.policy_files import assignment_of
from agent.sources.table import SourceTable
from agent.web.server import HttpAddress
from agent.wiring import build_http_server, build_parts
from scalers.policy import PolicyKey
from tests.fakes.policies import VALID_TEXT

WORKLOAD = PolicyKey("default", "workload")


async def at_work(folder: Path, *, is_reactive_only: bool = False) -> Parts:
    """Build the parts as `run` does, on a data directory, with one policy that reads a CSV file of this minute."""
    parts = build_parts(clock=WallClock(), data_dir=folder / "data", is_reactive_only=lambda: is_reactive_only)
    now = parts.clock.now().timestamp()
    (folder / "load.csv").write_text("timestamp,value\n" + "".join(f"{now - i},4043.3\n" for i in range(60, -1, -1)))
    source = f"csv: {{path: {folder / 'load.csv'}}}"
    (document,) = parse_policy(VALID_TEXT.replace("prometheus: {query: demand}", source), file="policy.yaml")
    await parts.engine.assign([assignment_of(document, SourceTable(Configuration()))])
    return parts


async def test_what_is_decided_is_served_over_http(tmp_path: Path) -> None:
    parts = await at_work(tmp_path)
    server = build_http_server(parts, HttpAddress("127.0.0.1", 0))
    address = server.bind()
    serving = asyncio.create_task(server.serve())
    async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
        undecided = await client.get("/readyz")
        await parts.engine.tick(parts.clock.now())
        ready, metrics = await client.get("/readyz"), await client.get("/metrics")
        shown = (await client.get("/api/v1/policies/default/workload")).json()
    server.stop()
    await serving
    await parts.close()
    assert (undecided.status_code, ready.status_code) == (503, 200)
    assert "a policy has had no decision yet" in undecided.text
    assert 'foretide_answer_replicas{namespace="default",policy="workload"} 10.0' in metrics.text
    assert shown["decision"]["forKeda"] == pytest.approx(10.0)


async def test_the_data_directory_outlives_the_parts(tmp_path: Path) -> None:
    parts = await at_work(tmp_path)
    now = parts.clock.now()
    await parts.engine.tick(now)
    await parts.close()
    reopened = await at_work(tmp_path)
    (watched,) = reopened.engine.watched
    signal, _ = watched.pairs()[0]
    await reopened.backfiller.stored(signal, now)
    runs = await reopened.book.decisions(WORKLOAD, since=now, until=now, limit=1)
    await reopened.close()
    assert signal.input().demand == pytest.approx(4043.3)
    assert [run.decision["answer"] for run in runs] == [pytest.approx(10.0)]


async def test_the_kill_switch_reaches_every_decision(tmp_path: Path) -> None:
    parts = await at_work(tmp_path, is_reactive_only=True)
    parts.engine.watched[0].decider.restore_answer(answer=20.0, at=parts.clock.now() + timedelta(seconds=1))
    await parts.engine.tick(parts.clock.now())
    await parts.close()
    assert parts.board.answer(WORKLOAD).replicas == pytest.approx(10.0)
