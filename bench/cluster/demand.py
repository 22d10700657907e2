"""The load of the benchmark: one series for each policy, with days of past, scraped every 15 s."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.real.prometheus import rig

STEP_SECONDS = 15
PAST_STEP_SECONDS = 60  # a thousand policies have 20 million samples in two weeks; at 15 s it would be four times that
_DAY_SECONDS = 86_400
_BLOCK_SECONDS = 54 * 3600  # one of the lengths that promtool makes, from two hours on threefold each
CAPACITY = 12  # of a replica
_NOISE = 0.03


def demand(policies: int, at: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Return each policy's demand at an instant, seconds since the epoch: 1 to 20 replicas' worth, a daily shape."""
    numbers = np.arange(policies)
    level = CAPACITY * (1 + 19 * numbers / policies)
    shape = 1 + 0.3 * np.sin(2 * np.pi * (at / _DAY_SECONDS + numbers / policies))
    return level * shape * (1 + random.normal(scale=_NOISE, size=policies))


@contextmanager
def prometheus(folder: Path, policies: int, days: float) -> Iterator[rig.PrometheusServer]:
    """Run a Prometheus that has the past of every series, and scrapes what comes."""
    random = np.random.default_rng(1)
    exporter = _Exporter(policies, random)
    folder.mkdir()
    server = rig.PrometheusServer(folder, targets=[exporter.target], scrape_seconds=STEP_SECONDS)
    _load_past(folder, policies, days, random, port=exporter.port)
    try:
        with rig.running(server):
            yield server
    finally:
        exporter.stop()


def _load_past(folder: Path, policies: int, days: float, random: np.random.Generator, *, port: int) -> None:
    """Write the past into the stopped server's data, under the labels that its scrapes will give.

    promtool reads a file once for each block that it makes of it, so that each block has a file of its own.
    """
    until = time.time()
    since = until - days * _DAY_SECONDS
    while since < until:
        end = min(until, (since // _BLOCK_SECONDS + 1) * _BLOCK_SECONDS)
        instants = np.arange(since, end, PAST_STEP_SECONDS)
        file = folder / "past.om"
        _write(file, instants, np.stack([demand(policies, at, random) for at in instants]), port=port)
        command = ["promtool", "tsdb", "create-blocks-from", "--max-block-duration", f"{_BLOCK_SECONDS}s"]
        subprocess.run([*command, "openmetrics", "--quiet", str(file), str(folder / "data")], check=True)
        file.unlink()
        since = instants[-1] + PAST_STEP_SECONDS


def _write(file: Path, instants: NDArray[np.float64], values: NDArray[np.float64], *, port: int) -> None:
    """Write values, shape (instants, policies), as OpenMetrics."""
    stamps = [f"{at:.3f}" for at in instants]
    with file.open("w") as text:
        text.write("# TYPE demand gauge\n")
        for number in range(values.shape[1]):
            series = f'demand{{policy="{number}",instance="127.0.0.1:{port}",job="demand"}}'
            column = values[:, number].tolist()
            text.writelines(f"{series} {value:.3f} {at}\n" for value, at in zip(column, stamps, strict=True))
        text.write("# EOF\n")


class _Exporter:
    """All series on one page, new at each scrape."""

    def __init__(self, policies: int, random: np.random.Generator) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                rows = enumerate(demand(policies, time.time(), random))
                page = "".join(f'demand{{policy="{number}"}} {value:.3f}\n' for number, value in rows)
                body = f"# TYPE demand gauge\n{page}".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
