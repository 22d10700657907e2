from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from agent.board import Board
from scalers.keda.board import Answer, UnknownPolicy
from scalers.keda.patience import PatientBoard
from tests.fakes.board import CHAT, REFUSAL, HeldBoard, needing

AWAITED = Answer(replicas=None, is_active=False, reason="no decision yet", is_awaited=True)
LONG, SHORT = timedelta(minutes=1), timedelta(milliseconds=10)


@pytest.fixture
def board() -> HeldBoard:
    """A board on which the one policy has just been taken up."""
    board = HeldBoard()
    board.put(CHAT, AWAITED)
    return board


async def asked(board: HeldBoard) -> asyncio.Task[Answer]:
    """Return a call that waits."""
    call = asyncio.create_task(PatientBoard(board, LONG).answer(CHAT))
    while not board.subscriptions:
        await asyncio.sleep(0)
    return call


@pytest.mark.parametrize("first", [needing(3.0), REFUSAL])
async def test_the_first_answer_is_waited_for_and_told_at_once_whatever_it_is(board: HeldBoard, first: Answer) -> None:
    call = await asked(board)
    board.put(CHAT, first)
    assert await call == first
    assert board.subscriptions == 0


@pytest.mark.parametrize("known", [needing(3.0), REFUSAL])
async def test_any_later_answer_is_told_without_waiting(board: HeldBoard, known: Answer) -> None:
    board.put(CHAT, known)
    assert await PatientBoard(board, LONG).answer(CHAT) == known


async def test_patience_ends(board: HeldBoard) -> None:
    assert await PatientBoard(board, SHORT).answer(CHAT) == AWAITED
    assert board.subscriptions == 0


async def test_a_caller_that_leaves_takes_its_subscription_along(board: HeldBoard) -> None:
    call = await asked(board)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert board.subscriptions == 0


async def test_a_policy_that_is_not_there_is_not_waited_for() -> None:
    with pytest.raises(UnknownPolicy):
        await PatientBoard(HeldBoard(), LONG).answer(CHAT)


async def test_a_policy_that_goes_while_it_is_waited_for_is_unknown() -> None:
    board = Board()
    board.register(CHAT)
    call = asyncio.create_task(PatientBoard(board, LONG).answer(CHAT))
    await asyncio.sleep(0)
    board.remove(CHAT)
    with pytest.raises(UnknownPolicy):
        await call


async def test_the_agents_board_says_that_the_first_answer_is_being_made() -> None:
    board = Board()
    board.register(CHAT)
    assert board.answer(CHAT).is_awaited
    board.publish(CHAT, REFUSAL, valid_for=LONG)
    assert not board.answer(CHAT).is_awaited


def test_a_publisher_that_comes_after_the_loop_has_ended_is_not_troubled(board: HeldBoard) -> None:
    async def leave_with_a_call_on_its_way() -> Callable[[], None]:
        call = await asked(board)
        ((_, tell),) = board._subscribers
        call.cancel()
        return tell

    tell = asyncio.run(leave_with_a_call_on_its_way())
    tell()
