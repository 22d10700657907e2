"""Demand over several metrics that one selector takes by their names, whose series have the same labels."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.configuration import PrometheusAddress
from agent.sources.prometheus import PrometheusServer, PrometheusSource
from agent.sources.source import Reading, SignalState, SourceError
from forecasters.series import Series, grid_index, grid_instant
from tests.real.prometheus import rig
from tests.real.prometheus.reading import until_read

pytestmark = pytest.mark.real

SECOND = timedelta(seconds=1)
LISTED = '{__name__=~"vllm:num_requests_(running|waiting)"}'


class Engine(rig.Exporter):
    """A target with three that run and `value` that wait, until none waits and the metric is gone."""

    def samples(self) -> dict[str, float]:
        waiting = {"vllm:num_requests_waiting": self.value} if self.value else {}
        return {"vllm:num_requests_running": 3.0, **waiting}


@pytest.fixture
def exporter() -> Iterator[Engine]:
    exporter = Engine()
    exporter.value = 4.0
    yield exporter
    exporter.stop()


@pytest.fixture
def server(live: rig.PrometheusServer) -> Iterator[PrometheusServer]:
    server = PrometheusServer("default", PrometheusAddress(url=live.url, timeout=2 * SECOND))
    yield server
    server.close()


async def _read(server: PrometheusServer, query: str, value: float) -> Reading:
    return await until_read(PrometheusSource(server, query, step=SECOND, delay=timedelta(0)), value)


def _age(reading: Reading) -> timedelta:
    assert reading.newest is not None
    return reading.sample.at - reading.newest


@pytest.mark.parametrize("query", [f"sum({LISTED})", f"sum(last_over_time({LISTED}[8s]))"])
async def test_metrics_that_are_listed_by_name_are_read_with_their_freshness(
    server: PrometheusServer, query: str
) -> None:
    reading = await _read(server, query, 7.0)

    assert timedelta(0) <= _age(reading) <= 3 * SECOND


@pytest.mark.parametrize("listed", ["early|late", "late|early"])
async def test_of_listed_metrics_the_newest_counts(tmp_path: Path, listed: str) -> None:
    last = grid_instant(grid_index(datetime.now(UTC) - timedelta(hours=1), SECOND), SECOND)
    loaded = rig.PrometheusServer(tmp_path)
    for name, end in (("early", last - 60 * SECOND), ("late", last)):
        loaded.load_series(name, Series(end - 2 * SECOND, SECOND, np.ones(3)))
    with rig.running(loaded):
        server = PrometheusServer("default", PrometheusAddress(url=loaded.url))
        source = PrometheusSource(server, f'sum({{__name__=~"{listed}"}})', step=SECOND, delay=timedelta(0))
        reading = await source.latest(last + 10 * SECOND)
        server.close()

    assert reading.sample.value == 2.0
    assert reading.newest == last


async def test_a_listed_metric_that_is_gone_does_not_count(server: PrometheusServer, exporter: Engine) -> None:
    await _read(server, f"sum({LISTED})", 7.0)
    exporter.value = 0.0
    reading = await _read(server, f"sum({LISTED})", 3.0)

    assert timedelta(0) <= _age(reading) <= 3 * SECOND


async def test_when_the_target_is_gone_the_age_of_listed_metrics_grows(
    server: PrometheusServer, exporter: Engine
) -> None:
    query = f"sum(last_over_time({LISTED}[24s]))"
    await _read(server, query, 7.0)
    await asyncio.sleep(4)  # longer than an eighth of the window, at which lost samples are looked for
    exporter.stop()
    await asyncio.sleep(5)
    reading = await _read(server, query, 7.0)

    assert _age(reading) >= 3 * SECOND


async def test_an_expression_of_one_metric_needs_no_list(server: PrometheusServer) -> None:
    reading = await _read(server, 'sum({__name__=~"vllm:num_requests_w.*"})', 4.0)

    assert timedelta(0) <= _age(reading) <= 3 * SECOND


async def test_several_metrics_that_are_not_listed_are_refused_with_the_selector_and_the_mend(
    server: PrometheusServer,
) -> None:
    await _read(server, f"sum({LISTED})", 7.0)
    with pytest.raises(SourceError) as caught:
        await _read(server, 'sum({__name__=~"vllm:.*"})', 7.0)

    assert caught.value.state is SignalState.BAD_QUERY
    assert not caught.value.is_retriable
    assert str(caught.value) == (
        'source default: query sum({__name__=~"vllm:.*"}): gives a value, and its age cannot be asked for: '
        'source default: query timestamp({__name__=~"vllm:.*"}): HTTP 422: '
        "vector cannot contain metrics with the same labelset"
    )
    assert caught.value.mend == 'name the metrics of {__name__=~"vllm:.*"}: __name__=~"a|b|c", 16 at most'
