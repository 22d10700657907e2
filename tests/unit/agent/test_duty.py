"""Of several agents one decides: the others take up what it says, and go on from there when it is their turn."""

from __future__ import annotations

from datetime import timedelta

from agent.cluster.peers.journal import Journal
from agent.history.memory import MemoryStore
from agent.history.store import StoreLimits
from agent.parts import Parts
from agent.told import Told
from scalers.decision import Basis
from scalers.keda.board import Answer
from scalers.policy import PolicyKey
from tests.fakes.engine import (
    START,
    STEP,
    LoadSource,
    LoopClock,
    RecordingStore,
    assigned,
    counted,
    level,
    parts,
    played,
)
from tests.fakes.peers import told

CHAT, LLM = PolicyKey("ml", "chat"), PolicyKey("ml", "llm")


async def following(source: LoadSource, store: MemoryStore | None = None) -> Parts:
    """Return an agent that has one policy, and another that decides."""
    agent = parts(store, audience=Journal())
    agent.engine.rest()
    await agent.engine.assign([assigned(source)])
    return agent


def test_one_that_rests_asks_no_source_and_stores_nothing() -> None:
    source, store = LoadSource(level(60.0)), RecordingStore()

    async def scenario() -> None:
        agent = await following(source, store)
        await agent.engine.tick(START)
        await agent.engine.fit(START)
        await agent.close()

    played(scenario())
    assert source.asked == []
    assert store.events == []
    assert store.states("ml/chat/demand") == {}


def test_what_is_heard_answers_keda_and_is_shown() -> None:
    async def deciding() -> Told:
        journal = Journal()
        agent = parts(audience=journal)
        await agent.engine.assign([assigned(LoadSource(level(60.0)))])
        await agent.engine.tick(START)
        await agent.close()
        newest = journal.newest(CHAT)
        assert newest is not None
        return newest

    said = played(deciding())

    async def scenario() -> None:
        agent = await following(LoadSource(level(0.0)))
        agent.engine.heard(said)
        assert agent.board.answer(CHAT).replicas == 5.0
        (picture,) = agent.book.snapshots()
        assert picture.decision == said.decision
        assert picture.conditions == said.conditions
        assert counted(agent.telemetry, "foretide_keda_answer_replicas", namespace="ml", policy="chat") == 5.0
        basis = {"namespace": "ml", "policy": "chat", "basis": "learning"}
        assert counted(agent.telemetry, "foretide_decisions_total", **basis) is None, "it is counted where it was made"
        await agent.close()

    played(scenario())


def test_an_answer_that_is_not_heard_again_is_refused_once_it_is_too_old() -> None:
    async def scenario() -> None:
        agent = await following(LoadSource(level(60.0)))
        agent.engine.heard(told(5.0, age=30.0))
        await LoopClock().sleep_until(START + timedelta(minutes=10, seconds=1))
        answer = agent.board.answer(CHAT)
        assert answer.replicas is None
        assert "is 11 min old" in answer.reason, "the age counts from where it was made"
        await agent.close()

    played(scenario())


def test_an_answer_for_a_policy_that_is_not_known_yet_waits_for_it() -> None:
    async def scenario() -> None:
        agent = await following(LoadSource(level(60.0)))
        agent.engine.heard(told(7.0, LLM))
        await agent.engine.assign([assigned(LoadSource(level(60.0))), assigned(LoadSource(level(1.0)), name="llm")])
        assert agent.board.answer(LLM).replicas == 7.0
        await agent.close()

    played(scenario())


def test_a_follower_whose_board_is_full_is_ready() -> None:
    async def scenario() -> None:
        agent = await following(LoadSource(level(60.0)))
        assert not agent.board.is_ready()
        agent.engine.heard(told(5.0))
        assert agent.board.is_ready()
        await agent.close()

    played(scenario())


def test_who_takes_over_begins_with_what_was_answered_last() -> None:
    """Its source is silent: only what it has copied keeps the answer up."""
    store = MemoryStore(StoreLimits())

    async def scenario() -> tuple[Answer, Basis | None]:
        before = parts(store)
        await before.engine.assign([assigned(LoadSource(level(120.0)))])
        await before.engine.tick(START)
        await before.engine.flush()
        agent = await following(LoadSource(level(60.0)), store)
        agent.engine.heard(told(10.0))
        await agent.engine.take_over()
        assert agent.board.answer(CHAT).replicas == 10.0, "the answer stands until the first decision"
        (watched,) = agent.engine.watched
        await agent.engine.tick_policy(watched, LoopClock().now() + STEP)
        decision = watched.decider.decision
        await agent.close()
        await before.close()
        return agent.board.answer(CHAT), decision.basis if decision else None

    answer, basis = played(scenario())
    assert answer.replicas == 10.0
    assert basis is Basis.HELD


def test_one_that_led_forgets_what_it_knew_and_begins_again_with_what_others_kept() -> None:
    store = MemoryStore(StoreLimits())

    async def scenario() -> float | None:
        agent = parts(store, audience=Journal())
        await agent.engine.assign([assigned(LoadSource(level(60.0)))])
        await agent.engine.tick(START)
        agent.engine.rest()
        other = parts(store)
        await other.engine.assign([assigned(LoadSource(level(240.0)))])
        await other.engine.tick(START + STEP)
        agent.engine.heard(told(20.0))
        await agent.engine.take_over()
        (watched,) = agent.engine.watched
        await agent.engine.tick_policy(watched, START + 2 * STEP)
        await other.close()
        await agent.close()
        return agent.board.answer(CHAT).replicas

    assert played(scenario()) == 20.0


def test_a_decision_that_is_no_longer_its_own_to_make_is_not_published() -> None:
    """Another may have begun while a source was asked, or while this process stood still."""
    rights = [True, False]
    store = RecordingStore()

    async def scenario() -> Answer:
        agent = parts(store, may_decide=lambda: rights.pop(0) if len(rights) > 1 else rights[0])
        await agent.engine.assign([assigned(LoadSource(level(60.0)))])
        await agent.engine.tick(START)
        await agent.close()
        return agent.board.answer(CHAT)

    assert played(scenario()).replicas is None
    assert store.events == []


def test_one_that_decides_takes_nothing_up_from_others() -> None:
    async def scenario() -> float | None:
        agent = parts(audience=Journal())
        await agent.engine.assign([assigned(LoadSource(level(60.0)))])
        await agent.engine.tick(START)
        agent.engine.heard(told(40.0))
        await agent.close()
        return agent.board.answer(CHAT).replicas

    assert played(scenario()) == 5.0
