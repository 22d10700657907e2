"""A store whose leader's followers get all that it keeps, once it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from agent.cluster.peers.journal import Journal
from agent.cluster.peers.wire import rows_message, samples_message, state_message
from agent.history.store import Store, StoredDecision, StoredSample
from forecasters.series import Series


class SharedStore:
    """The store port over another store. What a follower is told goes past it, into the other one."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store = store
        self._journal = journal

    def append_samples(self, samples: Sequence[StoredSample]) -> None:
        """Keep one tick's samples of all signals."""
        self._store.append_samples(samples)
        if samples and self._journal.term:
            self._journal.wrote(samples_message(samples))

    def load_samples(self, signal: str, *, since: datetime, step: timedelta) -> Series:
        """Return the kept samples from an instant on."""
        return self._store.load_samples(signal, since=since, step=step)

    def put_state(self, owner: str, name: str, body: bytes) -> None:
        """Keep the newest state of something."""
        self._store.put_state(owner, name, body)
        self._journal.wrote(state_message(owner, name, body))

    def states(self, owner: str) -> dict[str, bytes]:
        """Return the newest states of an owner by name."""
        return self._store.states(owner)

    def put_decision(self, *rows: StoredDecision) -> None:
        """Add or replace ledger rows."""
        self._store.put_decision(*rows)
        self._journal.wrote(rows_message(rows))

    def decisions(self, policy: str, *, since: datetime, until: datetime, limit: int) -> list[StoredDecision]:
        """Return ledger rows that touch [since, until], the newest added first."""
        return self._store.decisions(policy, since=since, until=until, limit=limit)

    def forget(self, owners: Iterable[str], *, before: datetime) -> None:
        """Drop what is older than `before`; each follower does so by itself."""
        self._store.forget(owners, before=before)

    def notes(self) -> tuple[str, ...]:
        """Return what went wrong."""
        return self._store.notes()

    def close(self) -> None:
        """Release the file."""
        self._store.close()
