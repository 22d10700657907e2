"""What a follower gets that has no copy yet, or has not heard for long: the leader's store, policy by policy.

Old history can be read again from its source, so of samples there is a most; decisions and states are few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent.clock import Clock
from agent.cluster.peers.proto import peers_pb2 as proto
from agent.cluster.peers.wire import rows_message, series_messages, state_message
from agent.history.store import Store
from agent.history.thread import StoreThread
from scalers.policy import PolicyKey

_MOST_SAMPLES = 4_000_000  # over all signals, 12 bytes each
_MOST_ROWS = 200  # per policy: a page of `explain --at`, and the last answer many times over
# What may have been on its way when the follower heard for the last time, and a clock that differs.
_OVERLAP = timedelta(minutes=10)
_EVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """What belongs to one policy in the store."""

    key: PolicyKey
    history: timedelta
    signals: Sequence[tuple[str, timedelta]]  # name in the store, and step


class Copying:
    """Reads the store for followers; in the agent's loop, and the store in its thread."""

    def __init__(self, store: Store, storing: StoreThread, clock: Clock, kept: Callable[[], Iterable[Kept]]) -> None:
        """Copy from a store.

        Args:
            store: where from.
            storing: its thread.
            clock: the time.
            kept: the policies that there are.
        """
        self._store = store
        self._storing = storing
        self._clock = clock
        self._kept = kept

    async def policies(self) -> list[Kept]:
        """Return what is to be copied."""
        return list(self._kept())

    async def pages(self, kept: Kept, *, most_samples: int, complete_until: datetime | None) -> list[proto.Page]:
        """Return one policy's states, rows and samples.

        Args:
            kept: the policy.
            most_samples: the newest of each signal, at most.
            complete_until: what is older the follower has.
        """
        return await self._storing.call(self._read, kept, most_samples, complete_until, self._clock.now())

    def _read(self, kept: Kept, most_samples: int, complete_until: datetime | None, now: datetime) -> list[proto.Page]:
        lacking = _EVER[0] if complete_until is None else complete_until - _OVERLAP
        rows = self._store.decisions(str(kept.key), since=lacking, until=_EVER[1], limit=_MOST_ROWS)
        pages = [rows_message(rows[::-1])] if rows else []
        for owner in (str(kept.key), *(signal for signal, _ in kept.signals)):
            pages += [state_message(owner, name, body) for name, body in self._store.states(owner).items()]
        for signal, step in kept.signals:
            since = max(lacking, now - min(kept.history // step, most_samples) * step)
            pages += series_messages(signal, self._store.load_samples(signal, since=since, step=step))
        return pages


def share_of(policies: Sequence[Kept]) -> int:
    """Return how many samples of each signal are copied."""
    return _MOST_SAMPLES // max(1, sum(len(kept.signals) for kept in policies))
