"""The store port: what outlives the process. All calls block; the engine makes them off its loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from forecasters.series import Series


@dataclass(frozen=True, slots=True)
class StoredSample:
    """One sample of one signal, as it was taken in."""

    signal: str  # "namespace/policy/signal"
    at: datetime  # on the grid of the signal's step
    value: float  # demand units; a gap is not stored


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """One row of the ledger: a decision and how long it went on unchanged."""

    policy: str  # "namespace/name"
    since: datetime
    until: datetime
    count: int  # decisions that were alike
    body: bytes  # the newest of them, JSON


class Store(Protocol):
    """Samples, model states, the decision ledger. Nothing acknowledged is lost on a crash."""

    def append_samples(self, samples: Sequence[StoredSample]) -> None:
        """Keep one tick's samples of all signals."""
        ...

    def load_samples(self, signal: str, *, since: datetime, step: timedelta) -> Series:
        """Return the kept samples from an instant on, gaps as NaN; empty when there are none."""
        ...

    def put_state(self, owner: str, name: str, body: bytes) -> None:
        """Keep the newest state of something, such as a fitted model, under its owner and name."""
        ...

    def states(self, owner: str) -> dict[str, bytes]:
        """Return the newest states of an owner by name."""
        ...

    def put_decision(self, row: StoredDecision) -> None:
        """Add a ledger row, or replace the row of the same policy and `since` (a run that went on)."""
        ...

    def decisions(self, policy: str, *, since: datetime, until: datetime, limit: int) -> list[StoredDecision]:
        """Return ledger rows that touch [since, until], newest first, at most `limit`."""
        ...

    def forget(self, owners: Iterable[str], *, before: datetime) -> None:
        """Drop what is older than `before` for the named owners (signals and policies)."""
        ...

    def notes(self) -> tuple[str, ...]:
        """Return sentences about what went wrong and how it was met (a corrupt file set aside, a full disk)."""
        ...

    def close(self) -> None:
        """Finish writing and release the file."""
        ...
