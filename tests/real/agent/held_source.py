"""A Prometheus that gives no answer until it is told to: what a real one cannot be made to do."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs

QUERY = "vector(1)"  # without a selector, so that nothing is asked about freshness


class HeldSource(ThreadingHTTPServer):
    """Answers each query with one value, from its release on. Started by entering."""

    daemon_threads = True

    def __init__(self) -> None:
        self.value = 0.0
        self.is_released = threading.Event()
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                source.is_released.wait(timeout=30)
                body = source.past() if "query_range" in self.path else source.answer(float(form["time"][0]))
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, at: float) -> bytes:
        """Return the value; as a real one does, at the time that was asked for, however late."""
        return _body("vector", [{"metric": {}, "value": [at, str(self.value)]}])

    def past(self) -> bytes:
        """Return that there is none."""
        return _body("matrix", [])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_released.set()
        self.shutdown()
        self.server_close()
        self._thread.join()


def _body(kind: str, result: list[object]) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()
