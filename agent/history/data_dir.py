"""The agent's folder on disk: one agent at a time, one database, and what was set aside."""

from __future__ import annotations

import fcntl
import os
from datetime import datetime
from pathlib import Path
from typing import IO

from agent.history.sqlite import SqliteStore
from agent.history.store import DataDirInUse, StoreFailed, StoreLimits

DATABASE = "foretide.db"
LOCK = "foretide.lock"


class DataDir:
    """A folder that this process locks when it first opens the database in it."""

    def __init__(self, path: Path, limits: StoreLimits) -> None:
        self._path = path
        self._limits = limits
        self._lock: IO[str] | None = None

    def __str__(self) -> str:
        return str(self._path)

    def open(self) -> SqliteStore:
        """Lock the folder, making it where it is missing, and open the database.

        Raises:
            DataDirInUse: another process has it.
            StoreFailed: the folder cannot be used or the database cannot be opened.
        """
        if self._lock is None:
            try:
                self._path.mkdir(parents=True, exist_ok=True)
                self._lock = self._locked()
            except OSError as error:
                raise StoreFailed(f"{self._path}: {error.strerror or error}") from error
        return SqliteStore(self._path / DATABASE, self._limits)

    def set_aside(self, now: datetime) -> Path:
        """Rename the database, its log too, so that a new one can be made; return its new name.

        Raises:
            StoreFailed: the folder does not allow it.
        """
        suffix = f"set-aside-{now:%Y%m%dT%H%M%S}Z"
        try:
            for tail in ("-wal", "-shm", ""):  # the database last: a log never meets a database that is not its own
                file = self._path / f"{DATABASE}{tail}"
                if file.exists():
                    file.rename(self._path / f"{DATABASE}.{suffix}{tail}")
        except OSError as error:
            raise StoreFailed(f"{self._path}: {error.strerror or error}") from error
        return self._path / f"{DATABASE}.{suffix}"

    def release(self) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _locked(self) -> IO[str]:
        """Lock a file beside the database; the system lets go of it when this process ends, however it ends."""
        lock = (self._path / LOCK).open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise DataDirInUse(
                f"data directory {self._path} is in use by process {owner}: give each agent a --data-dir of its own"
            ) from error
        except OSError:
            lock.close()
            raise
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return lock
