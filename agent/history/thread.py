"""The one thread in which the store is used: its calls block, and a hung volume may block them for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from agent.history.store import StoreFailed

T = TypeVar("T")

# A healthy store is never this far behind; more calls than this in the queue would only grow.
_MOST_WAITING = 10_000
# A decision would rather be without what is on a disk than late.
_SOON_SECONDS = 2.0


class StoreThread:
    """Runs calls to the store one after the other, in the order they came."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._waiting = 0

    async def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Make a blocking call off the loop. A caller that gives up takes a call that has not begun out of the queue.

        Raises:
            StoreFailed: the store has not answered for so long that nothing more is queued.
        """
        if self._waiting >= _MOST_WAITING:
            raise StoreFailed(f"{self._waiting} calls wait for the store: its volume hangs")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
        finally:
            self._waiting -= 1

    async def soon(self, function: Callable[..., T], *arguments: object) -> T:
        """Make a blocking call that a decision waits for: two seconds at most.

        Raises:
            StoreFailed: the store did not answer in time.
        """
        try:
            async with asyncio.timeout(_SOON_SECONDS):
                return await self.call(function, *arguments)
        except TimeoutError as error:
            raise StoreFailed(f"the store has not answered for {_SOON_SECONDS:g} s: its volume hangs") from error

    def close(self) -> None:
        """Wait for the calls that were made."""
        self._thread.shutdown()
