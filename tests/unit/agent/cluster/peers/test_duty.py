"""Who decides and who follows, by what the Lease says."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from agent.cluster.lease import Record, Standing
from agent.cluster.peers.address import Place
from agent.cluster.peers.dialling import NotHeard
from agent.cluster.peers.duty import LeaseDuty
from agent.cluster.peers.journal import Journal
from agent.cluster.peers.proto import peers_pb2 as proto
from agent.telemetry import Telemetry
from tests.fakes.engine import LoopClock, counted, played
from tests.fakes.peers import NOON, SetChair

HERE = Place("10.0.0.1", 6000, is_tls=False)
OTHER = "plaintext://127.0.0.1:6001"


class RecordingLine:
    """Remembers who was told; the first tries fail."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.told: list[tuple[str, str]] = []

    def follow(self, place: Place, position: proto.Position) -> object:
        raise AssertionError("nobody follows here")

    async def announce(self, place: Place, leader: proto.Leader) -> None:
        if self.failures:
            self.failures -= 1
            raise NotHeard("UNAVAILABLE")
        self.told.append((str(place), leader.holder))


class Rig:
    def __init__(self, line: RecordingLine | None = None, *, own: Place | None = HERE) -> None:
        self.chair, self.journal, self.telemetry = SetChair(), Journal(), Telemetry(version="test")
        self.duty = LeaseDuty(
            self.chair,  # type: ignore[arg-type]  # an election that the test decides
            self.journal,
            line or RecordingLine(),  # type: ignore[arg-type]
            clock=LoopClock(),
            is_tls=False,
            place=lambda port: own,
        )
        self.duty.telemetry = self.telemetry.peers

    @property
    def elector(self):
        return self.chair.elector


def look(rig: Rig, *, is_deciding: bool) -> None:
    async def scenario() -> None:
        rig.duty.look(is_deciding=is_deciding)

    played(scenario())


def test_the_holder_decides_and_a_follower_rests() -> None:
    rig = Rig()
    rig.elector.lead()
    assert (rig.duty.may_decide(), rig.duty.must_rest()) == (True, False)
    rig.elector.follow(OTHER)
    assert (rig.duty.may_decide(), rig.duty.must_rest()) == (False, True)
    assert rig.duty.leader() == Place("127.0.0.1", 6001, is_tls=False)


def test_one_that_cannot_tell_decides_nothing_and_does_not_rest() -> None:
    rig = Rig()
    assert (rig.duty.may_decide(), rig.duty.must_rest()) == (False, False)


def test_a_leader_that_nobody_answers_decides_on() -> None:
    rig = Rig()
    rig.elector.lead()
    rig.elector.standing = Standing.ACTING
    assert (rig.duty.may_decide(), rig.duty.must_rest()) == (True, False)
    look(rig, is_deciding=True)
    assert rig.journal.term, "its followers hear on"


@pytest.mark.parametrize("address", ["", "tls://127.0.0.1:6001", "carrier pigeon"])
def test_beside_a_leader_that_cannot_be_followed_each_decides_for_itself(address: str) -> None:
    rig = Rig()
    rig.elector.follow(address)
    assert (rig.duty.may_decide(), rig.duty.must_rest()) == (True, False)
    look(rig, is_deciding=True)
    assert not rig.journal.term


def test_one_that_may_not_take_part_in_the_election_decides_for_itself() -> None:
    rig = Rig()
    rig.elector.standing = Standing.ALONE
    assert (rig.duty.may_decide(), rig.duty.must_rest()) == (True, False)
    look(rig, is_deciding=True)
    assert not rig.journal.term, "nobody follows it"


def test_a_leadership_begins_once_decisions_are_made_and_ends_when_another_leads() -> None:
    rig = Rig()
    rig.elector.lead()
    look(rig, is_deciding=False)
    assert not rig.journal.term
    look(rig, is_deciding=True)
    first = rig.journal.term
    look(rig, is_deciding=True)
    assert first
    assert rig.journal.term == first
    rig.elector.follow(OTHER)
    look(rig, is_deciding=False)
    assert not rig.journal.term


def test_what_it_is_to_the_others_is_shown() -> None:
    rig = Rig()
    rig.elector.lead()
    look(rig, is_deciding=True)
    assert counted(rig.telemetry, "foretide_role", role="leading") == 1
    rig.elector.follow(OTHER)
    look(rig, is_deciding=False)
    assert counted(rig.telemetry, "foretide_role", role="leading") == 0
    assert counted(rig.telemetry, "foretide_role", role="following") == 1


def test_the_leader_before_is_told_until_it_has_heard() -> None:
    line = RecordingLine(failures=2)
    rig = Rig(line)

    async def scenario() -> None:
        rig.elector.before = Record("old", NOON, NOON, 0, "1", "plaintext://10.0.0.9:6000")
        rig.elector.lead()
        running = asyncio.create_task(rig.duty.run())
        await asyncio.sleep(60)
        running.cancel()

    played(scenario())
    assert line.told == [("plaintext://10.0.0.9:6000", "me")]


def test_the_lease_says_where_this_agent_is_followed_or_nothing() -> None:
    async def begun(own: Place | None) -> str | None:
        rig = Rig(own=own)
        await rig.duty.begin(6000)
        return rig.chair.address

    assert played(begun(Place("10.0.0.1", 6000, is_tls=True))) == "tls://10.0.0.1:6000"
    assert played(begun(None)) == ""


def test_one_that_ends_lets_go_after_its_followers_have_had_a_moment() -> None:
    rig = Rig()

    async def scenario() -> timedelta:
        rig.elector.lead()
        rig.duty.look(is_deciding=True)
        began = LoopClock().now()
        await rig.duty.hand_over()
        return LoopClock().now() - began

    assert played(scenario()) >= timedelta(seconds=0.5)
    assert rig.chair.has_resigned
    assert not rig.journal.term
