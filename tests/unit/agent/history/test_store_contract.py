"""What every store promises, whatever it is made of."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.clock import SimulatedClock
from agent.history.memory import MemoryStore
from agent.history.opening import open_store
from agent.history.sqlite import SqliteStore
from agent.history.store import Store, StoredDecision, StoredSample, StoreLimits

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STEP = timedelta(seconds=15)
NAN = float("nan")
LIMITS = StoreLimits(decision_rows=32, decision_bytes=4000, samples_in_memory=100_000)
OPENERS: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(LIMITS),
    "sqlite": lambda folder: SqliteStore(folder / "foretide.db", LIMITS),
    "fallback": lambda folder: open_store(folder / "data", clock=SimulatedClock(NOON), limits=LIMITS),
}


@pytest.fixture(params=sorted(OPENERS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = OPENERS[request.param](tmp_path)
    yield opened
    opened.close()


def at(steps: int) -> datetime:
    return NOON + steps * STEP


def sample(steps: int, value: float, signal: str = "ml/chat/demand") -> StoredSample:
    return StoredSample(signal, at(steps), value)


def decision(minute: int, *, until: int | None = None, body: bytes = b"{}", count: int = 1) -> StoredDecision:
    ends = minute if until is None else until
    return StoredDecision("ml/chat", NOON + timedelta(minutes=minute), NOON + timedelta(minutes=ends), count, body)


def minutes(rows: list[StoredDecision]) -> list[float]:
    return [(row.since - NOON) / timedelta(minutes=1) for row in rows]


def found(store: Store, *, since: int = -10_000, until: int = 10_000, limit: int = 100) -> list[StoredDecision]:
    window = {"since": NOON + timedelta(minutes=since), "until": NOON + timedelta(minutes=until)}
    return store.decisions("ml/chat", **window, limit=limit)


def test_nothing_is_known_of_a_signal_that_never_came(store: Store):
    series = store.load_samples("ml/other/demand", since=NOON, step=STEP)

    assert (len(series), series.step) == (0, STEP)
    assert store.states("ml/other") == {}
    assert found(store) == []
    assert store.notes() == ()


def test_samples_come_back_on_their_grid_with_gaps(store: Store):
    for steps, value in ((0, 1.0), (1, 2.0), (4, 5.5)):
        store.append_samples([sample(steps, value), sample(steps, 99.0, "ml/other/demand")])

    series = store.load_samples("ml/chat/demand", since=NOON, step=STEP)

    assert series.start == NOON
    np.testing.assert_array_equal(series.values, [1.0, 2.0, NAN, NAN, 5.5])


def test_a_load_begins_where_it_is_told_to(store: Store):
    store.append_samples([sample(0, 1.0), sample(1, 2.0), sample(2, 3.0)])

    assert store.load_samples("ml/chat/demand", since=at(1), step=STEP).values.tolist() == [2.0, 3.0]
    assert len(store.load_samples("ml/chat/demand", since=at(3), step=STEP)) == 0


def test_late_samples_find_their_place_and_the_later_of_two_stays(store: Store):
    store.append_samples([sample(5, 5.0)])
    store.append_samples([sample(3, 3.0)])
    store.append_samples([sample(5, 55.0)])

    series = store.load_samples("ml/chat/demand", since=at(0), step=STEP)

    np.testing.assert_array_equal(series.values, [3.0, NAN, 55.0])


def test_a_thousand_ticks_come_back_whole(store: Store):
    for steps in range(1000):
        store.append_samples([sample(steps, float(steps))])

    series = store.load_samples("ml/chat/demand", since=NOON, step=STEP)

    np.testing.assert_array_equal(series.values, np.arange(1000.0))


def test_a_huge_sample_stays_finite(store: Store):
    store.append_samples([sample(0, 1e300)])

    assert np.isfinite(store.load_samples("ml/chat/demand", since=NOON, step=STEP).values).all()


def test_an_empty_tick_changes_nothing(store: Store):
    store.append_samples([])

    assert len(store.load_samples("ml/chat/demand", since=NOON, step=STEP)) == 0


def test_the_newest_state_replaces_the_one_before(store: Store):
    store.put_state("ml/chat/demand", "harmonic", b"old")
    store.put_state("ml/chat/demand", "harmonic", b"new")
    store.put_state("ml/chat/demand", "arima", b"\x00")

    assert store.states("ml/chat/demand") == {"harmonic": b"new", "arima": b"\x00"}


def test_ledger_rows_come_newest_first_within_the_window_and_limit(store: Store):
    store.put_decision(decision(0, until=4), decision(5, until=9), decision(10, until=14))

    assert minutes(found(store)) == [10, 5, 0]
    assert minutes(found(store, since=4, until=5)) == [5, 0]
    assert minutes(found(store, limit=1)) == [10]


def test_a_run_that_goes_on_replaces_its_row(store: Store):
    store.put_decision(decision(0, until=1, count=4))
    store.put_decision(decision(0, until=2, count=8, body=b'{"answer":3}'))

    assert found(store) == [decision(0, until=2, count=8, body=b'{"answer":3}')]


def test_newest_is_what_was_added_last_even_when_the_clock_was_set_back(store: Store):
    store.put_decision(decision(60))
    store.put_decision(decision(0))

    assert minutes(found(store)) == [0, 60]


def test_the_ledger_keeps_the_newest_rows_within_its_cap(store: Store):
    for minute in range(50):
        store.put_decision(decision(minute))

    kept = minutes(found(store))

    assert kept[:30] == list(range(49, 19, -1))
    assert len(kept) <= 32


def test_the_ledger_keeps_within_its_bytes(store: Store):
    for minute in range(40):
        store.put_decision(decision(minute, body=b"x" * 1000))

    kept = found(store)

    assert minutes(kept)[:3] == [39, 38, 37]
    assert sum(len(row.body) for row in kept) <= 4000 + 2 * 1000  # a sixteenth of the rows more


def test_a_row_larger_than_the_cap_is_still_the_newest_answer(store: Store):
    for minute in range(5):
        store.put_decision(decision(minute, body=b"x" * 9000))

    assert minutes(found(store))[0] == 4


def test_forgetting_drops_the_old_and_keeps_the_new(store: Store):
    for steps in range(300):
        store.append_samples([sample(steps, float(steps)), sample(steps, 1.0, "ml/other/demand")])
    store.put_decision(decision(0), decision(30, until=90))

    store.forget(["ml/chat/demand", "ml/chat"], before=NOON + timedelta(hours=1))

    assert store.load_samples("ml/chat/demand", since=at(240), step=STEP).values.tolist() == list(np.arange(240.0, 300))
    assert len(store.load_samples("ml/other/demand", since=NOON, step=STEP)) == 300
    assert minutes(found(store)) == [30]


def test_an_owner_of_whom_nothing_is_left_loses_its_states(store: Store):
    store.append_samples([sample(0, 1.0)])
    store.put_state("ml/chat/demand", "harmonic", b"fitted")

    store.forget(["ml/chat/demand"], before=NOON)
    assert store.states("ml/chat/demand") == {"harmonic": b"fitted"}

    store.forget(["ml/chat/demand", "ml/never-seen"], before=at(1))
    assert store.states("ml/chat/demand") == {}
    assert len(store.load_samples("ml/chat/demand", since=NOON, step=STEP)) == 0
