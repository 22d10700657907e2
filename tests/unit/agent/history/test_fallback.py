from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.history.fallback import FallbackStore
from agent.history.store import DataDirInUse, StoredDecision, StoredSample, StoreFailed, StoreLimits
from tests.fakes.history import FakeDisk

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STEP = timedelta(seconds=15)
LIMITS = StoreLimits()
FULL = StoreFailed("foretide.db: database or disk is full")
CORRUPT = StoreFailed("foretide.db: database disk image is malformed", is_corrupt=True)


class SteppedClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    async def sleep_until(self, instant: datetime) -> None:
        self.time = instant


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def disk() -> FakeDisk:
    return FakeDisk(LIMITS)


@pytest.fixture
def store(disk: FakeDisk, clock: SteppedClock) -> FallbackStore:
    return FallbackStore(disk, clock=clock, limits=LIMITS)


def sample(steps: int) -> StoredSample:
    return StoredSample("ml/chat/demand", NOON + steps * STEP, float(steps))


def row(minute: int, body: bytes = b"{}") -> StoredDecision:
    instant = NOON + timedelta(minutes=minute)
    return StoredDecision("ml/chat", instant, instant, 1, body)


def demand(store: FallbackStore) -> list[float]:
    return store.load_samples("ml/chat/demand", since=NOON, step=STEP).values.tolist()


def ledger(store: FallbackStore) -> list[StoredDecision]:
    return store.decisions("ml/chat", since=NOON, until=NOON + timedelta(days=1), limit=10)


def test_while_the_disk_works_memory_holds_nothing(store: FallbackStore, disk: FakeDisk):
    store.append_samples([sample(0)])

    assert len(disk.store.load_samples("ml/chat/demand", since=NOON, step=STEP)) == 1
    assert store.notes() == ()


def test_a_full_disk_is_told_and_nothing_is_lost_meanwhile(store: FallbackStore, disk: FakeDisk):
    store.append_samples([sample(0)])
    store.put_decision(row(0, b"old"), row(1))
    store.put_state("ml/chat", "trust", b"old")
    disk.store.trouble = FULL
    store.append_samples([sample(2)])
    store.put_decision(row(0, b"new"), row(2))
    store.put_state("ml/chat", "other", b"new")

    np.testing.assert_array_equal(demand(store), [0.0, np.nan, 2.0])
    assert ledger(store) == [row(2), row(0, b"new"), row(1)]
    assert store.states("ml/chat") == {"trust": b"old", "other": b"new"}
    assert store.notes() == (
        "2026-11-22 12:00:00 UTC: foretide.db: database or disk is full; what is new is kept in memory only and the "
        "disk is tried every 30 s: free space or mend the volume",
    )


def test_the_disk_is_tried_again_and_gets_what_memory_held(store: FallbackStore, disk: FakeDisk, clock: SteppedClock):
    disk.store.trouble = FULL
    store.append_samples([sample(0)])
    store.put_state("ml/chat", "trust", b"1")
    disk.store.trouble = None
    clock.time += timedelta(seconds=29)
    store.append_samples([sample(1)])
    assert len(disk.store.load_samples("ml/chat/demand", since=NOON, step=STEP)) == 0

    clock.time += timedelta(seconds=1)
    store.put_decision(row(0))

    assert disk.store.load_samples("ml/chat/demand", since=NOON, step=STEP).values.tolist() == [0.0, 1.0]
    assert disk.store.states("ml/chat") == {"trust": b"1"}
    assert disk.store.decisions("ml/chat", since=NOON, until=NOON, limit=1) == [row(0)]
    assert store.notes()[-1] == (
        "2026-11-22 12:00:30 UTC: the disk takes writes again; what was kept in memory is on it"
    )


def test_a_disk_that_fills_up_again_half_way_gets_the_rest_later(
    store: FallbackStore, disk: FakeDisk, clock: SteppedClock
):
    disk.store.trouble = FULL
    store.append_samples([sample(0)])
    store.put_decision(row(0))
    disk.store.trouble, disk.store.decision_trouble = None, FULL
    clock.time += timedelta(seconds=30)
    store.append_samples([sample(1)])
    assert (demand(store), ledger(store)) == ([0.0, 1.0], [row(0)])

    disk.store.decision_trouble = None
    clock.time += timedelta(seconds=30)
    store.append_samples([sample(2)])

    assert disk.store.sample_count == 3
    assert (demand(store), ledger(store)) == ([0.0, 1.0, 2.0], [row(0)])


