"""How fast the demo's days go by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from agent.demo.load import STEP


class Pace:
    """Holds the simulation to a number of simulated seconds per real second."""

    def __init__(
        self,
        speed: float | None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take the speed; None is as fast as the machine can.

        Raises:
            ValueError: speed is not above 0.
        """
        if speed is not None and not speed > 0:
            raise ValueError(f"speed must be above 0, got {speed}")
        self._step_seconds = 0.0 if speed is None else STEP.total_seconds() / speed
        self._monotonic = monotonic
        self._sleep = sleep
        self._due = monotonic()

    async def wait(self) -> None:
        """Return when the next step may begin; at once, and without catching up later, where the machine is slower."""
        now = self._monotonic()
        self._due = max(self._due + self._step_seconds, now)
        await self._sleep(self._due - now)
