import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.history.ledger import Ledger
from agent.history.memory import MemoryStore
from agent.history.store import StoredDecision, StoreLimits
from scalers.decision import Basis, Decision, Replicas
from scalers.policy import PolicyKey
from tests.fakes.history import decided

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CHAT = PolicyKey("ml", "chat")
EVER = {"since": NOON - timedelta(days=1), "until": NOON + timedelta(days=1), "limit": 100}


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class CountingStore(MemoryStore):
    """A store in memory that counts what is written."""

    def __init__(self) -> None:
        super().__init__(StoreLimits())
        self.written = 0
        self.calls = 0

    def put_decision(self, *rows: StoredDecision) -> None:
        self.written += len(rows)
        self.calls += 1
        super().put_decision(*rows)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def ledger(store: CountingStore) -> Ledger:
    return Ledger(store, flush_every=timedelta(seconds=60))


def test_decisions_that_are_alike_are_one_row_with_the_newest_values(ledger: Ledger):
    for seconds, answer in ((0, 10.2), (15, 10.8), (30, 10.4)):
        ledger.record(decided(at(seconds), answer))

    (run,) = ledger.rows(CHAT, **EVER)

    assert (run.since, run.until, run.count) == (at(0), at(30), 3)
    assert run.decision["answer"] == 10.4


@pytest.mark.parametrize(
    "other",
    [
        decided(at(15), 11.2),
        decided(at(15), None),
        decided(at(15), 10.2, basis=Basis.REACTIVE),
        decided(at(15), 10.2, clamps=("min",)),
        decided(at(15), 10.2, replicas=Replicas(3, 3)),
        decided(at(15), 10.2, model="arima"),
        decided(at(15), 10.2, distrust="loses to reactive"),
        decided(at(-1), 10.2),
    ],
    ids=["ceil", "refusal", "basis", "clamps", "replicas", "model", "trust", "clock set back"],
)
def test_a_change_that_an_operator_would_notice_begins_a_row(ledger: Ledger, other: Decision):
    ledger.record(decided(at(0), 10.2))
    ledger.record(other)

    assert [run.since for run in ledger.rows(CHAT, **EVER)] == [other.at, at(0)]


def test_a_steady_run_is_written_once_a_minute(ledger: Ledger, store: CountingStore):
    for tick in range(21):  # five minutes of 15 s
        ledger.record(decided(at(15 * tick), 10.2))

    assert store.written == 6
    assert [(row.until, row.count) for row in store.decisions("ml/chat", **EVER)] == [(at(300), 21)]


def test_a_run_that_ends_is_written_with_its_end(ledger: Ledger, store: CountingStore):
    ledger.record(decided(at(0), 10.2))
    ledger.record(decided(at(15), 10.1))
    ledger.record(decided(at(30), 12.5))

    assert [(row.since, row.until, row.count) for row in store.decisions("ml/chat", **EVER)] == [
        (at(30), at(30), 1),
        (at(0), at(15), 2),
    ]


def test_a_graceful_stop_writes_what_goes_on(ledger: Ledger, store: CountingStore):
    ledger.record(decided(at(0), 10.2))
    ledger.record(decided(at(15), 10.1))
    ledger.flush()
    ledger.flush()

    assert [row.count for row in store.decisions("ml/chat", **EVER)] == [2]
    assert store.written == 2


def test_one_tick_of_many_policies_is_one_write(ledger: Ledger, store: CountingStore):
    ledger.record(*(decided(at(0), 3.0, name=f"p{i}") for i in range(50)))

    assert (store.written, store.calls) == (50, 1)


def test_the_last_answer_is_known_after_a_kill(ledger: Ledger, store: CountingStore):
    ledger.record(decided(at(0), 10.2))
    ledger.record(decided(at(15), 12.4))

    assert Ledger(store).last_answer(CHAT) == (12.4, at(15))


def test_a_rise_within_whole_replicas_is_kept_at_once_and_a_fall_is_not(ledger: Ledger, store: CountingStore):
    for seconds, answer in ((0, 10.2), (1, 10.8), (2, 10.4)):
        ledger.record(decided(at(seconds), answer))

    assert Ledger(store).last_answer(CHAT) == (10.8, at(1))
    assert store.written == 2


def test_the_last_answer_is_the_one_before_refusals(ledger: Ledger, store: CountingStore):
    ledger.record(decided(at(0), 10.2))
    ledger.record(decided(at(15), None, basis=Basis.REFUSED))

    assert ledger.last_answer(CHAT) == (10.2, at(0))
    assert Ledger(store).last_answer(CHAT) == (10.2, at(0))


def test_a_policy_that_never_answered_has_no_last_answer(ledger: Ledger):
    ledger.record(decided(at(0), None, basis=Basis.REFUSED))

    assert ledger.last_answer(CHAT) is None
    assert ledger.last_answer(PolicyKey("ml", "other")) is None


def test_a_forgotten_policy_begins_anew(ledger: Ledger, store: CountingStore):
    ledger.record(decided(at(0), 10.2))
    store.forget(["ml/chat"], before=at(1))
    ledger.forget(CHAT)

    assert ledger.last_answer(CHAT) is None
    assert ledger.rows(CHAT, **EVER) == ()


def test_rows_keep_to_their_window_and_limit(ledger: Ledger):
    for minute, answer in enumerate((1.0, 2.0, 3.0)):
        ledger.record(decided(at(60 * minute), answer))

    early = ledger.rows(CHAT, since=at(0), until=at(60), limit=9)
    newest = ledger.rows(CHAT, since=at(0), until=at(600), limit=1)

    assert [run.decision["answer"] for run in early] == [2.0, 1.0]
    assert [run.decision["answer"] for run in newest] == [3.0]


ANSWERS = st.sampled_from([9.2, 9.5, 9.9, 10.0, 10.4, 12.0, None])  # many within one number of whole replicas


@given(answers=st.lists(ANSWERS, min_size=1, max_size=30), hop=st.sampled_from([1, 15, 70]))
def test_whenever_the_process_dies_the_store_knows_an_answer_not_below_the_last(answers: list[float | None], hop: int):
    store = MemoryStore(StoreLimits())
    ledger, last = Ledger(store), None
    for tick, answer in enumerate(answers):
        ledger.record(decided(at(hop * tick), answer))
        last = last if answer is None else answer
        restarted = Ledger(store).last_answer(CHAT)

        assert (restarted is None) == (last is None)
        if restarted is not None and last is not None:
            assert last <= restarted[0] <= math.ceil(last)
