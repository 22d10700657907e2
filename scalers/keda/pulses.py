"""Whether a policy is active, pushed: the state when a stream opens, each change at once, a slow repeat at zero."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from scalers.keda.board import AnswerBoard, UnknownPolicy
from scalers.keda.streams import Bell, Streams
from scalers.policy import PolicyKey


@dataclass(frozen=True, slots=True)
class Pulse:
    """As much of an answer as can make a stream speak."""

    is_active: bool
    at_zero: bool  # whether the target is known to be at zero, so that a lost `true` would be missed


class Feed:
    """What the streams of one policy share: a look at the board, and their bells."""

    def __init__(self, board: AnswerBoard, key: PolicyKey) -> None:
        self._board = board
        self._key = key
        self._last: Pulse | None = None
        self.bells: set[Bell] = set()
        self.changed_at = 0.0  # when the board last told of a change, seconds of the monotonic clock
        self.unsubscribe: Callable[[], None] = lambda: None

    def look(self) -> Pulse | None:
        """Return the state now, None where it is not known; whoever sees it change first wakes all streams."""
        pulse = self._read()
        if pulse != self._last:
            self._last = pulse
            for bell in self.bells:
                bell.ring()
        return pulse

    def _read(self) -> Pulse | None:
        try:
            answer = self._board.answer(self._key)
        except UnknownPolicy:
            return None
        if answer.replicas is None:
            return None
        return Pulse(answer.is_active, answer.at_zero is True)


class Feeds:
    """The feeds of all policies that somebody listens to. Used in the server's loop; the board calls from its own."""

    def __init__(self, board: AnswerBoard, streams: Streams, loop: asyncio.AbstractEventLoop) -> None:
        self.streams = streams
        self._board = board
        self._loop = loop
        self._feeds: dict[PolicyKey, Feed] = {}
        self._hopping = threading.Lock()
        self._is_open = True

    def watch(self, key: PolicyKey) -> Watch:
        """Return one stream's view of a policy; one that goes away and comes back is seen again."""
        return Watch(self, key)

    def join(self, key: PolicyKey, bell: Bell) -> Feed:
        """Let a stream's bell ring when the policy's state changes."""
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(self._board, key)
            feed.unsubscribe = self._board.subscribe(key, lambda: self._hop(feed))
        feed.bells.add(bell)
        return feed

    def leave(self, key: PolicyKey, bell: Bell) -> None:
        """Take a stream's bell away; the last one takes the subscription along."""
        feed = self._feeds[key]
        feed.bells.discard(bell)
        if not feed.bells:
            del self._feeds[key]
            feed.unsubscribe()

    def close(self) -> None:
        """Hear no more from the board. Its publisher may be calling just now, so the loop may end only after this."""
        with self._hopping:
            self._is_open = False

    def _hop(self, feed: Feed) -> None:
        with self._hopping:
            if self._is_open:
                feed.changed_at = time.monotonic()
                self._loop.call_soon_threadsafe(feed.look)


class Watch:
    """What one StreamIsActive says, as an asynchronous iterator inside a `with`; it ends by age or with the server."""

    __slots__ = ("_bell", "_ends_at", "_feed", "_feeds", "_key", "_repeat_at", "_said", "_streams", "changed_at")

    def __init__(self, feeds: Feeds, key: PolicyKey) -> None:
        self._feeds = feeds
        self._streams = feeds.streams
        self._key = key
        self._said: Pulse | None = None
        self.changed_at: float | None = None  # of what was said last, where it was a change
        self._repeat_at = 0.0
        self._ends_at = self._streams.soon(self._streams.settings.age, least=0.8)

    def __enter__(self) -> Self:
        self._bell = self._streams.open()
        self._feed = self._feeds.join(self._key, self._bell)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feeds.leave(self._key, self._bell)
        self._streams.close(self._bell)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bool:
        while not self._streams.is_over(self._ends_at):
            pulse = self._feed.look()
            if pulse is not None and self._is_due(pulse):
                is_change = self._said is not None and self._said.is_active != pulse.is_active
                self.changed_at = self._feed.changed_at if is_change else None
                self._said = pulse
                self._repeat_at = self._streams.soon(self._streams.settings.repeat, least=0.5)
                return pulse.is_active
            await self._bell.sleep_until(self._wakes_at(pulse))
        raise StopAsyncIteration

    def _is_due(self, pulse: Pulse) -> bool:
        if self._said is None or self._said.is_active != pulse.is_active:
            return True
        if not (pulse.is_active and pulse.at_zero):
            return False
        return not self._said.at_zero or self._streams.now() >= self._repeat_at

    def _wakes_at(self, pulse: Pulse | None) -> float:
        if pulse is not None and pulse.is_active and pulse.at_zero:
            return min(self._repeat_at, self._ends_at)
        return self._ends_at
