from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from forecasters.series import Series, grid_index, grid_instant
from tests.real.agent.process import AgentProcess
from tests.real.prometheus import rig


@pytest.fixture
def exporter() -> Iterator[rig.Exporter]:
    exporter = rig.Exporter()
    exporter.value = 60.0
    yield exporter
    exporter.stop()


@pytest.fixture
def prometheus(exporter: rig.Exporter, tmp_path: Path) -> Iterator[rig.PrometheusServer]:
    """Scrapes the exporter each second, and knows a day before this moment with a rush each half hour."""
    if reason := rig.missing_binary():
        pytest.skip(reason)
    folder = tmp_path / "prometheus"
    folder.mkdir()
    server = rig.PrometheusServer(folder, targets=[exporter.target])
    server.load_series("demand", a_day_of_rushes(), {"job": "history"})
    with rig.running(server):
        yield server


@pytest.fixture
def agent(prometheus: rig.PrometheusServer, tmp_path: Path) -> Iterator[AgentProcess]:
    """An agent on that server, not started yet, with a data directory."""
    agent = AgentProcess(tmp_path, "--prometheus-url", prometheus.url, "--data-dir", str(tmp_path / "data"))
    agent.write_policy()
    yield agent
    agent.kill()


def a_day_of_rushes() -> Series:
    """Return a day up to now in which demand is 240 for ten minutes of every half hour, and else 60.

    Now is in the middle of the calm between two rushes, at whatever time of the day a test runs: in a rush, or just
    before one, 60 is rightly not the answer.
    """
    step = timedelta(seconds=15)
    end = grid_index(datetime.now(UTC), step)
    until_now = np.arange(-5759, 1) * step.total_seconds()
    is_rush = np.abs(until_now % 1800 - 900) <= 300
    return Series(grid_instant(end - 5759, step), step, np.where(is_rush, 240.0, 60.0))
