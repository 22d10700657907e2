"""The demo's loop: what happens in a step, in which order, and alike for both sides."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from agent.clock import SimulatedClock
from agent.demo.load import LoadShape, SimulatedLoad
from agent.demo.simulation import Moment, Service, Simulation
from forecasters.series import EPOCH
from scalers.decision import Replicas
from scalers.policy import PolicyKey
from tests.fakes.demo import RecordingAgent, ScriptedMetric

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
STEP = timedelta(seconds=15)
KEY = PolicyKey("demo", "chat")
SERVICE = Service(KEY, capacity=12.0, start_up=timedelta(minutes=2), minimum=1, maximum=40)
LOAD = SimulatedLoad(LoadShape(seed=7, live_since=MONDAY))


def simulation(start: datetime = MONDAY) -> Simulation:
    return Simulation(SERVICE, LOAD, clock=SimulatedClock(start))


async def steps(played: Simulation, count: int, *answers: float | None) -> list[Moment]:
    agent, keda = RecordingAgent(), ScriptedMetric(*answers)
    return [await played.step(agent.tick, keda) for _ in range(count)]


async def test_the_agent_ticks_every_fifteen_seconds_of_the_simulated_day() -> None:
    agent, played, keda = RecordingAgent(), simulation(), ScriptedMetric(4.0)

    for _ in range(3):
        await played.step(agent.tick, keda)

    assert agent.ticks == [MONDAY + STEP, MONDAY + 2 * STEP, MONDAY + 3 * STEP]


async def test_both_sides_begin_with_the_replicas_of_the_reactive_one() -> None:
    played = simulation()
    usual = math.ceil(LOAD.demand_at(MONDAY) / 8.4)

    assert played.foretide.pods.existing == played.reactive.pods.existing == usual


async def test_an_answer_starts_pods_that_the_agent_sees_and_that_serve_two_minutes_later() -> None:
    played, keda = simulation(), ScriptedMetric(10.0)
    first = played.foretide.pods.existing
    agent = RecordingAgent(look=lambda: played.observed(KEY))

    for _ in range(9):
        await played.step(agent.tick, keda)

    assert first == 5
    assert agent.seen[0] == Replicas(existing=5, ready=5)
    assert agent.seen[1] == Replicas(existing=10, ready=5)
    assert agent.seen[7] == Replicas(existing=10, ready=5)  # created in the first step, 105 s ago
    assert agent.seen[8] == Replicas(existing=10, ready=10)


async def test_a_refusal_holds_the_replicas_of_foretide_alone() -> None:
    moments = await steps(simulation(), 60, 20.0, 20.0, None)

    assert {moment.foretide.pods.existing for moment in moments[2:]} == {moments[1].foretide.pods.existing}
    assert moments[-1].reactive.pods.existing < 10


async def test_in_the_gap_the_reactive_side_holds_too() -> None:
    start, end = LOAD.gap_of((MONDAY - EPOCH).days)
    moments = await steps(simulation(start - STEP), (end - start) // STEP, 10.0)

    assert len({moment.reactive.pods.existing for moment in moments}) == 1


async def test_demand_goes_on_in_the_gap_and_is_counted() -> None:
    start, _ = LOAD.gap_of((MONDAY - EPOCH).days)

    moment = (await steps(simulation(start), 4, 10.0))[-1]

    assert moment.demand == LOAD.demand_at(start + 4 * STEP)
    assert moment.foretide.tally.demand == pytest.approx(15 * LOAD.demand(int((start - EPOCH) / STEP) + 1, 4).sum())


def test_the_replicas_of_another_policy_are_unknown() -> None:
    assert simulation().observed(PolicyKey("demo", "other")) is None


async def test_two_runs_of_one_seed_are_the_same() -> None:
    assert await steps(simulation(), 50, 9.0, 12.5, 3.0) == await steps(simulation(), 50, 9.0, 12.5, 3.0)
