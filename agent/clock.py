"""The clock port: wall time in `run`, simulated time in the demo and in tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the engine learns the time and waits for it."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""
        ...

    async def sleep_until(self, instant: datetime) -> None:
        """Return when the instant has come; at once when it has passed."""
        ...


class WallClock:
    """The machine's clock, which may be set while it runs."""

    def __init__(
        self, wall: Callable[[], datetime] = lambda: datetime.now(UTC), monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""
        return self._wall()

    async def sleep_until(self, instant: datetime) -> None:
        """Sleep in short naps: a clock set ahead ends the sleep, and one set back makes it no longer than it was."""
        end = self._monotonic() + (instant - self.now()).total_seconds()
        while (left := min((instant - self.now()).total_seconds(), end - self._monotonic())) > 0:
            await asyncio.sleep(min(left, 1.0))


class SimulatedClock:
    """Time that moves only when its owner says so, at most `speed` simulated seconds per real second."""

    def __init__(self, start: datetime, *, speed: float | None = None) -> None:
        self._now = start
        self._speed = speed
        self._began = time.monotonic()
        self._start = start

    def now(self) -> datetime:
        """Return the simulated instant."""
        return self._now

    async def sleep_until(self, instant: datetime) -> None:
        """Move the time to the instant; with a speed, not before the real clock allows it."""
        if self._speed is not None:
            due = self._began + (instant - self._start) / timedelta(seconds=1) / self._speed
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        else:
            await asyncio.sleep(0)
        self._now = max(self._now, instant)
