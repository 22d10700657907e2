"""The store in memory: what an agent without a data directory has, and what a failed disk falls back to."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from agent.history.chunks import LARGEST_FLOAT32, POINT, Points, instant_of, microseconds, series_of
from agent.history.store import Store, StoredDecision, StoredSample, StoreLimits
from forecasters.series import Series

MOVED_AT_ONCE = 20_000  # samples per call when all is handed to another store


@dataclass(slots=True)
class _Kept:
    """One signal's samples in the order in which they came."""

    at: array[int] = field(default_factory=lambda: array("q"))  # microseconds since the epoch
    values: array[float] = field(default_factory=lambda: array("f"))

    def points(self) -> Points:
        points = np.empty(len(self.at), dtype=POINT)
        points["at"], points["value"] = self.at, self.values
        return points

    def keep(self, mask: Sequence[bool]) -> None:
        self.at = array("q", (at for at, kept in zip(self.at, mask, strict=True) if kept))
        self.values = array("f", (value for value, kept in zip(self.values, mask, strict=True) if kept))

    def cut(self, count: int) -> None:
        del self.at[:-count], self.values[:-count]


class MemoryStore:
    """The store port without a file; usable from any thread."""

    def __init__(self, limits: StoreLimits) -> None:
        self._limits = limits
        self._lock = threading.RLock()
        self._samples: dict[str, _Kept] = {}
        self._states: dict[str, dict[str, bytes]] = {}
        self._decisions: dict[str, dict[datetime, StoredDecision]] = {}  # by `since`, in the order of adding

    def append_samples(self, samples: Sequence[StoredSample]) -> None:
        """Keep one tick's samples; a signal over its share of the limit loses its oldest quarter."""
        with self._lock:
            for sample in samples:
                kept = self._samples.setdefault(sample.signal, _Kept())
                kept.at.append(microseconds(sample.at))
                kept.values.append(min(sample.value, LARGEST_FLOAT32))
                share = max(1, self._limits.samples_in_memory // len(self._samples))
                if len(kept.at) > share:
                    kept.cut(max(1, share * 3 // 4))

    def load_samples(self, signal: str, *, since: datetime, step: timedelta) -> Series:
        """Return the kept samples from an instant on."""
        with self._lock:
            return series_of(self._samples.get(signal, _Kept()).points(), since=since, step=step)

    def put_state(self, owner: str, name: str, body: bytes) -> None:
        """Keep the newest state of something."""
        with self._lock:
            self._states.setdefault(owner, {})[name] = body

    def states(self, owner: str) -> dict[str, bytes]:
        """Return the newest states of an owner by name."""
        with self._lock:
            return dict(self._states.get(owner, {}))

    def put_decision(self, *rows: StoredDecision) -> None:
        """Add or replace ledger rows; keep each policy within its cap."""
        with self._lock:
            for row in rows:
                kept = self._decisions.setdefault(row.policy, {})
                kept.pop(row.since, None)  # one that is replaced becomes the newest
                kept[row.since] = row
                size = sum(len(held.body) for held in kept.values())
                while len(kept) > 1 and (len(kept) > self._limits.decision_rows or size > self._limits.decision_bytes):
                    size -= len(kept.pop(next(iter(kept))).body)

    def decisions(self, policy: str, *, since: datetime, until: datetime, limit: int) -> list[StoredDecision]:
        """Return ledger rows that touch [since, until], the newest added first."""
        with self._lock:
            newest_first = reversed(self._decisions.get(policy, {}).values())
            return [row for row in newest_first if row.until >= since and row.since <= until][:limit]

    def forget(self, owners: Iterable[str], *, before: datetime) -> None:
        """Drop what is older than `before` for the named owners."""
        with self._lock:
            for owner in owners:
                self._forget_samples(owner, microseconds(before))
                rows = self._decisions.pop(owner, {})
                left = {since: row for since, row in rows.items() if row.until >= before}
                if left:
                    self._decisions[owner] = left
                elif owner not in self._samples:
                    self._states.pop(owner, None)

    def notes(self) -> tuple[str, ...]:
        """Return nothing: memory does not fail."""
        return ()

    def close(self) -> None:
        """Do nothing: there is no file."""

    def move_to(self, store: Store) -> None:
        """Hand everything to another store; what it has taken is dropped here, so a second try repeats nothing.

        Raises:
            StoreFailed: the other store could not take the rest.
        """
        with self._lock:
            while self._samples:
                signals, batch = self._batch()
                store.append_samples(batch)
                for signal in signals:
                    del self._samples[signal]
            for owner, states in self._states.items():
                for name, body in states.items():
                    store.put_state(owner, name, body)
            store.put_decision(*(row for rows in self._decisions.values() for row in rows.values()))
            self._states.clear()
            self._decisions.clear()

    def _forget_samples(self, signal: str, before_us: int) -> None:
        kept = self._samples.get(signal)
        if kept is not None:
            kept.keep([at >= before_us for at in kept.at])
            if not kept.at:
                del self._samples[signal]

    def _batch(self) -> tuple[list[str], list[StoredSample]]:
        """Return the samples of the first signals, all of each, up to about `MOVED_AT_ONCE`."""
        signals: list[str] = []
        batch: list[StoredSample] = []
        for signal, kept in self._samples.items():
            if len(batch) >= MOVED_AT_ONCE:
                break
            signals.append(signal)
            batch += [StoredSample(signal, instant_of(at), v) for at, v in zip(kept.at, kept.values, strict=True)]
        return signals, batch
