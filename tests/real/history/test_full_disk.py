"""A disk without space: the store goes on in memory, says so, and is back on the disk when there is room."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.history.opening import open_store
from agent.history.store import Store, StoredDecision, StoredSample

pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[3]
START = datetime(2026, 11, 22, tzinfo=UTC)
STEP = timedelta(seconds=15)


class TickingClock:
    """A clock that is where the test puts it."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    async def sleep_until(self, instant: datetime) -> None:
        self.time = instant


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a full disk is not tried: no tmpfs can be mounted here ({mounted.stderr.decode().strip()})")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)  # lazily: also after a failure with files open


def write_tick(store: Store, tick: int) -> None:
    store.append_samples([StoredSample(f"s{i}", START + tick * STEP, float(tick)) for i in range(200)])
    store.put_decision(StoredDecision("ml/chat", START + tick * STEP, START + tick * STEP, 1, b"x" * 2000))


def test_a_full_disk_loses_nothing_and_is_used_again(small_disk: Path):
    clock = TickingClock()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(3500 * 1024))
    with closing(open_store(small_disk, clock=clock)) as store:
        for tick in range(150):
            write_tick(store, tick)

        assert "disk is full; what is new is kept in memory only" in store.notes()[0]
        loaded = store.load_samples("s7", since=START, step=STEP).values
        np.testing.assert_array_equal(loaded, np.arange(150.0))
        assert len(store.decisions("ml/chat", since=START, until=START + timedelta(days=1), limit=1000)) == 150

        ballast.unlink()
        clock.time += timedelta(seconds=30)
        store.put_state("ml/chat", "trust", b"1")
        assert store.notes()[-1].endswith("the disk takes writes again; what was kept in memory is on it")

    with closing(open_store(small_disk, clock=clock)) as again:
        np.testing.assert_array_equal(again.load_samples("s7", since=START, step=STEP).values, np.arange(150.0))
        assert len(again.decisions("ml/chat", since=START, until=START + timedelta(days=1), limit=1000)) == 150


def test_a_limit_on_the_file_size_degrades_and_says_so(tmp_path: Path):
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "from pathlib import Path; from agent.history.opening import open_store\n"
        "from tests.real.history.test_full_disk import START, STEP, TickingClock, write_tick\n"
        f"store = open_store(Path({str(tmp_path)!r}), clock=TickingClock())\n"
        "for tick in range(150): write_tick(store, tick)\n"
        "print(len(store.load_samples('s7', since=START, step=STEP)), *store.notes(), sep='\\n')\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    count, *notes = child.stdout.splitlines()
    assert (child.returncode, child.stderr, count) == (0, "", "150")
    assert "what is new is kept in memory only" in notes[0]
