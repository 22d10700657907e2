import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.history.schema import MIGRATIONS, TABLES
from agent.history.sqlite import SqliteStore
from agent.history.store import StoredDecision, StoredSample, StoreFailed, StoreLimits

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STEP = timedelta(seconds=15)
LIMITS = StoreLimits()


def write_ticks(store: SqliteStore, count: int, *, signals: int = 3, first: int = 0) -> None:
    for tick in range(first, first + count):
        store.append_samples([StoredSample(f"s{i}", NOON + tick * STEP, float(tick)) for i in range(signals)])


def query(path: Path, sql: str) -> list[tuple[int, ...]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


def test_everything_is_there_after_a_restart(tmp_path: Path):
    path = tmp_path / "foretide.db"
    row = StoredDecision("ml/chat", NOON, NOON, 1, b"{}")
    store = SqliteStore(path, LIMITS)
    write_ticks(store, 20)
    store.put_state("ml/chat", "trust", b"1")
    store.put_decision(row)
    store.close()

    again = SqliteStore(path, LIMITS)

    assert again.load_samples("s2", since=NOON, step=STEP).values.tolist() == [float(i) for i in range(20)]
    assert again.states("ml/chat") == {"trust": b"1"}
    assert again.decisions("ml/chat", since=NOON, until=NOON, limit=9) == [row]
    again.close()


def test_what_was_committed_is_there_without_a_close(tmp_path: Path):
    store = SqliteStore(tmp_path / "foretide.db", LIMITS)
    write_ticks(store, 3)
    for file in tmp_path.glob("foretide.db*"):  # what a killed process leaves behind
        shutil.copy(file, tmp_path / file.name.replace("foretide", "killed"))
    store.close()

    killed = SqliteStore(tmp_path / "killed.db", LIMITS)

    assert killed.load_samples("s0", since=NOON, step=STEP).values.tolist() == [0.0, 1.0, 2.0]
    killed.close()


def test_ticks_become_chunks_without_changing_what_is_read(tmp_path: Path):
    store = SqliteStore(tmp_path / "foretide.db", LIMITS)
    write_ticks(store, 20)
    before = store.load_samples("s1", since=NOON, step=STEP).values.tolist()
    store.compact()
    write_ticks(store, 2, first=20)
    after = store.load_samples("s1", since=NOON, step=STEP).values.tolist()
    store.close()

    assert before == [float(i) for i in range(20)]
    assert after == [float(i) for i in range(22)]
    assert query(tmp_path / "foretide.db", "SELECT count(*) FROM chunk") == [(3,)]
    assert query(tmp_path / "foretide.db", "SELECT count(*) FROM tick") == [(6,)]


def test_one_tick_compacts_at_most_one_shard(tmp_path: Path):
    store = SqliteStore(tmp_path / "foretide.db", LIMITS)
    write_ticks(store, 241)
    store.close()

    assert query(tmp_path / "foretide.db", "SELECT signal, length(body) FROM chunk ORDER BY id") == [
        (1, 240 * 4),
        (2, 241 * 4),
    ]


def test_forgetting_shrinks_the_file(tmp_path: Path):
    path = tmp_path / "foretide.db"
    store = SqliteStore(path, LIMITS)
    for owner in range(50):
        store.put_decision(StoredDecision(f"ml/p{owner}", NOON, NOON, 1, b"x" * 20_000))
    store.forget([f"ml/p{owner}" for owner in range(49)], before=NOON + STEP)
    store.close()

    assert path.stat().st_size < 250_000  # of a million, an eighth may stay free


def test_decisions_wait_for_the_disk_and_samples_do_not(tmp_path: Path):
    store = SqliteStore(tmp_path / "foretide.db", LIMITS)
    levels = []
    store._connection.set_trace_callback(lambda sql: levels.append(sql) if "synchronous" in sql else None)
    write_ticks(store, 1)
    store.put_decision(StoredDecision("ml/chat", NOON, NOON, 1, b"{}"))
    store.close()

    assert levels == ["PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL"]


@pytest.mark.parametrize(
    "garbage", [b"not a database, but longer than a header " * 30, b"SQLite format 3\x00" + b"\x7f" * 4000]
)
def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path, garbage: bytes):
    path = tmp_path / "foretide.db"
    path.write_bytes(garbage)

    with pytest.raises(StoreFailed, match=r"foretide\.db: ") as raised:
        SqliteStore(path, LIMITS)
    assert raised.value.is_corrupt


def test_a_file_of_a_newer_agent_is_not_touched(tmp_path: Path):
    path = tmp_path / "foretide.db"
    SqliteStore(path, LIMITS).close()
    query(path, "INSERT INTO migration VALUES (99) RETURNING version")

    with pytest.raises(StoreFailed, match="schema has version 99, this agent knows up to 1") as raised:
        SqliteStore(path, LIMITS)
    assert raised.value.is_corrupt


def test_a_database_of_something_else_is_not_taken_over(tmp_path: Path):
    query(tmp_path / "foretide.db", "CREATE TABLE recipe (name TEXT)")

    with pytest.raises(StoreFailed, match="SQLite file of something else"):
        SqliteStore(tmp_path / "foretide.db", LIMITS)


def test_a_file_that_lost_a_table_is_corrupt(tmp_path: Path):
    path = tmp_path / "foretide.db"
    SqliteStore(path, LIMITS).close()
    query(path, "DROP TABLE state")

    with pytest.raises(StoreFailed, match="it has no table state") as raised:
        SqliteStore(path, LIMITS)
    assert raised.value.is_corrupt


def test_a_folder_that_is_not_there_is_trouble_but_not_corruption(tmp_path: Path):
    with pytest.raises(StoreFailed, match="unable to open") as raised:
        SqliteStore(tmp_path / "missing" / "foretide.db", LIMITS)
    assert not raised.value.is_corrupt


def test_the_first_schema_makes_every_table():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE migration (version INTEGER PRIMARY KEY)")
    for script in MIGRATIONS:
        connection.executescript(script)

    assert {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")} == TABLES
    assert connection.execute("SELECT max(version) FROM migration").fetchone() == (len(MIGRATIONS),)
    connection.close()
