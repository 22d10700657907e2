"""The simulator as a source: what Prometheus would show, gaps as errors and never as zeros."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.demo.load import LoadShape, SimulatedLoad
from agent.sources.simulator import SimulatorSource
from agent.sources.source import SignalState, SourceError
from forecasters.series import EPOCH

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NOON = MONDAY + timedelta(hours=9)
STEP = timedelta(seconds=15)
LOAD = SimulatedLoad(LoadShape(seed=7, live_since=MONDAY))
SOURCE = SimulatorSource(LOAD)
GAP_START, GAP_END = LOAD.gap_of((MONDAY - EPOCH).days)


async def test_a_value_is_the_mean_of_the_minute_that_ended_one_scrape_ago() -> None:
    steps = [LOAD.demand_at(NOON - timedelta(seconds=ago)) for ago in (75, 60, 45, 30)]

    reading = await SOURCE.latest(NOON)

    assert reading.sample.value == pytest.approx(sum(steps) / 4, rel=1e-12)
    assert reading.sample.at == NOON
    assert reading.newest == NOON - timedelta(seconds=15)


async def test_between_two_grid_points_the_earlier_one_is_read() -> None:
    assert await SOURCE.latest(NOON + timedelta(seconds=14)) == await SOURCE.latest(NOON)


async def test_a_gap_is_an_empty_result_and_ends() -> None:
    with pytest.raises(SourceError) as caught:
        await SOURCE.latest(GAP_START)

    assert caught.value.state is SignalState.EMPTY
    assert caught.value.is_retriable
    assert (await SOURCE.latest(GAP_END)).sample.value > 20


async def test_a_range_holds_what_latest_would_have_said() -> None:
    backfill = await SOURCE.range(GAP_START - timedelta(minutes=5), GAP_END + timedelta(minutes=5), STEP)
    series = backfill.series

    assert series.start == GAP_START - timedelta(minutes=5)
    assert len(series) == 121
    assert np.flatnonzero(np.isnan(series.values)).tolist() == list(range(20, 100))
    for row in (0, 19, 100, 120):
        assert series.values[row] == pytest.approx((await SOURCE.latest(series.start + row * STEP)).sample.value)


async def test_a_range_off_the_grid_keeps_to_the_points_inside() -> None:
    backfill = await SOURCE.range(NOON - timedelta(seconds=1), NOON + timedelta(seconds=61), timedelta(minutes=1))

    assert (backfill.series.start, backfill.series.end) == (NOON, NOON + timedelta(minutes=1))
    assert backfill.series.values[1] == pytest.approx(SOURCE.read(NOON + timedelta(minutes=1)).sample.value)


async def test_an_empty_span_gives_an_empty_series() -> None:
    assert len((await SOURCE.range(NOON, NOON - STEP, STEP)).series) == 0


async def test_a_coarse_step_is_mean_and_largest_of_the_fine_values_that_end_in_it() -> None:
    minute = timedelta(minutes=1)
    fine = (await SOURCE.range(NOON - 3 * STEP, NOON, STEP)).series.values

    mean, largest = await SOURCE.coarse_range(NOON, NOON, minute)

    assert mean.series.values.tolist() == pytest.approx([fine.mean()])
    assert largest.series.values.tolist() == pytest.approx([fine.max()])


async def test_a_coarse_step_in_the_gap_is_missing_and_never_zero() -> None:
    five = timedelta(minutes=5)

    mean, largest = await SOURCE.coarse_range(GAP_START - 2 * five, GAP_END + 2 * five, five)

    assert 3 <= np.isnan(mean.series.values).sum() <= 4
    assert np.nanmin(mean.series.values) > 20
    assert np.array_equal(np.isnan(mean.series.values), np.isnan(largest.series.values))
    assert np.nanmin(largest.series.values - mean.series.values) >= 0


async def test_a_step_that_is_no_multiple_of_the_scrape_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 0:00:15, got 0:00:20"):
        await SOURCE.range(NOON, NOON, timedelta(seconds=20))
