from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from agent.configuration import PrometheusAddress
from agent.sources.prometheus import PrometheusServer, PrometheusSource
from agent.sources.source import SignalState, SourceError
from forecasters.series import Series
from tests.real.prometheus import rig

pytestmark = pytest.mark.real

STEP = timedelta(seconds=15)
MINUTE = timedelta(minutes=1)
LOOKBACK = 20  # points in the five minutes for which Prometheus repeats a sample
GAP = slice(6000, 6120)


@pytest.fixture
def server(history: rig.PrometheusServer) -> Iterator[PrometheusServer]:
    server = PrometheusServer("default", PrometheusAddress(url=history.url))
    yield server
    server.close()


def _source(server: PrometheusServer, query: str) -> PrometheusSource:
    return PrometheusSource(server, query, step=STEP, delay=timedelta(0))


async def test_a_backfill_of_three_days_equals_what_was_loaded(server: PrometheusServer, trace: Series) -> None:
    backfill = await _source(server, 'sum(requests{app="chat"})').range(trace.start, trace.end, STEP)

    there = np.isfinite(trace.values)
    assert len(backfill.series) == 17_280
    assert backfill.dropped == 0
    np.testing.assert_array_equal(backfill.series.values[there], trace.values[there])


async def test_a_gap_longer_than_the_lookback_stays_a_gap(server: PrometheusServer, trace: Series) -> None:
    backfill = await _source(server, 'sum(requests{app="chat"})').range(trace.start, trace.end, STEP)

    assert np.isnan(backfill.series.values[GAP][LOOKBACK:]).all()
    assert int(np.isnan(backfill.series.values).sum()) in {100, 101}  # from version 3 on the far end is out


async def test_a_coarse_backfill_has_the_mean_and_the_largest_of_each_minute(
    server: PrometheusServer, trace: Series
) -> None:
    start, end = trace.end - timedelta(hours=2), trace.end
    mean, largest = await _source(server, 'sum(requests{app="chat"})').coarse_range(start, end, MINUTE)

    minute = trace.between(mean.series.start + MINUTE - 3 * STEP, mean.series.start + MINUTE)
    assert len(minute) == 4
    assert mean.series.values[1] == pytest.approx(minute.values.mean())
    assert largest.series.values[1] == minute.values.max()


async def test_what_the_server_never_had_is_gaps(server: PrometheusServer, trace: Series) -> None:
    backfill = await _source(server, "sum(nobody)").range(trace.start, trace.start + 3 * STEP, STEP)

    assert np.isnan(backfill.series.values).all()
    assert len(backfill.series) == 4


async def test_the_newest_value_is_read_at_the_grid_point_before_now(server: PrometheusServer, trace: Series) -> None:
    reading = await _source(server, 'sum(requests{app="chat"})').latest(trace.end + timedelta(seconds=7))

    assert reading.sample.at == trace.end
    assert reading.sample.value == trace.values[-1]
    assert reading.newest == trace.end


async def test_a_value_that_the_server_repeats_says_how_old_it_is(server: PrometheusServer, trace: Series) -> None:
    reading = await _source(server, 'sum(requests{app="chat"})').latest(trace.end + timedelta(minutes=4))

    assert reading.sample.at == trace.end + timedelta(minutes=4)
    assert reading.newest == trace.end


async def test_a_query_longer_than_a_url_is_answered(server: PrometheusServer, trace: Series) -> None:
    alternatives = "|".join(f"chat-{number}" for number in range(2000))
    reading = await _source(server, f'sum(requests{{app=~"chat|{alternatives}"}})').latest(trace.end)

    assert len(alternatives) > 16 * 1024
    assert reading.sample.value == trace.values[-1]


@pytest.mark.parametrize(
    ("query", "state", "message", "mend"),
    [
        ("several", SignalState.SEVERAL_SERIES, "returns 2 series (labels pod)", "wrap it in sum()"),
        ("nobody", SignalState.EMPTY, "returns no series", "no data is not zero demand"),
        ("requests[5m]", SignalState.BAD_QUERY, "a range of raw samples", "rate()"),
        ('"text"', SignalState.BAD_QUERY, "returns a string", "number"),
        ("sum(requests", SignalState.BAD_QUERY, "HTTP 400: invalid parameter", "mend it"),
        ("requests * on() several", SignalState.BAD_QUERY, "HTTP 422: found duplicate series", "mend it"),
        ("sum(requests) / 0", SignalState.INFINITE, "returns inf", "divisors"),
        ("sum(requests) * 0 / 0", SignalState.NOT_A_NUMBER, "returns NaN", "divisors"),
        ("-sum(requests)", SignalState.NEGATIVE, "returns -", "never below 0"),
        ("sum(nobody) or vector(0)", SignalState.STALE, "no sample of nobody", "or vector(0)"),
    ],
)
async def test_what_is_no_demand_is_named_and_never_a_zero(
    server: PrometheusServer, trace: Series, query: str, state: SignalState, message: str, mend: str
) -> None:
    with pytest.raises(SourceError) as caught:
        await _source(server, query).latest(trace.end)

    assert caught.value.state is state
    assert message in str(caught.value)
    assert mend in caught.value.mend


async def test_a_scalar_is_a_demand(server: PrometheusServer, trace: Series) -> None:
    reading = await _source(server, "scalar(sum(requests) * 0 + 7)").latest(trace.end)

    assert reading.sample.value == 7.0
