"""A Prometheus that gives no answer until it is told to: what a real one cannot be made to do."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

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
                self.rfile.read(int(self.headers["Content-Length"]))
                source.is_released.wait(timeout=30)
                body = source.answer(is_range="query_range" in self.path)
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

    def answer(self, *, is_range: bool) -> bytes:
        """Return the value now, and no past."""
        now = [{"metric": {}, "value": [time.time(), str(self.value)]}]
        data = {"resultType": "matrix", "result": []} if is_range else {"resultType": "vector", "result": now}
        return json.dumps({"status": "success", "data": data}).encode()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_released.set()
        self.shutdown()
        self.server_close()
        self._thread.join()
