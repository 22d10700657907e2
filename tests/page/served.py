"""The page over an invented book, for its tests and for those who work on it: `python -m tests.page.served`."""

from __future__ import annotations

import argparse
import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from agent.web import HttpAddress, HttpServer, Readiness, create_app
from dashboards import page_directory
from tests.fakes.book import InventedBook, Scene, SteppedClock


class ServedPage:
    """A running server, and the clock that moves what it shows."""

    def __init__(self, scenes: tuple[Scene, ...] | None = None, *, page: Path | None, port: int = 0) -> None:
        self.clock = SteppedClock()
        self.book = InventedBook(self.clock, scenes)
        app = create_app(
            self.book,
            clock=self.clock,
            readiness=lambda: Readiness(is_ready=True),
            exposition=lambda: b"",
            comparison=self.book,
            page=page,
        )
        self._server = HttpServer(app, HttpAddress("127.0.0.1", port))
        self.url = f"http://{self._server.bind()}"

    def run(self) -> None:
        asyncio.run(self._server.serve())

    def stop(self) -> None:
        self._server.stop()


@contextmanager
def served(scenes: tuple[Scene, ...] | None = None) -> Iterator[ServedPage]:
    """Serve the built page from a thread."""
    page = ServedPage(scenes, page=page_directory())
    thread = threading.Thread(target=page.run, name="page")
    thread.start()
    try:
        yield page
    finally:
        page.stop()
        thread.join(timeout=10)


def main() -> None:
    """Serve until Ctrl-C, the invented clock going at some speed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--speed", type=float, default=60.0, help="invented seconds per second")
    arguments = parser.parse_args()
    page = ServedPage(page=page_directory(), port=arguments.port)
    threading.Thread(target=page.run, daemon=True).start()
    print(f"the page: {page.url}")
    while True:
        time.sleep(0.25)
        page.clock.advance(timedelta(seconds=0.25 * arguments.speed))


if __name__ == "__main__":
    main()
