from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from scalers.keda.pulses import Feeds
from scalers.keda.speeches import ActivitySpeech
from scalers.keda.streams import Streams, StreamSettings
from tests.fakes.board import CHAT, IDLE, REFUSAL, HeldBoard, needing

PEER = "ipv4:10.0.0.7:41234"


def feeds_over(board: HeldBoard, settings: StreamSettings | None = None) -> Feeds:
    loop = asyncio.get_running_loop()
    return Feeds(board, Streams(settings or StreamSettings(), loop), loop)


def listening(feeds: Feeds) -> ActivitySpeech:
    return ActivitySpeech(feeds, CHAT, PEER)


async def said(speech: ActivitySpeech) -> bool | None:
    """Return what a stream says next, None at its end; one that says nothing fails the test, not stops it."""
    async with asyncio.timeout(2):
        while (words := speech.words()) is None:
            if (silence := speech.silence()) is None:
                return None
            await silence
    return words.result


async def settled() -> None:
    """Let everything run that is due."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_changed_and_changed_back_while_a_client_did_not_read_is_not_told_later() -> None:
    board = HeldBoard()
    board.put(CHAT, IDLE)
    feeds = feeds_over(board)
    with listening(feeds) as watch:
        heard = [await said(watch)]
        board.put(CHAT, needing(1.0))
        await settled()
        board.put(CHAT, IDLE)
        await settled()
        feeds.streams.end_all()
        heard.append(await said(watch))
    assert heard == [False, None]


async def test_a_change_that_a_new_stream_saw_first_still_reaches_the_others() -> None:
    board = HeldBoard()
    board.put(CHAT, IDLE)
    feeds = feeds_over(board)
    with listening(feeds) as old, listening(feeds) as new:
        assert await said(old) is False
        waiting = asyncio.ensure_future(said(old))
        await settled()
        board.put(CHAT, needing(1.0))  # the loop has not heard of it yet
        assert await said(new) is True
        assert await waiting is True


async def test_the_same_answer_after_a_refusal_reaches_a_stream_that_was_opened_in_between() -> None:
    board = HeldBoard()
    board.put(CHAT, IDLE)
    feeds = feeds_over(board)
    with listening(feeds) as first:
        assert await said(first) is False
        board.put(CHAT, REFUSAL)
        with listening(feeds) as second:
            waiting = asyncio.ensure_future(said(second))
            await settled()
            board.put(CHAT, IDLE)
            assert await waiting is False


async def test_true_is_not_repeated_once_the_answer_is_a_refusal() -> None:
    board = HeldBoard()
    board.put(CHAT, needing(1.0, at_zero=True))
    feeds = feeds_over(board, StreamSettings(repeat=timedelta(0)))
    with listening(feeds) as watch:
        heard = [await said(watch), await said(watch)]
        board.put(CHAT, REFUSAL)
        waiting = asyncio.ensure_future(said(watch))
        await settled()
        feeds.streams.end_all()
        heard.append(await waiting)
    assert heard == [True, True, None]


async def test_a_target_that_falls_to_zero_while_active_is_told_true_again_at_once() -> None:
    board = HeldBoard()
    board.put(CHAT, needing(1.0, at_zero=False))
    feeds = feeds_over(board)
    with listening(feeds) as watch:
        heard = [await said(watch)]
        board.put(CHAT, needing(1.0, at_zero=True))
        heard.append(await said(watch))
    assert heard == [True, True]


async def test_streams_of_one_policy_share_one_subscription_and_the_last_ends_it() -> None:
    board = HeldBoard()
    feeds = feeds_over(board)
    with listening(feeds):
        with listening(feeds):
            assert board.subscriptions == 1
        assert board.subscriptions == 1
    assert board.subscriptions == 0
    assert len(feeds.streams) == 0


async def test_a_publisher_may_call_while_the_server_goes_away() -> None:
    board = HeldBoard()
    feeds = feeds_over(board)
    with listening(feeds):
        feeds.close()
        await asyncio.to_thread(board.put, CHAT, needing(1.0))


async def test_a_stream_that_is_opened_while_all_end_says_nothing() -> None:
    board = HeldBoard()
    board.put(CHAT, needing(1.0))
    feeds = feeds_over(board)
    feeds.streams.end_all()
    with listening(feeds) as watch:
        assert await said(watch) is None


async def test_a_bell_that_rang_before_the_sleep_is_heard() -> None:
    streams = Streams(StreamSettings(), asyncio.get_running_loop())
    bell = streams.open(PEER)
    bell.ring()
    async with asyncio.timeout(1):
        await bell.sleep_until(streams.now() + 3600)


async def test_a_bell_wakes_at_its_instant_without_being_rung() -> None:
    streams = Streams(StreamSettings(), asyncio.get_running_loop())
    async with asyncio.timeout(1):
        await streams.open(PEER).sleep_until(streams.now() - 1)


async def test_instants_are_drawn_apart_so_that_streams_opened_together_do_not_act_together() -> None:
    streams = Streams(StreamSettings(), asyncio.get_running_loop())
    now = streams.now()
    drawn = [streams.soon(timedelta(seconds=30), least=0.5) - now for _ in range(200)]
    assert min(drawn) >= 15
    assert max(drawn) == pytest.approx(30, abs=1.5)
    assert max(drawn) <= 30.1
