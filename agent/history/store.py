"""The store port: what outlives the process. All calls block; the engine makes them off its loop, from any thread."""

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
    value: float  # demand units, kept as float32; a gap is not stored


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """One row of the ledger: a decision and how long it went on unchanged."""

    policy: str  # "namespace/name"
    since: datetime
    until: datetime
    count: int  # decisions that were alike
    body: bytes  # the newest of them, JSON


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """How much is kept, whatever comes in."""

    decision_rows: int = 2000  # per policy: two weeks of a change every ten minutes
    decision_bytes: int = 4 * 1024 * 1024  # per policy; checked now and then, so a sixteenth more may stand for a while
    samples_in_memory: int = 8_000_000  # over all signals, 12 bytes each


class StoreFailed(Exception):
    """The store behind the port could not do its work. Close it and open it again before the next try.

    Attributes:
        is_corrupt: whether the file itself is at fault, so that trying again cannot help.
    """

    def __init__(self, message: str, *, is_corrupt: bool = False) -> None:
        super().__init__(message)
        self.is_corrupt = is_corrupt


class DataDirInUse(StoreFailed):
    """Another agent has the data directory; the message names it and the mend."""


class Store(Protocol):
    """Samples, model states, the decision ledger. Nothing acknowledged is lost on a crash of the process."""

    def append_samples(self, samples: Sequence[StoredSample]) -> None:
        """Keep one tick's samples of all signals; of two samples of one signal and instant the later stays."""
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

    def put_decision(self, *rows: StoredDecision) -> None:
        """Add ledger rows, or replace the row of the same policy and `since` (a run that went on); all or none.

        What is acknowledged also outlives a loss of power where the store is a file: an answer that KEDA had cannot
        be asked for again anywhere else.
        """
        ...

    def decisions(self, policy: str, *, since: datetime, until: datetime, limit: int) -> list[StoredDecision]:
        """Return ledger rows that touch [since, until], the newest added first, at most `limit`."""
        ...

    def forget(self, owners: Iterable[str], *, before: datetime) -> None:
        """Drop what is older than `before` for the named owners (signals and policies).

        Samples may stay a little longer than they should, as long as they share a stored piece with newer ones. An
        owner of whom nothing is left loses its states too.
        """
        ...

    def notes(self) -> tuple[str, ...]:
        """Return sentences about what went wrong and how it was met (a corrupt file set aside, a full disk)."""
        ...

    def close(self) -> None:
        """Finish writing and release the file."""
        ...
