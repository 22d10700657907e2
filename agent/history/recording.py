"""Decisions on their way into the ledger: those that come while the disk is busy are written together.

Each write waits for the disk to have it, some milliseconds. A thousand policies decide within three seconds: one after
the other they would wait for longer than that, and KEDA for their answers.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from agent.history.ledger import Ledger
from agent.history.store import StoreFailed
from agent.history.thread import StoreThread
from scalers.decision import Decision

_MOST_TOGETHER = 100  # 1.5 KB each; followers hear of them in one message


@dataclass(slots=True, eq=False)
class _Waiting:
    decision: Decision
    is_kept: bool = False


class Recording:
    """Records decisions for callers on one loop, by the thread of the store."""

    def __init__(self, ledger: Ledger, storing: StoreThread) -> None:
        """Record in a ledger."""
        self._ledger = ledger
        self._storing = storing
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()

    async def record(self, decision: Decision) -> None:
        """Return when the store has a decision, after two seconds at most.

        Raises:
            StoreFailed: the store has not answered in time, or a write that had the decision in it went wrong.
        """
        mine = _Waiting(decision)
        with self._lock:
            self._waiting.append(mine)
        try:
            # a call for each: whichever comes first takes along what waits, and the calls after it find nothing to do
            await self._storing.soon(self._write)
        finally:
            with self._lock, suppress(ValueError):  # it has been taken
                self._waiting.remove(mine)
        if not mine.is_kept:
            raise StoreFailed(f"the decision of {decision.key} was in a write that went wrong")

    def _write(self) -> None:
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_TOGETHER))]
        if taken:
            self._ledger.record(*(each.decision for each in taken))
        for each in taken:
            each.is_kept = True
