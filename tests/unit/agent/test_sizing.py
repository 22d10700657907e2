"""A capacity is learned while the agent runs, from a service that misses its objective above what it can serve."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agent.history.memory import MemoryStore
from agent.history.store import StoreFailed, StoreLimits
from agent.parts import Parts
from agent.policy.objectives import ALL_KEPT, Lesson, Question
from agent.sizing import Learning, Objective, SizedSignal
from agent.snapshot import Condition
from agent.sources.source import Reading, Sample, Source, SourceError
from agent.watched import Assignment
from forecasters.series import EPOCH
from scalers.capacity.learning import LearningPolicy
from scalers.capacity.objective import Limit
from scalers.decision import Replicas, SignalInput
from tests.fakes.engine import (
    START,
    KnownReplicas,
    LoadSource,
    NoPast,
    assigned,
    counted,
    level,
    never,
    parts,
    played,
    source_error,
)
from tests.fakes.situations import NOON, a_policy, a_signal

MINUTE = timedelta(minutes=1)
CHAT = a_policy().key
SERVING = Replicas(4, 4)
TTFT = Question("ttft", "ttft", Limit(2.0))
LESSON = Lesson(LearningPolicy(declared=12.0, limit=ALL_KEPT, window=timedelta(minutes=5)), (TTFT,))


def wave(least: float, most: float) -> Callable[[datetime], float]:
    """Return a demand that goes up and down every two hours."""
    middle, reach = (most + least) / 2.0, (most - least) / 2.0
    return lambda at: middle - reach * math.cos(2.0 * math.pi * ((at - EPOCH) / timedelta(hours=2)))


def lately(demand: Callable[[datetime], float], at: datetime) -> float:
    """Return the mean demand of the five minutes over which the objective averages."""
    return sum(demand(at - minute * MINUTE) for minute in range(6)) / 6.0


def first_token(demand: Callable[[datetime], float], *, capacity: float) -> LoadSource:
    """Return the time to the first token of four replicas, each of which saturates at a capacity."""
    return LoadSource(lambda at: 1.0 if lately(demand, at) / 4.0 <= capacity else 5.0)


def taught_by(demand: Callable[[datetime], float], objective: Source | SourceError) -> Assignment:
    """Return a policy at a step of a minute that declares 12 and learns from one objective."""
    signal = replace(a_policy().signals[0], step=MINUTE)
    learning = {"demand": Learning(LESSON, (Objective("ttft", TTFT.limit, objective),))}
    return replace(assigned(LoadSource(demand), signals=(signal,)), learning=learning)


async def lived(agent: Parts, assignment: Assignment, *, hours: float, since: datetime = START) -> None:
    await agent.engine.assign([assignment])
    for minute in range(int(hours * 60)):
        await agent.engine.tick(since + minute * MINUTE)
        if minute % 60 == 0:
            await agent.engine.fit(since + minute * MINUTE)


def known(agent: Parts) -> tuple[SignalInput, Condition]:
    """Return what the newest decision knew of the signal, and the condition about its capacity."""
    (watched,) = agent.engine.watched
    assert watched.decider.decision is not None
    (condition,) = [each for each in watched.conditions if each.type == "CapacityKnown"]
    return watched.decider.decision.signals[0], condition


def after(
    demand: Callable[[datetime], float],
    objective: Source | SourceError,
    *,
    hours: float,
    replicas: Replicas | None = SERVING,
) -> tuple[SignalInput, Condition]:
    """Let the agent run for some hours, and return what it knows then."""

    async def scenario() -> tuple[SignalInput, Condition]:
        there = {} if replicas is None else {CHAT: replicas}
        agent = parts(replicas=KnownReplicas(there))
        await lived(agent, taught_by(demand, objective), hours=hours)
        found = known(agent)
        await agent.close()
        return found

    return played(scenario())


def test_the_capacity_of_a_service_that_saturates_is_learned_while_it_runs() -> None:
    """It serves 8 where 12 was declared; the loads of its replicas go from 5 to 14.

    A limit that is sharper than the sharpest that is looked for is learned as up to a tenth less.
    """
    demand = wave(20.0, 56.0)
    signal, condition = after(demand, first_token(demand, capacity=8.0), hours=12)

    assert 7.2 < signal.capacity < 8.0
    assert signal.learned is not None
    assert signal.learned.capacity == signal.capacity
    assert signal.learned.sentence.startswith("capacity 7.")
    assert signal.learned.sentence.endswith("; declared 12")
    assert (condition.status, condition.reason) == (True, "Learned")
    assert signal.learned.sentence in condition.message


def test_a_service_that_serves_more_than_was_declared_gets_fewer_replicas() -> None:
    async def scenario() -> tuple[float, float, float]:
        demand = wave(24.0, 100.0)
        agent = parts(replicas=KnownReplicas({CHAT: SERVING}))
        assignment = taught_by(demand, first_token(demand, capacity=20.0))
        await lived(agent, assignment, hours=1)
        (watched,) = agent.engine.watched
        before = watched.decider.decision
        await lived(agent, assignment, hours=12, since=START + timedelta(hours=1))
        after = watched.decider.decision
        await agent.close()
        assert before is not None
        assert after is not None
        return before.raw_need or 0.0, after.raw_need or 0.0, demand(after.at) / demand(before.at)

    before, after_, grown = played(scenario())
    assert after_ / grown == pytest.approx(before * 12.0 / 20.0, rel=0.1)


def test_a_restart_goes_on_with_what_was_learned() -> None:
    async def scenario() -> tuple[SignalInput, SignalInput, float]:
        demand, store = wave(20.0, 56.0), MemoryStore(StoreLimits())
        assignment = taught_by(demand, first_token(demand, capacity=8.0))
        first = parts(store, replicas=KnownReplicas({CHAT: SERVING}))
        await lived(first, assignment, hours=8)
        before, _ = known(first)
        await first.engine.close()
        second = parts(store)  # nobody knows its replicas: it can learn nothing
        await second.engine.assign([assignment])
        await second.engine.tick(START + timedelta(hours=8))
        (watched,) = second.engine.watched
        after, _ = known(second)
        await first.close()
        return before, after, watched.decider.signals["demand"].peaks.capacity

    before, after, simulated = played(scenario())
    assert before.learned is not None
    assert after.learned == before.learned
    assert after.capacity == before.capacity == simulated


def test_a_damaged_state_is_learned_anew() -> None:
    async def scenario() -> tuple[SignalInput, Condition]:
        store = MemoryStore(StoreLimits())
        for name in ("capacity/learner", "capacity/in use"):
            store.put_state("ml/chat/demand", name, b"FTD1 and nothing of use")
        agent = parts(store, replicas=KnownReplicas({CHAT: SERVING}))
        await lived(agent, taught_by(level(40.0), LoadSource(level(1.0))), hours=0.1)
        found = known(agent)
        await agent.close()
        return found

    signal, condition = played(scenario())
    assert (signal.capacity, signal.learned) == (12.0, None)
    assert (condition.status, condition.reason) == (None, "Learning")


def test_a_capacity_that_cannot_be_stored_counts_all_the_same() -> None:
    class FullStore(MemoryStore):
        def put_state(self, owner: str, name: str, body: bytes) -> None:
            raise StoreFailed(f"no room for {name} of {owner}, {len(body)} bytes")

    async def scenario() -> tuple[SignalInput, float | None]:
        demand, agent = wave(20.0, 56.0), parts(FullStore(StoreLimits()), replicas=KnownReplicas({CHAT: SERVING}))
        await lived(agent, taught_by(demand, first_token(demand, capacity=8.0)), hours=3)
        signal, _ = known(agent)
        failures = counted(agent.telemetry, "foretide_store_errors_total", operation="put_state")
        await agent.fits.close()
        return signal, failures

    signal, failures = played(scenario())
    assert 6.0 < signal.capacity < 8.0
    assert failures == 1


def test_an_objective_that_is_missing_teaches_nothing_and_says_what_to_mend() -> None:
    demand = wave(20.0, 56.0)
    silent = first_token(demand, capacity=8.0)
    silent.trouble = source_error()
    signal, condition = after(demand, silent, hours=3)

    assert (signal.capacity, signal.learned) == (12.0, None)
    assert (condition.status, condition.reason) == (None, "ObjectiveMissing")
    assert "0 of 60 samples are there" in condition.message
    assert condition.message.endswith("objective ttft: connection refused; start the server")


def test_an_objective_told_from_old_data_teaches_nothing() -> None:
    demand = wave(20.0, 56.0)

    async def late(now: datetime) -> Reading:
        return Reading(Sample(now, 5.0), newest=now - timedelta(minutes=4))

    signal, condition = after(demand, NoPast(late), hours=3)
    assert (signal.capacity, condition.reason) == (12.0, "ObjectiveMissing")
    assert "objective ttft: no samples since" in condition.message


def test_a_rollout_teaches_nothing() -> None:
    demand = wave(20.0, 56.0)
    signal, condition = after(
        demand, first_token(demand, capacity=8.0), hours=3, replicas=Replicas(4, 4, is_rolling_out=True)
    )

    assert (signal.capacity, condition.reason) == (12.0, "Learning")
    assert "0 of 60 samples are there" in condition.message


def test_replicas_that_nobody_knows_teach_nothing_and_no_objective_is_asked_for() -> None:
    objective = LoadSource(level(5.0))
    signal, condition = after(level(40.0), objective, hours=2, replicas=None)

    assert (signal.capacity, condition.reason) == (12.0, "ReplicasUnknown")
    assert objective.asked == []


def test_an_idle_service_never_raises_its_capacity() -> None:
    """A tenth of what it could serve, for half a day: nothing was missed, and nothing is known of the limit."""
    demand = wave(8.0, 20.0)
    signal, condition = after(demand, first_token(demand, capacity=50.0), hours=12)

    assert (signal.capacity, signal.learned) == (12.0, None)
    assert (condition.status, condition.reason) == (None, "LimitNotSeen")


def test_a_service_that_became_slower_is_told_of() -> None:
    """From 10 to 6 per replica after ten hours; for a day the condition says so."""

    async def scenario() -> tuple[list[tuple[bool | None, str]], SignalInput, Condition]:
        demand = wave(20.0, 56.0)
        slower = START + timedelta(hours=10)
        objective = LoadSource(lambda at: 1.0 if lately(demand, at) / 4.0 <= (10.0 if at < slower else 6.0) else 5.0)
        agent = parts(replicas=KnownReplicas({CHAT: SERVING}))
        assignment = taught_by(demand, objective)
        await lived(agent, assignment, hours=10)
        told = []
        for minute in range(300):
            await agent.engine.tick(slower + minute * MINUTE)
            signal, condition = known(agent)
            if (condition.status, condition.reason) not in told:
                told.append((condition.status, condition.reason))
        await agent.close()
        return told, signal, condition

    told, signal, condition = played(scenario())
    assert told == [(True, "Learned"), (False, "CapacityFell")]
    assert 5.4 < signal.capacity < 6.0
    assert re.search(r"it fell from 8[.\d]* at 2026-03-03 \d\d:\d\d UTC: see what changed$", condition.message)


def test_an_objective_that_hangs_delays_no_answer() -> None:
    async def scenario() -> tuple[float, float]:
        agent, loop = parts(replicas=KnownReplicas({CHAT: SERVING})), asyncio.get_running_loop()
        await agent.engine.assign([taught_by(level(40.0), NoPast(never))])
        answered: list[float] = []
        agent.board.subscribe(CHAT, lambda: answered.append(loop.time()))
        await agent.engine.tick(START)
        ended = loop.time()
        await agent.close()
        return answered[0], ended

    assert played(scenario()) == (0.0, 10.0)


def test_where_no_objective_can_be_read_the_condition_says_why() -> None:
    async def scenario() -> Condition:
        agent = parts(replicas=KnownReplicas({CHAT: SERVING}))
        lesson = replace(LESSON, questions=(), trouble="there is no objective 'wait': name one of `objectives` (none)")
        assignment = replace(assigned(LoadSource(level(40.0))), learning={"demand": Learning(lesson, ())})
        await lived(agent, assignment, hours=0.1)
        _, condition = known(agent)
        await agent.close()
        return condition

    condition = played(scenario())
    assert (condition.status, condition.reason) == (False, "NoObjective")
    assert condition.message == "12 per replica stands: there is no objective 'wait': name one of `objectives` (none)"


@pytest.mark.parametrize(
    ("values", "counted"), [((1.0, 0.995), 1), ((3.0, 0.995), 1), ((1.0, None), 0)], ids=["kept", "missed", "unknown"]
)
def test_of_several_objectives_all_must_be_known(values: tuple[float | None, ...], counted: int) -> None:
    async def scenario() -> float:
        objectives = tuple(
            Objective(name, Limit(2.0), source_error() if value is None else LoadSource(level(value)))
            for name, value in zip(("ttft", "latency"), values, strict=True)
        )
        sized = SizedSignal(Learning(LESSON, objectives), replace(a_policy().signals[0], step=MINUTE))
        await sized.ask(NOON)
        sized.learn(NOON, a_signal(40.0), SERVING)
        return sized.sizing.estimate.samples

    assert played(scenario()) == counted
