"""An event loop whose time passes when the test says so; it has a clock and timers, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class HeldLoop(asyncio.AbstractEventLoop):
    """Runs each timer at its instant while the test passes time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.wake_ups = 0
        self._timers: list[asyncio.TimerHandle] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[..., object], *args: object, **_: object) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self)
        self._timers.append(timer)
        return timer

    def get_debug(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._timers.remove(handle)

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self._timers and (timer := min(self._timers, key=asyncio.TimerHandle.when)).when() <= end:
            self._timers.remove(timer)
            self.now = max(self.now, timer.when())
            self.wake_ups += 1
            timer._run()
        self.now = end
