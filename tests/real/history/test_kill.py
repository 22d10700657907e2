"""kill -9 of a writer: what it had said to be kept is there, and nothing is damaged."""

import math
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.clock import WallClock
from agent.history.ledger import Ledger
from agent.history.opening import open_store
from scalers.policy import PolicyKey
from tests.real.history.writer import SIGNALS, START, STEP, answer_of

pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[3]


def run_and_kill(folder: Path, *, first: int, after: int) -> int:
    """Let a writer write `after` ticks, kill it, and return the last tick that it said was kept."""
    command = [sys.executable, "-m", "tests.real.history.writer", str(folder), str(first)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        try:
            for _ in range(after):
                assert writer.stdout.readline(), "the writer ended by itself"
        finally:
            writer.kill()
        said = writer.stdout.read().split("\n")[:-1]  # a line cut short was not said
    return int(said[-1]) if said else first + after - 1


def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path):
    first = 0
    for after in (3, 40, 260):  # before, around and past the first compaction
        last = run_and_kill(tmp_path, first=first, after=after)
        store = open_store(tmp_path, clock=WallClock())
        answered = Ledger(store).last_answer(PolicyKey("ml", "chat"))

        for signal in range(SIGNALS):
            kept = store.load_samples(f"s{signal}", since=START, step=STEP).values
            np.testing.assert_array_equal(kept[: last + 1], np.arange(last + 1.0))
            assert len(kept) <= last + 2  # at most the tick that it died in
        assert int(store.states("ml/chat")["tick"]) in {last, last + 1}
        assert answered is not None
        assert (
            min(answer_of(last), answer_of(last + 1))
            <= answered[0]
            <= math.ceil(max(answer_of(last), answer_of(last + 1)))
        )
        assert store.notes() == ()
        store.close()
        first = len(kept)


def test_the_ledger_has_every_run_up_to_the_kill(tmp_path: Path):
    last = run_and_kill(tmp_path, first=0, after=50)
    store = open_store(tmp_path, clock=WallClock())
    runs = Ledger(store).rows(PolicyKey("ml", "chat"), since=START, until=START + timedelta(days=1), limit=1000)
    store.close()

    assert [run.since for run in runs] == sorted((run.since for run in runs), reverse=True)
    assert runs[0].since >= START + (last - 1) * STEP  # every tick crosses whole replicas
    assert runs[-1].since == START


@pytest.mark.parametrize("damage", ["cut in half", "a page of zeros", "garbage in front"])
def test_a_damaged_file_is_set_aside_and_writing_goes_on(tmp_path: Path, damage: str):
    run_and_kill(tmp_path, first=0, after=60)
    open_store(tmp_path, clock=WallClock()).close()  # the log is folded in
    file = tmp_path / "foretide.db"
    sound = file.read_bytes()
    damaged = {
        "cut in half": sound[: len(sound) // 2],
        "a page of zeros": sound[:4096] + bytes(4096) + sound[8192:],
        "garbage in front": b"\x99" * 100 + sound[100:],
    }
    file.write_bytes(damaged[damage])

    last = run_and_kill(tmp_path, first=0, after=5)
    store = open_store(tmp_path, clock=WallClock())
    kept = store.load_samples("s0", since=START, step=STEP).values
    store.close()

    np.testing.assert_array_equal(kept[: last + 1], np.arange(last + 1.0))
    assert len(list(tmp_path.glob("foretide.db.set-aside-*Z"))) == 1
