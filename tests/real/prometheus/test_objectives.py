"""The objectives by which a capacity is learned, read from a real server as a policy file names them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agent.configuration import Configuration, PrometheusAddress, SourceAddress
from agent.policy import policy_of
from agent.policy_files import assignment_of
from agent.sizing import SizedSignal
from agent.sources.table import SourceTable
from scalers.decision import Replicas, SignalInput
from tests.fakes.policies import document
from tests.real.prometheus import rig

pytestmark = pytest.mark.real

TTFT = {"name": "ttft", "query": "sum(demand) / 20", "below": "2s"}
# every request is good up to 40 a second, and above it only 40 of them are
LATENCY = {"name": "latency", "good": "sum(clamp_max(demand, 40))", "total": "sum(demand)", "target": "90%"}


@pytest.fixture
def sources(live: rig.PrometheusServer) -> Iterator[SourceTable]:
    table = SourceTable(Configuration(sources={"default": SourceAddress(prometheus=PrometheusAddress(url=live.url))}))
    yield table
    table.close()


def sized(sources: SourceTable, *objectives: dict[str, str]) -> SizedSignal:
    demand = {"prometheus": {"query": "sum(demand)"}, "step": "1s"}
    capacity = {"learned": {"initial": 12, "window": "15s"}}
    changed = document(demand=demand, capacity=capacity, objectives=list(objectives))
    assignment = assignment_of(policy_of(changed, origin="here"), sources)
    return SizedSignal(assignment.learning["demand"], assignment.policy.signals[0])


async def until_kept(signal: SizedSignal, wanted: bool | None) -> None:
    """Ask as the agent does until a scrape has brought the answer."""
    async with asyncio.timeout(40):
        while True:
            await signal.ask(datetime.now(UTC))
            if signal.is_kept is wanted and (wanted is not None or signal.missing):
                return
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("objectives", [(TTFT,), (LATENCY,), (TTFT, LATENCY)], ids=["bound", "share", "both"])
async def test_an_objective_is_kept_and_missed_as_the_server_says(
    sources: SourceTable, exporter: rig.Exporter, objectives: tuple[dict[str, str], ...]
) -> None:
    signal = sized(sources, *objectives)
    exporter.value = 30.0
    await until_kept(signal, True)
    exporter.value = 80.0
    await until_kept(signal, False)


async def test_what_was_read_is_learned_from(sources: SourceTable, exporter: rig.Exporter) -> None:
    signal = sized(sources, TTFT)
    exporter.value = 30.0
    await until_kept(signal, True)
    now = datetime.now(UTC)
    signal.learn(now, SignalInput("demand", 12.0, 30.0, now, "OK", None, None), Replicas(3, 3))

    assert signal.sizing.estimate.samples == 1.0


async def test_when_the_target_is_gone_nothing_is_known_and_the_reason_is_told(
    sources: SourceTable, exporter: rig.Exporter
) -> None:
    signal = sized(sources, TTFT)
    exporter.value = 30.0
    await until_kept(signal, True)
    exporter.stop()
    await until_kept(signal, None)

    assert signal.missing.startswith("objective ttft: ")
    assert "returns no series" in signal.missing
