from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from forecasters.series import Series, grid_index, grid_instant
from tests.real.prometheus import rig

STEP = timedelta(seconds=15)
POINTS = 3 * 5760  # three days, more than one request may ask for
GAP = slice(6000, 6120)  # half an hour


@pytest.fixture(scope="session")
def trace() -> Series:
    """Three days that ended an hour ago, with half an hour missing."""
    end = grid_instant(grid_index(datetime.now(UTC) - timedelta(hours=1), STEP), STEP)
    values = _shared_trace() if _trace_file().exists() else _generated()
    values[GAP] = np.nan
    return Series(end - (POINTS - 1) * STEP, STEP, values)


@pytest.fixture(scope="session")
def history(trace: Series, tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.PrometheusServer]:
    """A server that holds the trace as `requests`, and two more series as `several`."""
    _need_prometheus()
    server = rig.PrometheusServer(tmp_path_factory.mktemp("prometheus"))
    server.load_series("requests", trace, {"app": "chat"})
    server.load_series("several", trace.last(4), {"pod": "a"})
    server.load_series("several", trace.last(4), {"pod": "b"})
    with rig.running(server):
        yield server


@pytest.fixture
def exporter() -> Iterator[rig.Exporter]:
    exporter = rig.Exporter()
    yield exporter
    exporter.stop()


@pytest.fixture
def live(exporter: rig.Exporter, tmp_path: Path) -> Iterator[rig.PrometheusServer]:
    """A server that scrapes the exporter each second."""
    _need_prometheus()
    with rig.running(rig.PrometheusServer(tmp_path, targets=[exporter.target])) as server:
        yield server


def _need_prometheus() -> None:
    if reason := rig.missing_binary():
        pytest.skip(reason)


def _trace_file() -> Path:
    beside = Path(__file__).resolve().parents[4] / "shared"
    return Path(os.environ.get("FORETIDE_SHARED", beside)) / "traces" / "cloud" / "crane_15a_15s.csv.gz"


def _shared_trace() -> np.ndarray:
    with gzip.open(_trace_file(), "rt") as file:
        return np.array([float(row["value"]) for _, row in zip(range(POINTS), csv.DictReader(file), strict=False)])


def _generated() -> np.ndarray:
    return 100 + 50 * np.sin(2 * np.pi * np.arange(POINTS) / 5760)
