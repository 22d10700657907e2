"""What outlives the process: samples, what the experts know, and each answer before KEDA has it.

A volume that hangs or is full costs durability, never an answer: it is told and counted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from agent.clock import Clock
from agent.history.ledger import Ledger
from agent.history.recording import Recording
from agent.history.store import Store, StoredSample, StoreFailed
from agent.history.thread import StoreThread
from agent.log import logger
from agent.telemetry import WorkTelemetry
from agent.watched import Watched
from scalers.decision import Decision
from scalers.policy import PolicyKey


class Keeper:
    """Keeps what policies at work have learned and answered, and gives it back to those that begin."""

    def __init__(
        self, *, clock: Clock, store: Store, storing: StoreThread, ledger: Ledger, telemetry: WorkTelemetry
    ) -> None:
        """Keep in a store, by its thread."""
        self._clock = clock
        self._store = store
        self._storing = storing
        self._ledger = ledger
        self._recording = Recording(ledger, storing)
        self._telemetry = telemetry
        self._told: frozenset[str] = frozenset()  # notes of the store that were logged
        self._taken: list[StoredSample] = []  # accepted and not stored yet
        self._log = logger("store")

    def take(self, sample: StoredSample) -> None:
        """Note a sample that is to be stored."""
        self._taken.append(sample)

    def forget(self, keys: Iterable[PolicyKey]) -> None:
        """Forget, not store, what memory knows: in the store it would come after what another agent has kept."""
        self._taken = []
        self.drop(keys)

    def drop(self, keys: Iterable[PolicyKey]) -> None:
        """Forget the last answers of policies."""
        for key in keys:
            self._ledger.forget(key)

    async def record(self, decision: Decision) -> None:
        """Write a decision to the ledger."""
        try:
            await self._recording.record(decision)
        except StoreFailed as error:
            self._telemetry.store_failed("put_decision")
            self._log.warning("decision_not_stored", policy=str(decision.key), error=str(error))

    async def flush(self) -> None:
        """Store the samples taken in since the last flush, and log what went wrong with the store, each once."""
        taken, self._taken = self._taken, []
        if taken:
            await self._storing.call(self._store.append_samples, taken)
        notes = await self._storing.call(self._store.notes)
        for note in notes:
            if note not in self._told:
                self._telemetry.store_failed("open")
                self._log.warning("store_degraded", note=note)
        self._told = frozenset(notes)

    async def keep(self, watched: Watched) -> None:
        """Store what the experts of a policy know, however long that takes."""
        await self._put(watched, self._storing.call)

    async def keep_capacity(self, watched: Watched) -> None:
        """Store what the experts know now that a capacity is taken up: their records are made anew with it."""
        try:
            await self._put(watched, self._storing.soon)
        except StoreFailed as error:
            self._telemetry.store_failed("put_state")
            self._log.warning("capacity_not_stored", policy=str(watched.key), error=str(error))

    async def restore(self, watched: Watched) -> None:
        """Give a policy that begins its last answer, and its experts what they knew."""
        try:
            await self._restore(watched)
        except StoreFailed as error:
            self._telemetry.store_failed("states")
            self._log.warning("policy_not_restored", policy=str(watched.key), error=str(error))

    async def expire(self, watched: Watched, now: datetime) -> None:
        """Drop what is older than a policy's history from the store."""
        owners = [str(watched.key), *(signal.stored_as for signal in watched.decider.signals.values())]
        before = now - watched.assignment.policy.history
        await self._storing.call(lambda: self._store.forget(owners, before=before))

    async def close(self) -> None:
        """Write what the ledger holds back."""
        await self._storing.call(self._ledger.flush)

    async def _put(self, watched: Watched, call: Callable[..., Awaitable[None]]) -> None:
        for signal in watched.decider.signals.values():
            for name, body in (signal.stored() | watched.sizing.stored(signal.policy.name)).items():
                await call(self._store.put_state, signal.stored_as, name, body)

    async def _restore(self, watched: Watched) -> None:
        last = await self._storing.soon(self._ledger.last_answer, watched.key)
        if last is not None:
            answer, at = last
            if self._clock.now() - at <= watched.assignment.policy.stale_data:
                watched.decider.restore_answer(answer=answer, at=self._clock.now())
        for name, signal in watched.decider.signals.items():
            stored = await self._storing.soon(self._store.states, signal.stored_as)
            learned = watched.sizing.restore(name, stored)
            if learned is not None:
                watched.decider.restore_capacity(name, learned)
            signal.restore(stored)
