"""The clock port: wall time in `run`, simulated time in the demo and in tests."""

from __future__ import annotations

import asyncio
import time
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
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, instant: datetime) -> None:
        """Sleep in real time, in short naps so that a stepped clock is noticed."""
        while (left := (instant - self.now()).total_seconds()) > 0:
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
