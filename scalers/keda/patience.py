"""A policy's first answer, waited for: a moment of waiting where a refusal would cost KEDA minutes of deafness.

KEDA 2.21 throws a scaler away after any error, and closes the connection with its streams once no scaler of its is
left. The streams' own retries then fail ("the scaler is closed") until a poll builds the scaler again, so a target at
zero that is polled every ten minutes hears no push for ten minutes. An agent that has just started would refuse for
as long as its first reading takes, and KEDA may come in just that moment: both are restarted by a drained node, and a
policy is applied together with its ScaledObject.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from scalers.keda.board import Answer, AnswerBoard
from scalers.policy import PolicyKey


class PatientBoard:
    """Reads a board in the server's loop, and waits where a policy's first answer is being made."""

    def __init__(self, board: AnswerBoard, patience: timedelta) -> None:
        self._board = board
        self._patience = patience

    async def answer(self, key: PolicyKey) -> Answer:
        """Return the newest answer: at once, unless it is the policy's first.

        Raises:
            UnknownPolicy: there is no such policy.
        """
        answer = self._board.answer(key)
        if not answer.is_awaited:
            return answer
        await self._first(key)
        return self._board.answer(key)

    def check(self, key: PolicyKey) -> None:
        """Return if the policy is known, whether or not it has an answer.

        Raises:
            UnknownPolicy: there is no such policy.
        """
        self._board.answer(key)

    async def _first(self, key: PolicyKey) -> None:
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(changed.set)

        unsubscribe = self._board.subscribe(key, tell)
        try:
            if self._board.answer(key).is_awaited:  # else it came before the subscription
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._patience.total_seconds()):
                        await changed.wait()
        finally:
            unsubscribe()
