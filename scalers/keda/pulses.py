"""Whether policies are active, as streams hear of it: one look at the board for all streams of a policy."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from scalers.keda.board import Answer, AnswerBoard, UnknownPolicy
from scalers.keda.streams import Bell, Streams
from scalers.policy import PolicyKey


@dataclass(frozen=True, slots=True)
class Pulse:
    """As much of an answer as can make a stream speak."""

    is_active: bool
    at_zero: bool  # whether the target is known to be at zero, so that a lost `true` would be missed

    @property
    def is_repeated(self) -> bool:
        """Whether it is said again from time to time."""
        return self.is_active and self.at_zero


class Feed:
    """What the streams of one policy share: a look at the board, and their bells."""

    def __init__(self, board: AnswerBoard, streams: Streams, key: PolicyKey) -> None:
        self.key = key
        self.bells: set[Bell] = set()
        self.changed_at = 0.0  # when the board last told of a change, seconds of the monotonic clock
        self.unsubscribe: Callable[[], None] = lambda: None
        self._board = board
        self._streams = streams
        self._seen: Answer | None = None
        self.pulse: Pulse | None = None  # as of the last look

    def look(self) -> Pulse | None:
        """Return the state now, None where it is not known; whoever sees it change first wakes all streams."""
        answer = self._answer()
        if answer is not self._seen:  # most looks end here: the board gives the same answer until there is another
            self._seen = answer
            self._take(_pulse(answer))
        return self.pulse

    def _answer(self) -> Answer | None:
        try:
            return self._board.answer(self.key)
        except UnknownPolicy:
            return None

    def _take(self, pulse: Pulse | None) -> None:
        if pulse != self.pulse:
            self.pulse = pulse
            self._streams.ring(self.bells)


def _pulse(answer: Answer | None) -> Pulse | None:
    if answer is None or answer.replicas is None:
        return None
    return Pulse(answer.is_active, answer.at_zero is True)


class Feeds:
    """The feeds of all policies that somebody listens to. Used in the server's loop; the board calls from its own."""

    def __init__(
        self,
        board: AnswerBoard,
        streams: Streams,
        loop: asyncio.AbstractEventLoop,
        pushed: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Prepare to tell `pushed`, for each change that a stream has written, how many seconds after it that was."""
        self.streams = streams
        self.pushed = pushed
        self._board = board
        self._loop = loop
        self._feeds: dict[PolicyKey, Feed] = {}
        self._hopping = threading.Lock()
        self._is_open = True

    def join(self, key: PolicyKey, bell: Bell) -> Feed:
        """Let a stream's bell ring when the policy's state changes; one that goes away and comes back is seen again."""
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(self._board, self.streams, key)
            feed.unsubscribe = self._board.subscribe(key, lambda: self._hop(feed))
        feed.bells.add(bell)
        return feed

    def leave(self, feed: Feed, bell: Bell) -> None:
        """Take a stream's bell away; the last one takes the subscription along."""
        feed.bells.discard(bell)
        if not feed.bells:
            del self._feeds[feed.key]
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
