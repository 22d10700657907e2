"""A follower whose leader says nothing, or is no leader any more; on simulated time."""

from __future__ import annotations

import asyncio

from agent.cluster.peers.address import Place
from agent.cluster.peers.dialling import NotHeard
from agent.cluster.peers.follower import Follower
from agent.cluster.peers.proto import peers_pb2 as proto
from agent.cluster.peers.wire import answer_message, rows_message
from agent.history.memory import MemoryStore
from agent.history.store import StoredDecision, StoreFailed, StoreLimits
from agent.history.thread import StoreThread
from agent.told import Told
from tests.fakes.engine import played
from tests.fakes.peers import row, told

FIRST, SECOND = Place("10.0.0.1", 6000, is_tls=False), Place("10.0.0.2", 6000, is_tls=False)


class ScriptedLine:
    """Leaders that say the test's pages, and then nothing; remembers who was called, when, and from where."""

    def __init__(self, *pages: proto.Page) -> None:
        self.pages = pages
        self.calls: list[tuple[float, Place, int]] = []

    def follow(self, place: Place, position: proto.Position) -> ScriptedStream:
        self.calls.append((asyncio.get_running_loop().time(), place, position.sequence))
        return ScriptedStream(list(self.pages))

    async def announce(self, place: Place, leader: proto.Leader) -> None:
        raise NotHeard("nobody announces here")


class ScriptedStream:
    def __init__(self, pages: list[proto.Page]) -> None:
        self._pages = pages

    async def next(self) -> proto.Page | None:
        if self._pages:
            return self._pages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    def close(self) -> None: ...


class FullStore(MemoryStore):
    """Takes no row."""

    def put_decision(self, *rows: StoredDecision) -> None:
        raise StoreFailed("no space left")


class Scene:
    def __init__(self, line: ScriptedLine, store: MemoryStore | None = None) -> None:
        self.line, self.place, self.answers = line, FIRST, list[float | None]()
        self.follower = Follower(
            line,
            store or MemoryStore(StoreLimits()),
            StoreThread(),
            self,
            leader=lambda: self.place,
            monotonic=lambda: asyncio.get_running_loop().time(),
        )

    def heard(self, each: Told) -> None:
        self.answers.append(each.answer.replicas)

    async def play(self, seconds: float) -> None:
        running = asyncio.create_task(self.follower.run())
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.wait([running])


def a_page(answer: float, sequence: int) -> proto.Page:
    page = rows_message([row(answer, 0)])
    page.term, page.sequence = "first", sequence
    page.answers.append(answer_message(told(answer)))
    return page


def test_a_leader_that_says_nothing_for_6_s_is_called_again() -> None:
    async def scenario() -> Scene:
        scene = Scene(ScriptedLine())
        await scene.play(9.0)
        return scene

    scene = played(scenario())
    assert [place for _, place, _ in scene.line.calls] == [FIRST, FIRST]
    assert 6.0 < scene.line.calls[1][0] < 9.0
    assert scene.follower.reason == "nothing was said for 6 s"


def test_who_was_heard_is_called_again_from_where_it_was() -> None:
    async def scenario() -> Scene:
        scene = Scene(ScriptedLine(a_page(5.0, 7)))
        await scene.play(9.0)
        return scene

    scene = played(scenario())
    assert [position for _, _, position in scene.line.calls] == [0, 7]


def test_another_leader_is_followed_within_a_second_however_silent_the_old_one_is() -> None:
    async def scenario() -> Scene:
        scene = Scene(ScriptedLine())
        running = asyncio.create_task(scene.play(4.0))
        await asyncio.sleep(2.0)
        scene.place = SECOND
        await running
        return scene

    scene = played(scenario())
    assert [place for _, place, _ in scene.line.calls] == [FIRST, SECOND]
    assert scene.line.calls[1][0] < 3.5


def test_what_cannot_be_stored_still_answers_and_is_asked_for_again() -> None:
    async def scenario() -> Scene:
        scene = Scene(ScriptedLine(a_page(5.0, 7)), FullStore(StoreLimits()))
        await scene.play(9.0)
        return scene

    scene = played(scenario())
    assert scene.answers == [5.0, 5.0]
    assert [position for _, _, position in scene.line.calls] == [0, 0]
