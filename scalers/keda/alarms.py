"""One timer for the instants of all streams: one of the loop for each would be a fortieth of what a stream costs."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Sleeper(Protocol):
    """What an alarm wakes."""

    alarm: int | None  # the alarm clock's own

    def ring(self) -> None:
        """Wake up."""
        ...


class AlarmClock:
    """Rings each sleeper once, at or shortly after its instant. Used in one loop only.

    Instants are rounded up to a common width, so that those of one width share an entry and a wake-up.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, width: float) -> None:
        """Prepare a clock that rings at most `width` seconds late."""
        self._loop = loop
        self._width = width
        self._due: dict[int, set[Sleeper]] = {}  # by how many widths the loop's clock will have counted
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0  # what the timer is set to

    def set(self, sleeper: Sleeper, instant: float) -> None:
        """Ring at an instant of the loop's clock, in seconds, and not at the one that was set before."""
        alarm = int(instant / self._width) + 1
        if sleeper.alarm == alarm:
            return
        self.clear(sleeper)
        sleeper.alarm = alarm
        self._due.setdefault(alarm, set()).add(sleeper)
        if self._timer is None or alarm < self._next:
            self._wind(alarm)

    def clear(self, sleeper: Sleeper) -> None:
        """Ring no more."""
        if sleeper.alarm is None:
            return
        together = self._due[sleeper.alarm]
        together.discard(sleeper)
        if not together:
            del self._due[sleeper.alarm]
        sleeper.alarm = None

    def _wind(self, alarm: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = alarm
        self._timer = self._loop.call_at(alarm * self._width, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = int(self._loop.time() / self._width)
        for alarm in [alarm for alarm in self._due if alarm <= now]:
            for sleeper in self._due.pop(alarm):
                sleeper.alarm = None
                sleeper.ring()
        if self._due:
            self._wind(min(self._due))
