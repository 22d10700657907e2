from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from agent.parts import Parts
from agent.snapshot import DecisionRun, PolicySnapshot
from scalers.policy import PolicyKey
from tests.fakes.engine import START, STEP, LoadSource, LoopClock, assigned, level, parts, played

CHAT = PolicyKey("ml", "chat")


def watched(look: Callable[[Parts], Awaitable[object]]) -> object:
    """Let two policies decide for two minutes over an hour of past, and look."""

    async def scenario() -> object:
        agent, source = parts(), LoadSource(level(60.0))
        await agent.engine.assign([assigned(source, name=name) for name in ("llm", "chat")])
        for each in agent.engine.watched:
            signal, _ = each.pairs()[0]
            past = await source.range(START - timedelta(hours=1), START - STEP, STEP)
            signal.take_past(fine=past.series)
        await agent.engine.fit(START)
        clock = LoopClock()
        for tick in range(9):
            await clock.sleep_until(START + tick * STEP)
            await agent.engine.tick(clock.now())
        seen = await look(agent)
        await agent.close()
        return seen

    return played(scenario())


def test_the_list_of_policies_is_sorted_and_without_series() -> None:
    async def look(agent: Parts) -> tuple[PolicySnapshot, ...]:
        return agent.book.snapshots()

    found = watched(look)
    assert isinstance(found, tuple)
    assert [str(each.key) for each in found] == ["ml/chat", "ml/llm"]
    assert [(dict(each.demand), dict(each.forecasts)) for each in found] == [({}, {}), ({}, {})]
    assert [each.decision.answer for each in found] == [5.0, 5.0]


def test_one_policy_is_shown_whole() -> None:
    async def look(agent: Parts) -> PolicySnapshot | None:
        return agent.book.snapshot(CHAT)

    found = watched(look)
    assert isinstance(found, PolicySnapshot)
    assert found.taken_at == START + 8 * STEP
    assert found.demand["demand"].end == START + 8 * STEP
    assert found.forecasts["demand"].model == "last-value"
    assert found.trust == ()  # nothing was lived yet
    assert [each.type for each in found.conditions] == ["Ready", "DataFresh", "ForecastTrusted", "TriggerInShadow"]


def test_a_policy_that_is_not_there_has_no_picture() -> None:
    async def look(agent: Parts) -> PolicySnapshot | None:
        return agent.book.snapshot(PolicyKey("ml", "other"))

    assert watched(look) is None


def test_a_picture_stays_as_it_was_taken() -> None:
    async def look(agent: Parts) -> bool:
        before = agent.book.snapshot(CHAT)
        assert before is not None
        rows = len(before.demand["demand"])
        await agent.engine.tick(START + 9 * STEP)
        return len(before.demand["demand"]) == rows and before.decision is not agent.book.snapshots()[0].decision

    assert watched(look) is True


def test_decisions_that_were_alike_are_one_run() -> None:
    async def look(agent: Parts) -> tuple[DecisionRun, ...]:
        return await agent.book.decisions(CHAT, since=START, until=START + timedelta(hours=1), limit=10)

    found = watched(look)
    assert isinstance(found, tuple)
    (run,) = found
    assert (run.since, run.until, run.count) == (START, START + 8 * STEP, 9)
    assert run.decision["answer"] == 5.0
