"""Some of KEDA's calls in the log: a random share of those that were answered, and the refused up to so many a minute.

Written by a thread of its own, so that a log that nobody reads away keeps no call waiting; what does not fit in between
is dropped and counted. Of a trigger's metadata only the policy's name is written: the rest may be secrets.
"""

from __future__ import annotations

import math
import queue
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from agent.budget import Budget
from agent.log import logger
from scalers.keda.call_log import EndedCall

_MOST_WAITING = 1000
_REFUSED_AT_ONCE = 20  # as many triggers as go wrong together by one mistake
_ANSWERED = {"OK", "CANCELLED"}  # a client leaves its streams when it likes
_PATIENCE_SECONDS = 1.0


class Sampling:
    """Takes a share of what comes, at random: calls come in patterns, of which each n-th would always be the same."""

    def __init__(self, share: float, draw: Callable[[], float] = random.random) -> None:
        self._share = share
        self._draw = draw
        self._left = self._gap()

    def takes(self) -> bool:
        """Return whether this one is taken."""
        self._left -= 1
        if self._left > 0:
            return False
        self._left = self._gap()
        return True

    def _gap(self) -> float:
        """Return how many come until one is taken, it included: one draw for all of them, from the geometric law."""
        if self._share <= 0:
            return math.inf
        if self._share >= 1:
            return 1
        return 1 + math.floor(math.log(1 - self._draw()) / math.log(1 - self._share))


class AccessLog:
    """The agent's `CallLog`. Begun and closed once."""

    def __init__(
        self, *, share: float, refused_per_minute: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._answered = Sampling(share)
        at_once = min(_REFUSED_AT_ONCE, refused_per_minute)
        self._refused = Budget(refused_per_minute / 60, at_once=at_once, monotonic=monotonic)
        self._left_out = 0  # refused calls since the last one that was written
        self._waiting: queue.Queue[tuple[EndedCall, int] | None] = queue.Queue(_MOST_WAITING)
        self._lost = 0
        self._log = logger("access")
        self._thread = threading.Thread(target=self._write_all, name="access-log", daemon=True)

    def begin(self) -> None:
        """Let what is taken be written."""
        self._thread.start()

    def close(self) -> None:
        """Write what waits, unless the log takes nothing any more."""
        if self._thread.is_alive():
            with suppress(queue.Full):
                self._waiting.put(None, timeout=_PATIENCE_SECONDS)
                self._thread.join(_PATIENCE_SECONDS)

    def takes_answered(self) -> bool:
        """Return whether this call is one of the share."""
        return self._answered.takes()

    def takes_refused(self) -> bool:
        """Return whether as many as may be were written this minute."""
        if self._refused.take():
            return True
        self._left_out += 1
        return False

    def write(self, call: EndedCall) -> None:
        """Hand a call to the thread that writes."""
        left_out = 0
        if call.code not in _ANSWERED:
            left_out, self._left_out = self._left_out, 0
        try:
            self._waiting.put_nowait((call, left_out))
        except queue.Full:
            self._lost += 1

    def _write_all(self) -> None:
        while (item := self._waiting.get()) is not None:
            self._write(*item)

    def _write(self, call: EndedCall, left_out: int) -> None:
        lost, self._lost = self._lost, 0
        notes = {"reason": call.reason, "left_out": left_out, "lost": lost}
        self._log.info(
            "keda_call",
            rpc=call.rpc,
            code=call.code,
            seconds=round(call.seconds, 6),
            namespace=call.namespace,
            scaled_object=call.scaled_object,
            policy=call.policy,
            peer=call.peer,
            **{name: note for name, note in notes.items() if note},
        )
