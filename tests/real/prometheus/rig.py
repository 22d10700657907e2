"""A real Prometheus server in a temporary folder, history loaded into it, and an exporter it can scrape."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from forecasters.series import Series

SCRAPE_SECONDS = 1
PASSWORD = "tide"
PASSWORD_HASH = "$2b$04$abcdefghijklmnopqrstuu1qpP1CMp/0kFovmakDl70ruBcZs2vS."
_READY = "Server is ready to receive web requests."
_START_SECONDS = 30.0


def missing_binary() -> str | None:
    """Return why the rig cannot run here, or None."""
    absent = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    return f"not tested against a real Prometheus: {' and '.join(absent)} not installed" if absent else None


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PrometheusServer:
    """One server process. Load history before the start; stop and start again on the same port and data."""

    def __init__(
        self,
        folder: Path,
        *,
        targets: Sequence[str] = (),
        web_config: str | None = None,
        scrape_seconds: int = SCRAPE_SECONDS,
    ) -> None:
        """Make a server that is not started yet.

        Args:
            folder: empty, for configuration, data and log.
            targets: `host:port` to scrape.
            scrape_seconds: how often.
            web_config: text of Prometheus's web.yml, for TLS and passwords.
        """
        self.port = free_port()
        self.folder = folder
        self.log = folder / "prometheus.log"
        self._data = folder / "data"
        self._data.mkdir()
        self._web = folder / "web.yml"
        self._web.write_text(web_config or "")
        self._scheme = "https" if web_config and "tls_server_config" in web_config else "http"
        self._configuration = folder / "prometheus.yml"
        self._configuration.write_text(_scrape_configuration(targets, scrape_seconds))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        return self._running().pid

    def load_series(self, name: str, series: Series, labels: Mapping[str, str] | None = None) -> None:
        """Write history into the stopped server's data; NaN is left out."""
        written = ",".join(f'{label}="{value}"' for label, value in (labels or {}).items())
        seconds, values = series.seconds(), series.values
        lines = [
            f"{name}{{{written}}} {value!r} {second:.3f}"
            for second, value in zip(seconds.tolist(), values.tolist(), strict=True)
            if np.isfinite(value)
        ]
        file = self.folder / f"{name}.om"
        file.write_text("\n".join([f"# TYPE {name} gauge", *lines, "# EOF", ""]))
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(file), str(self._data)]
        subprocess.run(command, check=True, capture_output=True)

    def start(self) -> None:
        """Start, and return when queries are answered."""
        command = [
            "prometheus",
            f"--config.file={self._configuration}",
            f"--web.config.file={self._web}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--storage.tsdb.path={self._data}",
            "--storage.tsdb.retention.time=100y",
        ]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + _START_SECONDS
        while _READY not in self.log.read_text():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"Prometheus did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop, also when paused; safe to repeat."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def pause(self) -> None:
        """Hang: connections are accepted by the kernel and never answered."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after a pause."""
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server is not started")
        return self._process


class Exporter:
    """A scrape target in a thread; set `value` and see it scraped as `demand`."""

    def __init__(self) -> None:
        self.value = 0.0
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                samples = exporter.samples().items()
                body = "".join(f"# TYPE {name} gauge\n{name} {value!r}\n" for name, value in samples).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def samples(self) -> dict[str, float]:
        """Return what a scrape of this moment sees, by metric."""
        return {"demand": self.value}

    @property
    def target(self) -> str:
        """`host:port` for a server's targets."""
        return f"127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Answer no more; safe to repeat."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def running(server: PrometheusServer) -> Iterator[PrometheusServer]:
    """Start a server and stop it whatever happens."""
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _scrape_configuration(targets: Sequence[str], seconds: int) -> str:
    quoted = ", ".join(f"'{target}'" for target in targets)
    return (
        f"global: {{scrape_interval: {seconds}s, scrape_timeout: {seconds}s}}\n"
        f"scrape_configs: [{{job_name: demand, static_configs: [{{targets: [{quoted}]}}]}}]\n"
    )
