"""A follower of a real server on a loopback port: it becomes a copy, and stays one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from cryptography.x509 import DNSName

from agent.clock import WallClock
from agent.cluster.peers.address import Place
from agent.cluster.peers.copying import Copying, Kept
from agent.cluster.peers.dialling import GrpcLine, NotHeard
from agent.cluster.peers.follower import Follower
from agent.cluster.peers.journal import Journal
from agent.cluster.peers.proto import peers_pb2 as proto
from agent.cluster.peers.proto.peers_pb2_grpc import PeersStub
from agent.cluster.peers.service import PeersService
from agent.cluster.peers.shared_store import SharedStore
from agent.cluster.peers.sharing import agents_of
from agent.history.memory import MemoryStore
from agent.history.store import StoredSample, StoreLimits
from agent.history.thread import StoreThread
from agent.told import Told
from scalers.keda.certificates import TlsFiles
from scalers.keda.server import KedaServer
from scalers.keda.tls import ServingTls
from scalers.policy import PolicyKey
from tests.certificates import Authority, MountedSecret
from tests.fakes.board import HeldBoard
from tests.fakes.peers import CHAT, NOON, SetElector, row, told
from tests.fakes.rpcs import RecordedRpcs
from tests.keda_server import PATIENT

SIGNAL = "ml/chat/demand"
STEP = timedelta(seconds=15)
EVER = {"since": NOON - timedelta(days=999), "until": NOON + timedelta(days=999), "limit": 99}
PATIENCE = 5.0  # seconds


class Followers:
    """Counts them."""

    count = 0

    def followers(self, count: int) -> None:
        self.count = count


@dataclass
class Heard:
    """What a follower has taken up."""

    answers: dict[PolicyKey, float | None] = field(default_factory=dict)

    def heard(self, each: Told) -> None:
        self.answers[each.key] = each.answer.replicas


class Leader:
    """A store, a journal, and the server that tells of them."""

    def __init__(self, tls: ServingTls | None = None) -> None:
        self.journal = Journal()
        self.journal.begin("first")
        self.store = SharedStore(MemoryStore(StoreLimits()), self.journal)
        self.storing = StoreThread()
        self.elector, self.followers = SetElector(), Followers()
        kept, loop = [Kept(CHAT, timedelta(days=9999), [(SIGNAL, STEP)])], asyncio.get_running_loop()
        service = PeersService(
            self.journal,
            Copying(self.store, self.storing, WallClock(), lambda: kept),
            self.elector,
            self.followers,
            clock=WallClock(),
            agents=lambda: agents_of(tls),
            own_loop=lambda: loop,
        )
        self.server = KedaServer(HeldBoard(), RecordedRpcs(), PATIENT, tls=tls, guests=[service])
        self.place = Place("127.0.0.1", self.server.start("127.0.0.1:0"), is_tls=tls is not None)

    def keep(self, minute: int, answer: float) -> None:
        """Keep and answer as the engine does."""
        self.store.append_samples([StoredSample(SIGNAL, NOON + timedelta(minutes=minute), 60.0 + minute)])
        self.store.put_state(SIGNAL, "peaks", f"known at {minute}".encode())
        self.store.put_decision(row(answer, minute))
        self.journal.published(told(answer))


class Follows:
    """A follower with a store of its own, that listens as long as the test wants."""

    def __init__(self, place: Place | None, tls: ServingTls | None = None) -> None:
        self.place = place
        self.store, self.heard, self.storing = MemoryStore(StoreLimits()), Heard(), StoreThread()
        self.line = GrpcLine(tls)
        self.follower = Follower(self.line, self.store, self.storing, self.heard, leader=lambda: self.place)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.follower.run())
        yield
        running.cancel()
        await asyncio.wait([running])

    async def until_answer(self, replicas: float) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.heard.answers.get(CHAT) != replicas:
                await asyncio.sleep(0.01)

    @property
    def values(self) -> list[float]:
        series = self.store.load_samples(SIGNAL, since=NOON, step=timedelta(minutes=1))
        return [float(value) for value in series.values]

    @property
    def rows(self) -> list[bytes]:
        return [each.body for each in self.store.decisions(str(CHAT), **EVER)]  # type: ignore[arg-type]


@pytest.fixture
def secret(tmp_path: Path) -> tuple[Authority, MountedSecret]:
    """What all agents have mounted."""
    authority, mounted = Authority(tmp_path / "issued"), MountedSecret(tmp_path / "mounted")
    names = [DNSName("foretide.foretide")]
    mounted.write(authority.sign("agent", "agent", names=names), authority.file)
    return authority, mounted


async def test_a_follower_gets_what_was_there_before_it_and_what_comes_after() -> None:
    leader = Leader()
    leader.keep(0, 5.0)
    follows = Follows(leader.place)
    async with follows.listening():
        await follows.until_answer(5.0)
        assert follows.values == [60.0]
        leader.keep(1, 7.5)
        await follows.until_answer(7.5)
        assert follows.values == [60.0, 61.0]
        assert follows.store.states(SIGNAL) == {"peaks": b"known at 1"}
        assert follows.rows == [b'{"answer": 7.5}', b'{"answer": 5.0}']
        assert leader.followers.count == 1
    await asyncio.to_thread(leader.server.stop, timedelta(0))


async def test_a_follower_that_comes_again_is_told_what_it_lacks_and_no_more() -> None:
    leader, follows = Leader(), None
    leader.keep(0, 5.0)
    follows = Follows(leader.place)
    async with follows.listening():
        await follows.until_answer(5.0)
        async with asyncio.timeout(PATIENCE):  # a page without content tells that the copy is whole
            while not follows.follower._position.complete_until_us:
                await asyncio.sleep(0.01)
    follows.store.put_state(SIGNAL, "peaks", b"mine")
    leader.store.put_decision(row(9.0, 2))
    leader.journal.published(told(9.0))
    async with follows.listening():
        await follows.until_answer(9.0)
    assert follows.store.states(SIGNAL) == {"peaks": b"mine"}, "what it had was not copied again"
    assert follows.rows[0] == b'{"answer": 9.0}'
    await asyncio.to_thread(leader.server.stop, timedelta(0))


async def test_one_that_led_before_gets_a_copy_of_what_has_come_since() -> None:
    leader = Leader()
    for minute in (0, 60):
        leader.keep(minute, 5.0 + minute)
    follows = Follows(leader.place)
    follows.follower.was_complete(int((NOON + timedelta(minutes=55)).timestamp()) * 1_000_000)
    async with follows.listening():
        await follows.until_answer(65.0)
    assert follows.rows == [b'{"answer": 65.0}']
    assert follows.values[-1] == 120.0
    assert len(follows.values) == 1
    await asyncio.to_thread(leader.server.stop, timedelta(0))


async def test_a_server_that_leaves_ends_its_streams_well() -> None:
    leader = Leader()
    leader.keep(0, 5.0)
    follows = Follows(None)
    stream = follows.line.follow(leader.place, proto.Position())
    page = await stream.next()
    assert page is not None
    stopping = asyncio.create_task(asyncio.to_thread(leader.server.stop, timedelta(seconds=5)))
    while page is not None:
        page = await stream.next()
    stream.close()
    await stopping


async def test_who_does_not_lead_is_not_followed() -> None:
    leader = Leader()
    leader.journal.begin("")
    stream = Follows(None).line.follow(leader.place, proto.Position())
    with pytest.raises(NotHeard, match="UNAVAILABLE: this agent does not lead"):
        await stream.next()
    stream.close()
    await asyncio.to_thread(leader.server.stop, timedelta(0))


async def test_nobody_there_is_a_reason_that_is_told() -> None:
    follows = Follows(Place("127.0.0.1", 1, is_tls=False))
    async with follows.listening():
        async with asyncio.timeout(PATIENCE):
            while follows.follower.reason is None:
                await asyncio.sleep(0.01)
    assert follows.follower.reason.startswith("UNAVAILABLE")
    assert follows.heard.answers == {}


async def test_agents_know_each_other_by_their_certificate(secret: tuple[Authority, MountedSecret]) -> None:
    _, mounted = secret
    tls = ServingTls(TlsFiles(mounted.certificate, mounted.key, mounted.authority))
    leader = Leader(tls)
    leader.keep(0, 5.0)
    follows = Follows(leader.place, tls)
    async with follows.listening():
        await follows.until_answer(5.0)
    await asyncio.to_thread(leader.server.stop, timedelta(0))


async def test_a_client_of_kedas_is_no_agent(secret: tuple[Authority, MountedSecret]) -> None:
    authority, mounted = secret
    leader = Leader(ServingTls(TlsFiles(mounted.certificate, mounted.key, mounted.authority)))
    leader.keep(0, 5.0)
    pair = authority.sign("keda", "keda", names=[DNSName("keda-operator.keda.svc")])
    files = (authority.file, pair.key, pair.certificate)
    credentials = grpc.ssl_channel_credentials(*(file.read_bytes() for file in files))
    name = [("grpc.ssl_target_name_override", "foretide.foretide")]

    def refused() -> list[grpc.StatusCode]:
        with grpc.secure_channel(leader.place.target, credentials, options=name) as channel:
            calls = [
                lambda: list(PeersStub(channel).Follow(proto.Position())),
                lambda: PeersStub(channel).Announce(proto.Leader(holder="keda", transitions=9)),
            ]
            return [_code(call) for call in calls]

    assert await asyncio.to_thread(refused) == [grpc.StatusCode.PERMISSION_DENIED] * 2
    assert leader.elector.heard == []
    await asyncio.to_thread(leader.server.stop, timedelta(0))


def _code(call: Callable[[], object]) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return raised.value.code()  # type: ignore[attr-defined]  # it is a call too


async def test_who_leads_is_announced_to_the_one_before() -> None:
    leader = Leader()
    await Follows(None).line.announce(leader.place, proto.Leader(holder="b", transitions=4, address="plaintext://x"))
    async with asyncio.timeout(PATIENCE):
        while not leader.elector.heard:
            await asyncio.sleep(0.01)
    assert leader.elector.heard == [("b", 4, "plaintext://x")]
    await asyncio.to_thread(leader.server.stop, timedelta(0))
