"""Samples in SQLite: a blob per tick and shard, turned into chunks per signal once many have come together.

Signals are dealt out to shards by their number, so that the work of turning ticks into chunks falls on many ticks and
none of them is long. Who calls opens and commits the transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from agent.history.chunks import POINT, TICK, Points, chunks, microseconds, points_of, series_of, tick_rows
from agent.history.store import StoredSample
from forecasters.series import Series

SHARDS = 32
COMPACT_AFTER = 240  # ticks: an hour of 15 s steps; shorter chunks cost more reads, longer ones a longer tick


class SampleTables:
    """The tables `signal`, `tick` and `chunk`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = dict(connection.execute("SELECT name, id FROM signal"))
        self._waiting = [0] * SHARDS  # ticks not yet in chunks, by shard
        for shard, count in connection.execute("SELECT shard, count(*) FROM tick GROUP BY shard"):
            self._waiting[shard] = count

    def append(self, samples: Sequence[StoredSample]) -> None:
        """Write one tick, and compact at most one shard."""
        self._number(samples)
        rows = tick_rows([self._numbers[sample.signal] for sample in samples], samples)
        shards = rows["signal"] % SHARDS
        for shard in np.unique(shards).tolist():
            part = rows[shards == shard]
            self._connection.execute(
                "INSERT INTO tick (shard, oldest_us, body) VALUES (?, ?, ?)",
                (shard, int(part["at"].min()), part.tobytes()),
            )
            self._waiting[shard] += 1
        self.compact_fullest(COMPACT_AFTER)

    def compact_fullest(self, least: int) -> bool:
        """Compact the shard with the most ticks if it has `least` or more; return whether it had."""
        shard = max(range(SHARDS), key=self._waiting.__getitem__)
        if self._waiting[shard] < least:
            return False
        self._compact(shard)
        return True

    def load(self, signal: str, *, since: datetime, step: timedelta) -> Series:
        """Return one signal's samples, the chunks first and then what still lies in ticks."""
        number = self._numbers.get(signal)
        parts = [np.empty(0, dtype=POINT)]
        if number is not None:
            found = self._connection.execute(
                "SELECT start_us, step_us, body FROM chunk WHERE signal = ? AND until_us >= ? ORDER BY id",
                (number, microseconds(since)),
            )
            parts += [points_of(*row) for row in found]
            parts += self._in_ticks(number)
        return series_of(np.concatenate(parts), since=since, step=step)

    def forget(self, signal: str, before: datetime) -> bool:
        """Drop the chunks that end before an instant; return whether anything of the signal is left."""
        number = self._numbers.get(signal)
        if number is None:
            return False
        limit, shard = microseconds(before), number % SHARDS
        old = "SELECT 1 FROM tick WHERE shard = ? AND oldest_us < ? LIMIT 1"
        if self._connection.execute(old, (shard, limit)).fetchone():
            self._compact(shard)
        self._connection.execute("DELETE FROM chunk WHERE signal = ? AND until_us < ?", (number, limit))
        if self._connection.execute("SELECT 1 FROM chunk WHERE signal = ? LIMIT 1", (number,)).fetchone():
            return True
        return any(len(points) for points in self._in_ticks(number))

    def _number(self, samples: Sequence[StoredSample]) -> None:
        for signal in {sample.signal for sample in samples}.difference(self._numbers):
            cursor = self._connection.execute("INSERT INTO signal (name) VALUES (?) RETURNING id", (signal,))
            self._numbers[signal] = cursor.fetchone()[0]

    def _in_ticks(self, number: int) -> list[Points]:
        bodies = self._connection.execute("SELECT body FROM tick WHERE shard = ? ORDER BY id", (number % SHARDS,))
        ticks = (np.frombuffer(body, dtype=TICK) for (body,) in bodies)
        return [tick[tick["signal"] == number][["at", "value"]].astype(POINT) for tick in ticks]

    def _compact(self, shard: int) -> None:
        bodies = self._connection.execute("SELECT body FROM tick WHERE shard = ? ORDER BY id", (shard,))
        rows = np.frombuffer(b"".join(body for (body,) in bodies), dtype=TICK)
        self._connection.executemany(
            "INSERT INTO chunk (signal, start_us, until_us, step_us, body) VALUES (?, ?, ?, ?, ?)",
            ((chunk.signal, chunk.start_us, chunk.until_us, chunk.step_us, chunk.body) for chunk in chunks(rows)),
        )
        self._connection.execute("DELETE FROM tick WHERE shard = ?", (shard,))
        self._waiting[shard] = 0
