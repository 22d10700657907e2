"""What a leader has kept and answered lately, in order, for those that follow it. Usable from any thread.

Of what is stored each entry counts, so they stay until there are too many bytes of them; who lacks some that are gone
needs a copy. Of answers only the newest of each policy counts.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from agent.cluster.peers.proto import peers_pb2 as proto
from agent.cluster.peers.wire import answer_message
from agent.told import Told
from scalers.policy import PolicyKey

MOST_BYTES = 16 * 1024 * 1024  # a thousand policies write as much in some minutes
_PAGE_BYTES = 512 * 1024
_PAGE_ANSWERS = 500  # 600 bytes each

Wake = Callable[[], None]


class CopyNeeded(Exception):
    """What a follower lacks is not here any more, or is of another leadership."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a follower is."""

    term: str
    stored: int  # entries up to this number are with it
    answered: int  # answers up to this number are with it


@dataclass(frozen=True, slots=True)
class _Published:
    number: int
    told: Told
    at: float  # seconds, monotonic


class Journal:
    """One leadership's entries and answers, numbered in one row."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic, most_bytes: int = MOST_BYTES) -> None:
        self._monotonic = monotonic
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._term = ""  # empty where this agent leads nobody
        self._number = 0
        self._entries: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._forgotten = 0  # entries up to this number are gone
        self._answers: dict[PolicyKey, _Published] = {}  # in the order of their numbers
        self._wakes: tuple[Wake, ...] = ()

    @property
    def term(self) -> str:
        """Which leadership this is; empty where there is none."""
        return self._term

    def begin(self, term: str) -> None:
        """Begin a leadership, or with an empty name end one; answers of the one before it are kept."""
        with self._lock:
            self._term = term
            self._entries.clear()
            self._bytes, self._forgotten = 0, self._number
        self._wake()

    def wrote(self, page: proto.Page) -> None:
        """Add what has been stored."""
        if not self._term:
            return
        body = page.SerializeToString()
        with self._lock:
            self._number += 1
            self._entries.append((self._number, body))
            self._bytes += len(body)
            while self._bytes > self._most_bytes:
                number, oldest = self._entries.popleft()
                self._bytes -= len(oldest)
                self._forgotten = number
        self._wake()

    def published(self, told: Told) -> None:
        """Put an answer in the place of the one before it."""
        with self._lock:
            self._number += 1
            self._answers.pop(told.key, None)
            self._answers[told.key] = _Published(self._number, told, self._monotonic())
        self._wake()

    def dropped(self, key: PolicyKey) -> None:
        """Forget a policy's answer."""
        with self._lock:
            self._answers.pop(key, None)

    def newest(self, key: PolicyKey) -> Told | None:
        """Return a policy's answer as old as it is now; None where there is none."""
        with self._lock:
            published = self._answers.get(key)
        return None if published is None else self._aged(published)

    def cursor(self, position: proto.Position) -> Cursor:
        """Return where a follower goes on.

        Raises:
            CopyNeeded: it lacks what is not here any more.
        """
        with self._lock:
            if not self._term or position.term != self._term or position.sequence < self._forgotten:
                raise CopyNeeded
            return Cursor(self._term, position.sequence, position.sequence)

    def head(self) -> Cursor:
        """Return where a follower goes on whose copy is begun now."""
        with self._lock:
            return Cursor(self._term, self._number, 0)

    def after(self, cursor: Cursor) -> tuple[proto.Page, Cursor] | None:
        """Return what comes next, entries before answers, so that none is told before it is kept; None without any.

        Raises:
            CopyNeeded: the follower was too slow, or the leadership has ended.
        """
        with self._lock:
            if cursor.term != self._term or cursor.stored < self._forgotten:
                raise CopyNeeded
            page, stored = self._stored_after(cursor.stored)
            answered = cursor.answered
            if not self._entries or stored >= self._entries[-1][0]:
                stored, answered = self._number, self._answered_after(answered, page)
        if not page.ByteSize():
            return None
        page.term, page.sequence = cursor.term, min(stored, answered)
        return page, Cursor(cursor.term, stored, answered)

    def subscribe(self, wake: Wake) -> Callable[[], None]:
        """Call `wake`, from any thread, when there may be more; return what ends it."""
        with self._lock:
            self._wakes = (*self._wakes, wake)
        return lambda: self._unsubscribe(wake)

    def _stored_after(self, number: int) -> tuple[proto.Page, int]:
        page, size = proto.Page(), 0
        # the entry that is wanted lies near the end, where a follower usually is
        first = next((len(self._entries) - i for i, (at, _) in enumerate(reversed(self._entries)) if at <= number), 0)
        for index in range(first, len(self._entries)):
            number, body = self._entries[index]
            page.MergeFromString(body)
            size += len(body)
            if size >= _PAGE_BYTES:
                return page, number
        return page, number

    def _answered_after(self, number: int, page: proto.Page) -> int:
        fresh: list[_Published] = []
        for published in reversed(self._answers.values()):
            if published.number <= number:
                break
            fresh.append(published)
        for published in list(reversed(fresh))[:_PAGE_ANSWERS]:
            page.answers.append(answer_message(self._aged(published)))
            number = published.number
        return number if len(fresh) > _PAGE_ANSWERS else self._number

    def _aged(self, published: _Published) -> Told:
        since = timedelta(seconds=self._monotonic() - published.at)
        told = published.told
        return replace(told, age=told.age + since, valid_for=told.valid_for - since)

    def _wake(self) -> None:
        for wake in self._wakes:
            wake()

    def _unsubscribe(self, wake: Wake) -> None:
        with self._lock:
            self._wakes = tuple(each for each in self._wakes if each is not wake)
