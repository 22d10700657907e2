"""What all streams of the server share: a clock of their own loop, an end at a good age, and one end for all.

Every stream sleeps on its own bell. A stream whose client does not read stands still in its own write; it holds one
message, and wakes to the newest state whenever the client reads again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from scalers.keda.alarms import AlarmClock
from scalers.keda.limits import Limits, OpenStreams

_PRECISION = 1000  # of a stream's age; its other times are a hundredth of it and more
_AT_ONCE = 200  # streams that are woken between two looks at what clients ask; each takes some 50 us


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How often streams repeat themselves, and how old they grow."""

    # A `true` may be lost in KEDA (kedacore/keda#8168), so it is said again while the target is still at zero. Each
    # costs KEDA a read and a status patch: never every second.
    repeat: timedelta = timedelta(seconds=30)
    # KEDA drops the specs it was sent on any error of the scaler, and each one sent makes it reconcile.
    respec: timedelta = timedelta(minutes=5)
    # A stream that ends with OK is opened again after 2 s, on a replica that may not have been there before.
    age: timedelta = timedelta(minutes=15)


class Bell:
    """Wakes one stream, when somebody rings it or when an instant has come.

    An `asyncio.Event` for one waiter, at a tenth of the memory: there are 20,000 of them.
    """

    __slots__ = ("_clock", "_has_rung", "_loop", "_sleep", "alarm", "peer")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: AlarmClock, peer: str) -> None:
        self.alarm: int | None = None
        self.peer = peer
        self._loop = loop
        self._clock = clock
        self._has_rung = False
        self._sleep: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake the stream, or let it look once more before it sleeps."""
        if self._sleep is None or self._sleep.done():
            self._has_rung = True
        else:
            self._sleep.set_result(None)

    def sleep_until(self, instant: float) -> asyncio.Future[None]:
        """Return what is done when the bell has rung since the last sleep, or at an instant of the loop's clock."""
        self._clock.set(self, instant)
        self._sleep = self._loop.create_future()
        if self._has_rung:
            self._has_rung = False
            self._sleep.set_result(None)
        return self._sleep


class Streams:
    """The open streams of one server. Used in the server's loop only."""

    def __init__(
        self, settings: StreamSettings, loop: asyncio.AbstractEventLoop, places: OpenStreams | None = None
    ) -> None:
        self.settings = settings
        self._places = OpenStreams(Limits()) if places is None else places
        self._is_ending = False
        self._loop = loop
        self._bells: set[Bell] = set()
        self._clock = AlarmClock(loop, width=settings.age.total_seconds() / _PRECISION)

    def now(self) -> float:
        """Return the loop's clock, seconds."""
        return self._loop.time()

    def soon(self, longest: timedelta, *, least: float) -> float:
        """Return an instant between `least` (a share) of `longest` and `longest` from now.

        KEDA opens all its streams at once when it starts; drawn apart, they never act together again.
        """
        share = random.uniform(least, 1.0)  # noqa: S311 - spreads load, keeps no secret
        return self.now() + share * longest.total_seconds()

    def is_over(self, instant: float) -> bool:
        """Return whether a stream that lives until an instant has to end now."""
        return self._is_ending or self.now() >= instant

    def open(self, peer: str) -> Bell:
        """Take a stream in.

        Args:
            peer: as gRPC names it.

        Raises:
            LimitExceeded: its peer has as many as it may.
        """
        bell = Bell(self._loop, self._clock, self._places.open(peer))
        self._bells.add(bell)
        return bell

    def close(self, bell: Bell) -> None:
        """Let a stream go."""
        self._clock.clear(bell)
        self._bells.discard(bell)
        self._places.close(bell.peer)

    def ring(self, bells: Collection[Bell]) -> None:
        """Wake streams, some at a time, so that calls need not wait until all have said what they have to say."""
        self._ring_from(0, tuple(bells))

    def end_all(self) -> None:
        """Let every stream end with OK; one that is opened from now on ends at once."""
        self._is_ending = True
        self.ring(self._bells)

    def _ring_from(self, first: int, bells: tuple[Bell, ...]) -> None:
        end = first + _AT_ONCE
        for bell in bells[first:end]:
            bell.ring()
        if end < len(bells):
            self._loop.call_soon(self._ring_from, end, bells)

    def __len__(self) -> int:
        return len(self._bells)
