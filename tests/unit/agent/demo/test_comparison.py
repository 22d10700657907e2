"""What the page and `--once` get to see of the two sides."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.clock import SimulatedClock
from agent.demo.comparison import ComparisonRecord
from agent.demo.load import LoadShape, SimulatedLoad
from agent.demo.simulation import Service, Simulation
from scalers.policy import PolicyKey
from tests.fakes.demo import RecordingAgent, ScriptedMetric

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
STEP = timedelta(seconds=15)
KEY = PolicyKey("demo", "chat")
SERVICE = Service(KEY, capacity=12.0, start_up=timedelta(minutes=2), minimum=1, maximum=40)
LOAD = SimulatedLoad(LoadShape(seed=7, live_since=MONDAY))


async def recorded(count: int, answer: float = 10.0) -> ComparisonRecord:
    played = Simulation(SERVICE, LOAD, clock=SimulatedClock(MONDAY))
    record, agent, keda = ComparisonRecord(SERVICE, LOAD), RecordingAgent(), ScriptedMetric(answer)
    for _ in range(count):
        record.add(await played.step(agent.tick, keda))
    return record


async def test_the_series_hold_each_step_of_both_sides() -> None:
    shown = (await recorded(30)).comparison(KEY)

    assert shown is not None
    assert (shown.since, shown.start, shown.until) == (MONDAY + STEP, MONDAY + STEP, MONDAY + 30 * STEP)
    assert shown.foretide.existing[-1] == shown.foretide.ready[-1] == 10
    assert shown.foretide.ready[0] < 10
    assert shown.need[-1] == LOAD.demand_at(MONDAY + 30 * STEP) / 12
    assert shown.reactive.name == "HPA at 70 %"


async def test_after_a_day_the_oldest_steps_leave_the_series_and_stay_in_the_score() -> None:
    shown = (await recorded(5760 + 3)).comparison(KEY)

    assert shown is not None
    assert shown.since == MONDAY + STEP
    assert shown.start == MONDAY + 4 * STEP
    assert len(shown.need) == 5760
    np.testing.assert_allclose(shown.need * 12, LOAD.demand(int(MONDAY.timestamp()) // 15 + 4, 5760))
    assert shown.foretide.score.replica_hours == pytest.approx(10 * 5763 * 15 / 3600, abs=0.5)


async def test_the_cost_is_relative_to_the_fewest_replicas_that_serve_everything() -> None:
    shown = (await recorded(240, answer=40.0)).comparison(KEY)

    assert shown is not None
    assert shown.foretide.score.cost == pytest.approx(40 / 3.2, rel=0.15)  # a night hour takes three to four
    assert shown.reactive.score.cost == pytest.approx(5 / 3.2, rel=0.25)
    assert shown.foretide.score.unserved_pct == 0.0


async def test_the_results_are_the_scores_of_the_comparison() -> None:
    record = await recorded(50)
    shown = record.comparison(KEY)

    assert shown is not None
    assert record.results()["foretide"].replica_hours == shown.foretide.score.replica_hours
    assert record.results()["reactive"].actions_per_h == shown.reactive.score.actions_per_h


async def test_another_policy_or_no_step_has_no_comparison() -> None:
    assert (await recorded(1)).comparison(PolicyKey("demo", "other")) is None
    assert (await recorded(0)).comparison(KEY) is None
    with pytest.raises(ValueError, match="no step"):
        (await recorded(0)).results()