def test_a_disk_that_stays_full_is_noted_once(store: FallbackStore, disk: FakeDisk, clock: SteppedClock):
    disk.store.trouble = FULL
    for steps in range(20):
        clock.time += timedelta(minutes=1)
        store.append_samples([sample(steps)])

    assert demand(store) == [float(steps) for steps in range(20)]
    assert len(store.notes()) == 1


def test_a_disk_that_cannot_be_read_leaves_what_memory_has(store: FallbackStore, disk: FakeDisk):
    store.put_decision(row(0))
    disk.store.is_readable = False

    assert ledger(store) == []
    store.put_decision(row(1))
    assert ledger(store) == [row(1)]


def test_a_corrupt_file_is_set_aside_and_the_write_goes_to_a_new_one(store: FallbackStore, disk: FakeDisk):
    disk.store.trouble = CORRUPT
    store.append_samples([sample(0)])

    assert [aside.is_closed for aside in disk.aside] == [True]
    assert len(disk.store.load_samples("ml/chat/demand", since=NOON, step=STEP)) == 1
    assert "the file was set aside as foretide.db.set-aside-1 and a new one begun" in store.notes()[0]


def test_a_file_that_is_corrupt_from_the_start_is_set_aside(disk: FakeDisk, clock: SteppedClock):
    disk.trouble = CORRUPT
    store = FallbackStore(disk, clock=clock, limits=LIMITS)
    store.append_samples([sample(0)])

    assert len(disk.aside) == 1
    assert len(disk.store.load_samples("ml/chat/demand", since=NOON, step=STEP)) == 1


def test_a_second_corrupt_file_at_once_is_a_broken_disk(store: FallbackStore, disk: FakeDisk):
    disk.store.trouble = CORRUPT
    store.append_samples([sample(0)])
    disk.store.trouble = CORRUPT
    store.append_samples([sample(1)])

    assert len(disk.aside) == 1
    assert demand(store) == [0.0, 1.0]


def test_a_file_found_corrupt_when_the_disk_is_tried_again_is_set_aside(
    store: FallbackStore, disk: FakeDisk, clock: SteppedClock
):
    disk.store.trouble = FULL
    store.append_samples([sample(0)])
    disk.store.trouble = CORRUPT
    for _ in range(2):
        clock.time += timedelta(seconds=30)
        store.append_samples([sample(1)])

    assert len(disk.aside) == 1
    assert disk.store.load_samples("ml/chat/demand", since=NOON, step=STEP).values.tolist() == [0.0, 1.0]


def test_a_disk_that_cannot_be_opened_at_start_is_tried_again(disk: FakeDisk, clock: SteppedClock):
    disk.trouble = StoreFailed("/data: Read-only file system")
    store = FallbackStore(disk, clock=clock, limits=LIMITS)
    store.append_samples([sample(0)])
    assert demand(store) == [0.0]

    disk.trouble = None
    clock.time += timedelta(seconds=30)
    store.append_samples([sample(1)])

    assert len(disk.store.load_samples("ml/chat/demand", since=NOON, step=STEP)) == 2


def test_a_full_disk_at_start_can_still_be_read(disk: FakeDisk, clock: SteppedClock):
    disk.store.put_decision(row(0))
    disk.store.trouble = FULL  # already when it is put in order

    store = FallbackStore(disk, clock=clock, limits=LIMITS)

    assert ledger(store) == [row(0)]


def test_what_was_forgotten_meanwhile_does_not_come_back(store: FallbackStore, disk: FakeDisk, clock: SteppedClock):
    store.append_samples([sample(0)])
    disk.store.trouble = FULL
    store.append_samples([sample(1)])
    store.forget(["ml/chat/demand"], before=NOON + timedelta(hours=1))
    disk.store.trouble = None
    clock.time += timedelta(seconds=30)
    store.put_state("ml/chat", "trust", b"1")

    assert demand(store) == []


def test_closing_tries_the_disk_a_last_time(store: FallbackStore, disk: FakeDisk):
    disk.store.trouble = FULL
    store.append_samples([sample(0)])
    disk.store.trouble = None
    store.close()

    assert len(disk.store.load_samples("ml/chat/demand", since=NOON, step=STEP)) == 1
    assert disk.is_released


def test_a_disk_that_another_agent_has_is_refused(disk: FakeDisk, clock: SteppedClock):
    disk.trouble = DataDirInUse("data directory /data is in use by process 7")

    with pytest.raises(DataDirInUse, match="in use by process 7"):
        FallbackStore(disk, clock=clock, limits=LIMITS)
