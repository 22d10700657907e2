"""The decision ledger in SQLite, within a cap per policy. Who calls opens and commits the transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from agent.history.chunks import instant_of, microseconds
from agent.history.store import StoredDecision, StoreLimits

# A row that is replaced gets a new id: what was added last counts as the newest, also after a clock was set back.
_PUT = "INSERT OR REPLACE INTO decision (policy, since_us, until_us, count, body) VALUES (?, ?, ?, ?, ?)"
_FIND = """
    SELECT policy, since_us, until_us, count, body FROM decision
    WHERE policy = ? AND until_us >= ? AND since_us <= ? ORDER BY id DESC LIMIT ?
"""
_TRIM = """
    DELETE FROM decision WHERE policy = :policy AND id <= (
        SELECT max(id) FROM (
            SELECT id, row_number() OVER newest_first AS place, sum(length(body)) OVER newest_first AS size
            FROM decision WHERE policy = :policy WINDOW newest_first AS (ORDER BY id DESC)
        ) WHERE place > 1 AND (place > :rows OR size > :bytes)
    )
"""


class DecisionTable:
    """The table `decision`. "Newest" is what was added last, so that a clock set back hides nothing."""

    def __init__(self, connection: sqlite3.Connection, limits: StoreLimits) -> None:
        self._connection = connection
        self._limits = limits
        self._slack = max(1, limits.decision_rows // 16)  # rows that are trimmed at a time: a trim reads all of them
        self._puts_left: dict[str, int] = {}  # until the next trim, by policy

    def put(self, rows: Iterable[StoredDecision]) -> None:
        """Add rows or replace them; keep each policy within its cap."""
        for row in rows:
            times = microseconds(row.since), microseconds(row.until)
            self._connection.execute(_PUT, (row.policy, *times, row.count, row.body))
            left = self._puts_left.get(row.policy)
            left = self._room(row.policy) if left is None else left - 1
            self._puts_left[row.policy] = self._slack if left < 0 else left
            if left < 0:
                self._trim(row.policy)

    def find(self, policy: str, *, since: datetime, until: datetime, limit: int) -> list[StoredDecision]:
        """Return rows that touch [since, until], the newest first."""
        found = self._connection.execute(_FIND, (policy, microseconds(since), microseconds(until), limit))
        return [
            StoredDecision(policy, instant_of(since_us), instant_of(until_us), count, body)
            for policy, since_us, until_us, count, body in found
        ]

    def forget(self, policy: str, before: datetime) -> bool:
        """Drop the rows that end before an instant; return whether any are left."""
        self._connection.execute(
            "DELETE FROM decision WHERE policy = ? AND until_us < ?", (policy, microseconds(before))
        )
        left = self._connection.execute("SELECT 1 FROM decision WHERE policy = ? LIMIT 1", (policy,))
        return left.fetchone() is not None

    def _room(self, policy: str) -> int:
        row = self._connection.execute("SELECT count(*) FROM decision WHERE policy = ?", (policy,)).fetchone()
        return min(self._slack, self._limits.decision_rows - int(row[0]))

    def _trim(self, policy: str) -> None:
        rows = self._limits.decision_rows - self._slack
        self._connection.execute(_TRIM, {"policy": policy, "rows": rows, "bytes": self._limits.decision_bytes})
