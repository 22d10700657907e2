from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.clock import SimulatedClock
from agent.history.memory import MemoryStore
from agent.history.opening import open_store
from agent.history.store import DataDirInUse, StoredSample

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CLOCK = SimulatedClock(NOON)


def test_without_a_data_directory_the_store_is_in_memory():
    assert isinstance(open_store(None, clock=CLOCK), MemoryStore)


def test_two_agents_do_not_share_a_data_directory(tmp_path: Path):
    store = open_store(tmp_path, clock=CLOCK)

    with pytest.raises(DataDirInUse, match="give each agent a --data-dir of its own"):
        open_store(tmp_path, clock=CLOCK)
    store.close()
    open_store(tmp_path, clock=CLOCK).close()


def test_garbage_is_set_aside_and_told(tmp_path: Path):
    (tmp_path / "foretide.db").write_bytes(b"garbage " * 1000)
    store = open_store(tmp_path, clock=CLOCK)
    store.append_samples([StoredSample("s", NOON, 1.0)])
    store.close()

    assert (tmp_path / "foretide.db.set-aside-20261122T120000Z").read_bytes().startswith(b"garbage")
    assert store.notes() == (
        f"2026-11-22 12:00:00 UTC: {tmp_path}/foretide.db: file is not a database; the file was set aside as "
        "foretide.db.set-aside-20261122T120000Z and a new one begun, the past is read from the source",
    )


def test_what_was_written_is_there_when_opened_again(tmp_path: Path):
    first = open_store(tmp_path, clock=CLOCK)
    first.append_samples([StoredSample("s", NOON, 1.0)])
    first.close()

    again = open_store(tmp_path, clock=CLOCK)

    assert again.load_samples("s", since=NOON, step=timedelta(seconds=15)).values.tolist() == [1.0]
    again.close()
