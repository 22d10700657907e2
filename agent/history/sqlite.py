"""The store in one SQLite file.

WAL, because a tick then costs one append to a log. A commit of samples or states is handed to the operating system
(`synchronous=NORMAL`): it outlives the process, and what a loss of power takes, Prometheus still has. A commit of
decisions is also waited for (`FULL`): an answer that KEDA had can be had again from nowhere. The file is locked for
one connection, which needs no shared memory and so also works on network volumes.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from agent.history.schema import migrate
from agent.history.sqlite_decisions import DecisionTable
from agent.history.sqlite_samples import SampleTables
from agent.history.store import StoredDecision, StoredSample, StoreFailed, StoreLimits
from forecasters.series import Series

CHECKED_WHOLE_BYTES = 64 * 1024 * 1024  # a check reads the file, which may take 0.3 s for this much
COMPACT_AT_OPEN = 16  # ticks: fewer cost a load less than the short chunks they would become
VACUUMED_PAGES = 4096  # at a time, so that a tick never waits for long
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_TROUBLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
}


class SqliteStore:
    """The store port on a file; usable from any thread, one call at a time."""

    def __init__(self, path: Path, limits: StoreLimits) -> None:
        """Open a file, or make it.

        Raises:
            StoreFailed: it cannot be opened, is corrupt, or was written by a newer agent.
        """
        self._path = path
        self._lock = threading.Lock()
        with self._translated():
            self._connection = _connect(path)
        try:
            with self._translated():
                _check(self._connection, path)
                migrate(self._connection)
                self._samples = SampleTables(self._connection)
        except BaseException:
            self._connection.close()
            raise
        self._decisions = DecisionTable(self._connection, limits)

    def compact(self) -> None:
        """Turn the ticks that wait into chunks, so that loads are short; worth it once after opening."""
        with self._transaction():
            while self._samples.compact_fullest(COMPACT_AT_OPEN):
                pass

    def append_samples(self, samples: Sequence[StoredSample]) -> None:
        """Keep one tick's samples of all signals."""
        if samples:
            with self._transaction():
                self._samples.append(samples)

    def load_samples(self, signal: str, *, since: datetime, step: timedelta) -> Series:
        """Return the kept samples from an instant on."""
        with self._lock, self._translated():
            return self._samples.load(signal, since=since, step=step)

    def put_state(self, owner: str, name: str, body: bytes) -> None:
        """Keep the newest state of something."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO state (owner, name, body) VALUES (?, ?, ?)", (owner, name, body))

    def states(self, owner: str) -> dict[str, bytes]:
        """Return the newest states of an owner by name."""
        with self._lock, self._translated():
            return dict(self._connection.execute("SELECT name, body FROM state WHERE owner = ?", (owner,)))

    def put_decision(self, *rows: StoredDecision) -> None:
        """Add or replace ledger rows, all or none, and wait until they are on the disk."""
        with self._transaction(synchronous="FULL"):
            self._decisions.put(rows)

    def decisions(self, policy: str, *, since: datetime, until: datetime, limit: int) -> list[StoredDecision]:
        """Return ledger rows that touch [since, until], the newest added first."""
        with self._lock, self._translated():
            return self._decisions.find(policy, since=since, until=until, limit=limit)

    def forget(self, owners: Iterable[str], *, before: datetime) -> None:
        """Drop what is older, and give a part of what became free back to the file system."""
        with self._transaction() as connection:
            for owner in owners:
                kept = self._samples.forget(owner, before), self._decisions.forget(owner, before)
                if not any(kept):
                    connection.execute("DELETE FROM state WHERE owner = ?", (owner,))
        with self._lock, self._translated():
            _vacuum(self._connection)

    def notes(self) -> tuple[str, ...]:
        """Return nothing: what goes wrong here is raised."""
        return ()

    def close(self) -> None:
        """Fold the log into the file and release it."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self, *, synchronous: str = "NORMAL") -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            self._connection.execute(f"PRAGMA synchronous={synchronous}")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise the disk's troubles as StoreFailed; errors in our own SQL stay what they are."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code is the low byte
            if code not in _CORRUPT | _TROUBLE:
                raise
            raise StoreFailed(f"{self._path}: {error}", is_corrupt=code in _CORRUPT) from error
        except StoreFailed as error:
            raise StoreFailed(f"{self._path}: {error}", is_corrupt=error.is_corrupt) from error


def _connect(path: Path) -> sqlite3.Connection:
    # Autocommit, so that BEGIN and COMMIT are where they are written. No waiting: nobody else has the file.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # takes effect in an empty file only
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA journal_size_limit={16 * 1024 * 1024}")
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size <= CHECKED_WHOLE_BYTES:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise StoreFailed(f"its pages are damaged ({verdict})", is_corrupt=True)


def _vacuum(connection: sqlite3.Connection) -> None:
    """Shrink the file where more than an eighth of it is free; less is used again by the next ticks."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    spare = min(free - pages // 8, VACUUMED_PAGES)
    if spare > 0:
        # Not `execute`: it steps a statement without columns once, and each step frees one page.
        connection.executescript(f"PRAGMA incremental_vacuum({spare})")
