"""A store that outlives its disk: what the disk cannot take is kept in memory until it can.

A corrupt file is set aside and a new one begun. On any other trouble (no space, read-only, an I/O error) new samples,
states and decisions stay in memory, reads see both, and the disk is tried again every half minute.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from agent.clock import Clock
from agent.history.memory import MemoryStore
from agent.history.store import DataDirInUse, Store, StoredDecision, StoredSample, StoreFailed, StoreLimits
from forecasters.series import Series

RETRY_EVERY = timedelta(seconds=30)
NOTES = 20  # the newest that are kept
T = TypeVar("T")


class LastingStore(Store, Protocol):
    """A store in a file."""

    def compact(self) -> None:
        """Put in order what an earlier process left; may fail, and nothing is lost when it does."""
        ...


class Disk(Protocol):
    """Where the lasting store lies."""

    def open(self) -> LastingStore:
        """Open it. Raises StoreFailed."""
        ...

    def set_aside(self, now: datetime) -> Path:
        """Rename the file so that a new one can be made. Raises StoreFailed."""
        ...

    def release(self) -> None:
        """Let another process have it."""
        ...


class FallbackStore:
    """The store port on a disk that may fail; usable from any thread, and it never raises StoreFailed once made."""

    def __init__(self, disk: Disk, *, clock: Clock, limits: StoreLimits) -> None:
        """Open the disk's store, or begin in memory.

        Raises:
            DataDirInUse: another process has the disk.
        """
        self._disk = disk
        self._clock = clock
        self._lock = threading.RLock()
        self._notes: deque[str] = deque(maxlen=NOTES)
        self._memory = MemoryStore(limits)  # what the disk has not got
        self._forgotten: dict[str, datetime] = {}  # what the disk still has to forget, by owner
        self._store: LastingStore | None = None  # None where not even reading works
        self._failed_at: datetime | None = None  # None while the disk takes writes
        self._set_aside_at: datetime | None = None
        try:
            self._open()
        except DataDirInUse:
            raise
        except StoreFailed as error:
            self._degrade(error)

    def append_samples(self, samples: Sequence[StoredSample]) -> None:
        """Keep one tick's samples of all signals."""
        self._write(lambda store: store.append_samples(samples))

    def load_samples(self, signal: str, *, since: datetime, step: timedelta) -> Series:
        """Return the kept samples from an instant on; what is in memory wins."""
        with self._lock:
            held = self._memory.load_samples(signal, since=since, step=step)
            stored = self._read(lambda store: store.load_samples(signal, since=since, step=step))
        return held if stored is None else _overlaid(stored, held)

    def put_state(self, owner: str, name: str, body: bytes) -> None:
        """Keep the newest state of something."""
        self._write(lambda store: store.put_state(owner, name, body))

    def states(self, owner: str) -> dict[str, bytes]:
        """Return the newest states of an owner by name."""
        with self._lock:
            stored = self._read(lambda store: store.states(owner))
            return (stored or {}) | self._memory.states(owner)

    def put_decision(self, *rows: StoredDecision) -> None:
        """Add or replace ledger rows."""
        self._write(lambda store: store.put_decision(*rows))

    def decisions(self, policy: str, *, since: datetime, until: datetime, limit: int) -> list[StoredDecision]:
        """Return ledger rows that touch [since, until], the newest added first."""
        with self._lock:
            held = self._memory.decisions(policy, since=since, until=until, limit=limit)
            stored = self._read(lambda store: store.decisions(policy, since=since, until=until, limit=limit))
        renewed = {row.since for row in held}
        return (held + [row for row in stored or [] if row.since not in renewed])[:limit]

    def forget(self, owners: Iterable[str], *, before: datetime) -> None:
        """Drop what is older than `before` for the named owners, on a failed disk as soon as it is back."""
        names = tuple(owners)
        with self._lock:
            self._write(lambda store: store.forget(names, before=before))
            if self._failed_at is not None:
                self._forgotten |= dict.fromkeys(names, before)

    def notes(self) -> tuple[str, ...]:
        """Return what went wrong with the disk and how it was met, oldest first."""
        with self._lock:
            return tuple(self._notes)

    def close(self) -> None:
        """Hand the disk what memory still holds, if it takes it, and release it."""
        with self._lock:
            if self._failed_at is not None:
                self._recover()
            if self._store is not None:
                self._store.close()
            self._disk.release()

    def _write(self, write: Callable[[Store], None]) -> None:
        with self._lock:
            if self._failed_at is not None and abs(self._clock.now() - self._failed_at) >= RETRY_EVERY:
                self._recover()
            while self._failed_at is None and self._store is not None:
                try:
                    write(self._store)
                except StoreFailed as error:
                    self._meet(error)
                else:
                    return
            write(self._memory)

    def _read(self, read: Callable[[Store], T]) -> T | None:
        """Return what the disk says; None where it cannot be read."""
        while self._store is not None:
            try:
                return read(self._store)
            except StoreFailed as error:
                if self._failed_at is not None:
                    return None
                self._meet(error)
        return None

    def _open(self) -> None:
        """Open the store, setting a corrupt file aside; what it has in disorder is put in order."""
        try:
            self._store = self._disk.open()
        except StoreFailed as error:
            if not error.is_corrupt:
                raise
            self._set_aside(error)
            self._store = self._disk.open()
        self._store.compact()

    def _meet(self, error: StoreFailed) -> None:
        """Begin a new file where this one is corrupt, else go on in memory."""
        now = self._clock.now()
        is_new = self._set_aside_at is not None and abs(now - self._set_aside_at) < RETRY_EVERY
        if not error.is_corrupt or is_new:  # a new file that is corrupt again: the disk is what is broken
            self._degrade(error)
            return
        try:
            self._close_store()
            self._set_aside(error)
            self._open()
        except StoreFailed as second:
            self._degrade(second)

    def _set_aside(self, error: StoreFailed) -> None:
        self._set_aside_at = self._clock.now()
        aside = self._disk.set_aside(self._set_aside_at)
        self._note(
            f"{error}; the file was set aside as {aside.name} and a new one begun, the past is read from the source"
        )

    def _degrade(self, error: StoreFailed) -> None:
        self._failed_at = self._clock.now()
        self._note(
            f"{error}; what is new is kept in memory only and the disk is tried every "
            f"{RETRY_EVERY.total_seconds():g} s: free space or mend the volume"
        )

    def _recover(self) -> None:
        """Open the disk anew and hand it what memory holds; memory keeps what the disk does not take."""
        try:
            self._close_store()
            self._open()
            self._hand_over()
        except StoreFailed as error:
            self._failed_at = self._clock.now()
            if error.is_corrupt:
                self._retire(error)
            return
        self._forgotten.clear()
        self._failed_at = None
        self._note("the disk takes writes again; what was kept in memory is on it")

    def _hand_over(self) -> None:
        if self._store is not None:
            self._memory.move_to(self._store)
            for owner, before in self._forgotten.items():
                self._store.forget((owner,), before=before)

    def _retire(self, error: StoreFailed) -> None:
        """Set a file aside that was opened and then found corrupt; the next try begins a new one."""
        self._close_store()
        try:
            self._set_aside(error)
        except StoreFailed as second:
            self._note(f"{second}; a corrupt file could not be set aside")

    def _close_store(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def _note(self, sentence: str) -> None:
        self._notes.append(f"{self._clock.now():%Y-%m-%d %H:%M:%S} UTC: {sentence}")


def _overlaid(below: Series, above: Series) -> Series:
    """Return both on one grid, the second's values where both have one."""
    if not len(above):
        return below
    if not len(below):
        return above
    start = min(below.start, above.start)
    slots = (max(below.end, above.end) - start) // below.step + 1
    values = np.full(slots, np.nan)
    for series in (below, above):
        first = (series.start - start) // series.step
        part = values[first : first + len(series)]
        np.copyto(part, series.values, where=np.isfinite(series.values))
    return Series(start, below.step, values)
