from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from agent.history.ledger import Ledger
from agent.history.memory import MemoryStore
from agent.history.recording import Recording
from agent.history.store import StoredDecision, StoreFailed, StoreLimits
from agent.history.thread import StoreThread
from scalers.decision import Decision
from scalers.policy import PolicyKey
from tests.fakes.history import decided

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class CountingStore(MemoryStore):
    """A store in memory that counts the rows of each write, or refuses it."""

    def __init__(self) -> None:
        super().__init__(StoreLimits())
        self.writes: list[int] = []
        self.fault: Exception | None = None

    def put_decision(self, *rows: StoredDecision) -> None:
        self.writes.append(len(rows))
        if self.fault is not None:
            raise self.fault
        super().put_decision(*rows)


class BusyDisk:
    """A store whose thread does something else until it is set free."""

    def __init__(self) -> None:
        self.store = CountingStore()
        self.storing = StoreThread()
        self.recording = Recording(Ledger(self.store), self.storing)
        self.free = threading.Event()

    async def begun(self, count: int) -> list[asyncio.Task[None]]:
        """Begin to record so many decisions, and return when all wait."""
        busy = asyncio.create_task(self.storing.call(self.free.wait, 10))
        tasks = [asyncio.create_task(self.recording.record(policy(number))) for number in range(count)]
        await asyncio.sleep(0)
        assert not busy.done()
        return tasks

    def last_answer(self, number: int) -> tuple[float, datetime] | None:
        """Return what the store alone knows."""
        return Ledger(self.store).last_answer(PolicyKey("ml", f"policy-{number}"))


@pytest.fixture
async def disk() -> AsyncIterator[BusyDisk]:
    disk = BusyDisk()
    yield disk
    disk.free.set()
    disk.storing.close()


def policy(number: int) -> Decision:
    return decided(NOON, 3.0, name=f"policy-{number}")


async def test_decisions_that_come_while_the_disk_is_busy_are_written_together(disk: BusyDisk) -> None:
    tasks = await disk.begun(250)
    disk.free.set()
    await asyncio.gather(*tasks)
    assert disk.store.writes == [100, 100, 50]
    assert [disk.last_answer(number) for number in (0, 249)] == [(3.0, NOON)] * 2


async def test_a_decision_is_in_the_store_before_its_caller_goes_on(disk: BusyDisk) -> None:
    for number in range(3):
        await disk.recording.record(policy(number))
        assert disk.last_answer(number) == (3.0, NOON)
    assert disk.store.writes == [1, 1, 1]


async def test_a_write_that_goes_wrong_is_told_to_all_whose_decisions_were_in_it(disk: BusyDisk) -> None:
    tasks = await disk.begun(40)
    disk.store.fault = StoreFailed("no space left")
    disk.free.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in found] == [StoreFailed] * 40
    assert disk.store.writes == [40]


async def test_a_decision_whose_caller_has_given_up_is_not_written_later(disk: BusyDisk) -> None:
    first, *others = await disk.begun(5)
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    disk.free.set()
    await first
    assert disk.store.writes == [1]
    assert disk.last_answer(0) == (3.0, NOON)
