"""One named Prometheus server: a few threads of its own, so that a server that hangs holds up nothing else."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from agent.configuration import PrometheusAddress
from agent.sources.prometheus import failures
from agent.sources.prometheus.client import PrometheusClient, ServerIdentity
from agent.sources.source import SourceError

THREADS = 4  # requests in flight; Prometheus itself evaluates 20 at a time for all its users
TRIES = 3
PAUSE_SECONDS = 0.2  # before the second try, doubled before each later one, and drawn between half and all of it

T = TypeVar("T")


class PrometheusServer:
    """A server that any number of signals ask, from any event loop."""

    def __init__(self, name: str, address: PrometheusAddress, *, threads: int = THREADS) -> None:
        self.name = name
        self.address = address
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"source-{name}")
        self._of_thread = threading.local()
        self._clients: list[PrometheusClient] = []

    async def ask(self, question: Callable[[PrometheusClient, float], T]) -> T:
        """Run a blocking question in a thread, again after a failure that may pass, all within the source's timeout.

        Args:
            question: called with the thread's client and a deadline in monotonic seconds.

        Raises:
            SourceError: there is no answer; the state says why.
        """
        seconds = self.address.timeout.total_seconds()
        deadline = time.monotonic() + seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._try(question, deadline)
        except TimeoutError as error:
            raise failures.timed_out(f"source {self.name}: {self.address.url}") from error

    async def identity(self) -> ServerIdentity:
        """Ask who the server is and what time it has.

        Raises:
            SourceError: it does not answer, or not as the query API.
        """
        return await self.ask(lambda client, deadline: client.identity(deadline=deadline))

    def close(self) -> None:
        """Take no more questions and release the connections; a thread that still waits ends with its deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for client in self._clients:
            client.close()

    async def _try(self, question: Callable[[PrometheusClient, float], T], deadline: float) -> T:
        loop = asyncio.get_running_loop()
        for attempt in range(TRIES - 1):
            try:
                return await loop.run_in_executor(self._pool, self._run, question, deadline)
            except SourceError as error:
                pause = PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1)  # noqa: S311 - jitter, no secret
                if not error.is_retriable or time.monotonic() + pause >= deadline:
                    raise
            await asyncio.sleep(pause)
        return await loop.run_in_executor(self._pool, self._run, question, deadline)

    def _run(self, question: Callable[[PrometheusClient, float], T], deadline: float) -> T:
        client: PrometheusClient | None = getattr(self._of_thread, "client", None)
        if client is None:
            client = self._of_thread.client = PrometheusClient(self.name, self.address)
            self._clients.append(client)
        return question(client, deadline)
