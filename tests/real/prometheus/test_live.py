from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from agent.configuration import PrometheusAddress
from agent.sources.prometheus import PrometheusServer, PrometheusSource
from agent.sources.source import SignalState, SourceError
from tests.real.prometheus import rig
from tests.real.prometheus.reading import until_read

pytestmark = pytest.mark.real

SECOND = timedelta(seconds=1)


@pytest.fixture
def server(live: rig.PrometheusServer) -> Iterator[PrometheusServer]:
    server = PrometheusServer("default", PrometheusAddress(url=live.url, timeout=SECOND))
    yield server
    server.close()


def _source(server: PrometheusServer, query: str) -> PrometheusSource:
    return PrometheusSource(server, query, step=SECOND, delay=timedelta(0))


async def test_a_scraped_value_arrives_and_is_fresh(server: PrometheusServer, exporter: rig.Exporter) -> None:
    exporter.value = 42.5
    reading = await until_read(_source(server, "sum(demand)"), 42.5)

    assert reading.newest is not None
    assert timedelta(0) <= reading.sample.at - reading.newest <= 3 * SECOND


async def test_a_reading_of_a_vector_is_one_request_and_what_is_wrong_is_told_of_the_query_alone(
    server: PrometheusServer, live: rig.PrometheusServer, exporter: rig.Exporter
) -> None:
    exporter.value = 42.5
    source = _source(server, "sum(demand)  # requests per second")
    await until_read(source, 42.5)
    asked = _asked(live)
    for _ in range(3):
        await source.latest(datetime.now(UTC))
    assert _asked(live) == asked + 3

    two = 'label_replace(demand, "is", "one", "", "") or label_replace(demand, "is", "another", "", "")'
    with pytest.raises(SourceError) as caught:
        await _source(server, two).latest(datetime.now(UTC))
    assert caught.value.state is SignalState.SEVERAL_SERIES
    assert "query label_replace(demand" in str(caught.value)


async def test_a_scalar_is_read_with_its_freshness(server: PrometheusServer, exporter: rig.Exporter) -> None:
    exporter.value = 42.5
    await until_read(_source(server, "sum(demand)"), 42.5)
    reading = await _source(server, "scalar(sum(demand))").latest(datetime.now(UTC))
    assert reading.newest is not None


def _asked(live: rig.PrometheusServer) -> float:
    """Return how many instant queries the server has answered."""
    text = requests.get(f"{live.url}/metrics", timeout=5).text
    found = re.findall(r'^prometheus_http_requests_total\{.*"/api/v1/query".*\} (\S+)$', text, re.MULTILINE)
    return sum(map(float, found))


async def test_when_the_target_is_gone_a_windowed_value_goes_on_and_its_age_grows(
    server: PrometheusServer, exporter: rig.Exporter
) -> None:
    exporter.value = 5.0
    source = _source(server, "sum(last_over_time(demand[24s]))")
    await until_read(source, 5.0)
    await asyncio.sleep(4)  # longer than an eighth of the window, at which lost samples are looked for
    exporter.stop()
    await asyncio.sleep(5)
    first = await source.latest(datetime.now(UTC))
    await asyncio.sleep(3)
    second = await source.latest(datetime.now(UTC))

    assert first.sample.value == second.sample.value == 5.0
    assert first.newest is not None
    assert second.newest is not None
    assert first.sample.at - first.newest >= 3 * SECOND
    assert second.newest == first.newest
    assert second.sample.at - second.newest > 3 * SECOND


async def test_when_the_target_is_gone_an_instant_value_is_empty(
    server: PrometheusServer, exporter: rig.Exporter
) -> None:
    exporter.value = 5.0
    source = _source(server, "sum(demand)")
    await until_read(source, 5.0)
    exporter.stop()
    await asyncio.sleep(4)

    with pytest.raises(SourceError) as caught:
        await source.latest(datetime.now(UTC))
    assert caught.value.state is SignalState.EMPTY


async def test_a_restarted_server_is_read_again(
    server: PrometheusServer, live: rig.PrometheusServer, exporter: rig.Exporter
) -> None:
    exporter.value = 1.0
    source = _source(server, "sum(demand)")
    await until_read(source, 1.0)
    live.stop()
    with pytest.raises(SourceError) as caught:
        await source.latest(datetime.now(UTC))
    exporter.value = 2.0
    live.start()

    assert caught.value.state is SignalState.UNAVAILABLE
    assert caught.value.is_retriable
    assert "Connection refused" in str(caught.value)
    await until_read(source, 2.0)


async def test_a_server_that_hangs_costs_its_timeout_and_never_the_loop(
    server: PrometheusServer, live: rig.PrometheusServer, exporter: rig.Exporter
) -> None:
    exporter.value = 3.0
    source = _source(server, "sum(demand)")
    await until_read(source, 3.0)
    live.pause()
    began = time.monotonic()
    # more than there are threads: those that wait for a thread are under the same deadline
    readings = [asyncio.create_task(source.latest(datetime.now(UTC))) for _ in range(12)]
    naps = 0
    while not all(reading.done() for reading in readings):
        await asyncio.sleep(0.01)
        naps += 1
    took = time.monotonic() - began
    errors = await asyncio.gather(*readings, return_exceptions=True)
    live.resume()

    assert [getattr(error, "state", error) for error in errors] == [SignalState.TIMED_OUT] * 12
    assert took < 1.5
    assert naps > 50
    await until_read(source, 3.0)
