from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agent.history.decision_json import decision_to_json
from agent.snapshot import DecisionRun
from agent.web.buckets import bucket_means, thinned
from agent.web.charts import forecast_view, replica_steps
from forecasters.series import Series
from scalers.policy import PolicyKey
from tests.fakes.book import NOON, InventedBook, SteppedClock

STEP = timedelta(seconds=15)
START = datetime(2026, 11, 17, 14, 0, tzinfo=UTC)


def _series(*values: float) -> Series:
    return Series(START, STEP, np.array(values))


def test_a_bucket_is_the_mean_of_what_is_present() -> None:
    means = bucket_means(_series(1, 3, np.nan, 7, np.nan, np.nan), start=START, step=2 * STEP, count=3)
    np.testing.assert_array_equal(means, [2.0, 7.0, np.nan])


def test_a_short_series_is_left_alone() -> None:
    series = _series(1, 2, 3)
    assert thinned(series, most=3) is series


@given(arrays(np.float64, st.integers(1, 200), elements=st.floats(0, 1e6)), st.integers(1, 50))
def test_thinning_keeps_the_bounds_and_the_end(values: np.ndarray, most: int) -> None:
    series = Series(START, STEP, values)
    short = thinned(series, most=most)
    assert len(short) <= most + 1
    assert short.start <= series.start
    assert short.end <= series.end < short.end + short.step
    assert values.min() - 1e-6 <= np.nanmin(short.values)
    assert np.nanmax(short.values) <= values.max() * (1 + 1e-12) + 1e-6


async def test_a_gap_in_the_demand_is_null_and_no_zero(client) -> None:
    view = (await client().get("/api/v1/policies/ml/chat/forecast?range=1h")).json()
    demand = view["demand"]
    at = round((datetime(2026, 11, 17, 14, 5, tzinfo=UTC).timestamp() - demand["startSeconds"]) / 15)
    assert demand["values"][at] is None
    assert 0 not in demand["values"]


async def test_the_forecast_is_a_fan_of_ascending_quantiles(client) -> None:
    fan = (await client().get("/api/v1/policies/ml/chat/forecast")).json()["forecast"]
    assert fan["levels"] == [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]
    assert len(fan["quantiles"][0]) == 240
    assert all(low <= high for low, high in zip(fan["quantiles"][0], fan["quantiles"][-1], strict=True))


async def test_a_quantile_beyond_the_fan_is_left_out_and_not_guessed() -> None:
    snapshot = InventedBook(SteppedClock()).snapshot(PolicyKey("ml", "chat"))
    assert snapshot is not None
    snapshot = replace(snapshot, policy=replace(snapshot.policy, risk=0.0005))
    view = forecast_view(snapshot, snapshot.policy.signals[0], (), since=START, now=NOON)
    assert view.forecast is not None
    assert (view.forecast.deciding_level, view.forecast.deciding) == (None, [])


async def test_a_long_range_has_no_more_points_than_a_screen_shows(client) -> None:
    view = (await client().get("/api/v1/policies/ml/chat/forecast?range=6h")).json()
    assert len(view["demand"]["values"]) <= 721


async def test_an_unknown_signal_is_answered_with_the_nearest(client) -> None:
    reply = await client().get("/api/v1/policies/ml/chat/forecast?signal=demnad")
    assert reply.json()["detail"] == "ml/chat has no signal demnad; did you mean demand?"


def _run(since: datetime, until: datetime) -> DecisionRun:
    snapshot = InventedBook(SteppedClock()).snapshot(PolicyKey("ml", "chat"))
    assert snapshot is not None
    assert snapshot.decision is not None
    return DecisionRun(since, until, 1, decision_to_json(snapshot.decision))


def test_a_pause_of_the_agent_is_a_gap_between_the_steps() -> None:
    before, after = _run(START, START + STEP), _run(START + timedelta(minutes=20), START + timedelta(minutes=21))
    steps = replica_steps([after, before], "demand")
    assert [value is None for value in steps.answered] == [False, False, True, False, False]
    assert steps.times_seconds == sorted(steps.times_seconds)


async def test_the_comparison_has_cost_and_shortage_of_both(client, clock: SteppedClock) -> None:
    demo = client(comparison=InventedBook(clock))
    view = (await demo.get("/api/v1/policies/ml/chat/comparison")).json()
    assert {view["foretide"]["name"], view["reactive"]["name"]} == {"Foretide", "HPA at 70 %"}
    assert set(view["reactive"]["score"]) == {"replicaHours", "unservedPct", "shortPct", "actionsPerH", "cost"}
    assert len(view["need"]) == len(view["reactive"]["existing"]) == 241


async def test_outside_the_demo_there_is_no_comparison(client) -> None:
    agent = client()
    assert (await agent.get("/api/v1/policies/ml/chat")).json()["hasComparison"] is False
    assert (await agent.get("/api/v1/policies/ml/chat/comparison")).status_code == 404
