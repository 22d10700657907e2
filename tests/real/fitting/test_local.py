"""Real worker processes: one that is killed or hangs costs its own fit, and none is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from agent.fitting.local import LocalFitPool
from agent.fitting.pool import FitFailed, FitJob, Fitted
from tests.fakes.fits import odd_fit
from tests.fakes.loads import daily

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[3]
LONG = timedelta(seconds=60)
HISTORY = daily(1)


def job(model: str) -> FitJob:
    return FitJob("ml/chat/demand", model, HISTORY, timedelta(hours=1))


def workers() -> set[int]:
    return {
        child.pid
        for child in psutil.Process().children(recursive=True)
        if "spawn_main" in " ".join(child.cmdline()) and child.status() != psutil.STATUS_ZOMBIE
    }


@pytest.fixture
async def pool() -> AsyncIterator[LocalFitPool]:
    pool = LocalFitPool(run=odd_fit)
    yield pool
    await pool.close()
    assert workers() == set()


async def reason(pool: LocalFitPool, model: str) -> str:
    (outcome,) = await pool.fit([job(model)], LONG)
    assert isinstance(outcome, FitFailed)
    return outcome.reason


def kinds(outcomes: list[Fitted | FitFailed]) -> list[str]:
    return [type(outcome).__name__ for outcome in outcomes]


async def test_nothing_runs_before_the_first_fit(pool: LocalFitPool) -> None:
    assert workers() == set()
    await pool.fit([job("last-value")], LONG)
    assert len(workers()) == 1


async def test_outcomes_come_in_the_order_of_the_batch(pool: LocalFitPool) -> None:
    outcomes = await pool.fit([job("harmonic"), job("holt-winters"), job("last-value")], LONG)
    assert [outcome.model for outcome in outcomes] == ["harmonic", "holt-winters", "last-value"]
    assert kinds(outcomes) == ["Fitted", "FitFailed", "Fitted"]
    assert isinstance(outcomes[1], FitFailed)
    assert outcomes[1].reason == "needs 36 h more history (24 of 60 h)"
    assert outcomes[1].needs_history


async def test_a_worker_killed_in_the_middle_costs_its_fit_only(pool: LocalFitPool) -> None:
    outcomes = await pool.fit([job("last-value"), job("dies"), job("harmonic")], LONG)
    assert kinds(outcomes) == ["Fitted", "FitFailed", "Fitted"]
    assert isinstance(outcomes[1], FitFailed)
    assert outcomes[1].reason == "its process ended with code -9"
    assert not outcomes[1].needs_history


async def test_a_fit_that_hangs_is_killed_at_its_deadline_and_costs_itself_only(pool: LocalFitPool) -> None:
    await pool.fit([job("last-value")], LONG)  # the worker is up: the deadline is the fit's own
    outcomes = await pool.fit([job("hangs"), job("last-value")], timedelta(seconds=2))
    assert kinds(outcomes) == ["FitFailed", "Fitted"]
    assert isinstance(outcomes[0], FitFailed)
    assert outcomes[0].reason == "killed at its deadline of 2 s"


async def test_a_worker_killed_while_idle_costs_nothing(pool: LocalFitPool) -> None:
    before = int((await reason(pool, "tells")).split()[0])
    os.kill(before, signal.SIGKILL)
    assert int((await reason(pool, "tells")).split()[0]) != before
    assert kinds(await pool.fit([job("last-value")], LONG)) == ["Fitted"]


async def test_workers_give_way_and_use_one_thread(pool: LocalFitPool) -> None:
    _, niceness, threads = (await reason(pool, "tells")).split()
    assert int(niceness) >= 10
    assert threads == "1"


async def test_closing_fails_what_runs_and_what_waits() -> None:
    pool = LocalFitPool(run=odd_fit)
    await pool.fit([job("last-value")], LONG)
    running = asyncio.ensure_future(pool.fit([job("hangs"), job("hangs")], LONG))
    await asyncio.sleep(0)  # lets the fits be handed over
    await pool.close()
    outcomes = await running
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, FitFailed)] == ["the fit pool is closed"] * 2
    assert workers() == set()
    assert (await reason(pool, "tells")) == "the fit pool is closed"


PROGRAM = """
import asyncio, sys
from datetime import timedelta
import agent.cli  # as the console script does
from agent.fitting.local import LocalFitPool
from agent.fitting.pool import FitJob
from tests.fakes.fits import odd_fit
from tests.fakes.loads import daily

async def main(model):
    pool = LocalFitPool(run=odd_fit)
    job = FitJob("ml/chat/demand", model, daily(1), timedelta(hours=1))
    for wanted in ("tells", model):
        told = FitJob(job.signal, wanted, job.history, job.horizon)
        print((await pool.fit([told], timedelta(seconds=600)))[0].reason, flush=True)
    await pool.close()

if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "foretide"
    path.write_text(PROGRAM)
    return path


def test_workers_do_not_load_the_command_line(script: Path) -> None:
    done = subprocess.run(
        [sys.executable, script, "imports"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    loaded = done.stdout.splitlines()[1].split()
    assert "agent.fitting.fit" in loaded
    assert [name for name in loaded if name.startswith("agent.cli")] == []


def test_workers_end_with_an_agent_that_is_killed(script: Path) -> None:
    agent = subprocess.Popen(
        [sys.executable, script, "hangs"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with agent:
        assert agent.stdout is not None
        worker = psutil.Process(int(agent.stdout.readline().split()[0]))
        agent.kill()
    _, alive = psutil.wait_procs([worker], timeout=10)
    assert alive == []
