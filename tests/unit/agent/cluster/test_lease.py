"""Of several agents one leads: never two at once, and soon another when it is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.cluster.lease import DEADLINE, DURATION, RETRY, Elector, LeaseLost, Record


class SharedLease:
    """A Lease as the API server keeps it: a write of an old version is refused. It can be away."""

    def __init__(self) -> None:
        self.record: Record | None = None
        self.is_away = False
        self._version = 0

    async def read(self) -> Record | None:
        self._answer()
        return self.record

    async def write(self, record: Record) -> Record:
        self._answer()
        there = "" if self.record is None else self.record.version
        if record.version != there:
            raise LeaseLost("conflict")
        self._version += 1
        self.record = replace(record, version=str(self._version))
        return self.record

    def _answer(self) -> None:
        if self.is_away:
            raise LeaseLost("nobody answers")


class Watch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def lease() -> SharedLease:
    return SharedLease()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def electors(lease: SharedLease, watch: Watch) -> tuple[Elector, Elector]:
    return Elector(lease, "a", monotonic=watch), Elector(lease, "b", monotonic=watch)


async def pass_time(watch: Watch, seconds: float, *electors: Elector) -> None:
    """Let time pass, a step of each elector every `RETRY` seconds; at no time may two lead."""
    for _ in range(round(seconds / RETRY)):
        watch.seconds += RETRY
        for elector in electors:
            await elector.step()
        assert sum(elector.is_leading for elector in electors) <= 1


async def test_the_first_leads_and_goes_on_leading(electors: tuple[Elector, Elector], watch: Watch) -> None:
    first, second = electors
    await first.step()
    assert first.is_leading
    await pass_time(watch, 120, second, first)
    assert first.is_leading
    assert not second.is_leading


async def test_when_the_leader_is_gone_another_leads_within_its_duration(
    electors: tuple[Elector, Elector], watch: Watch
) -> None:
    first, second = electors
    await first.step()
    await second.step()
    await pass_time(watch, DURATION + RETRY, second)
    assert second.is_leading
    assert not first.is_leading


async def test_a_leader_that_nobody_answers_stops_before_another_may_begin(
    lease: SharedLease, electors: tuple[Elector, Elector], watch: Watch
) -> None:
    first, second = electors
    await first.step()
    await second.step()
    lease.is_away = True
    await pass_time(watch, DEADLINE, first, second)
    assert not first.is_leading
    assert not second.is_leading
    lease.is_away = False
    await pass_time(watch, DURATION, second, first)
    assert first.is_leading or second.is_leading


async def test_one_that_was_paused_knows_at_once_that_it_leads_no_more(
    electors: tuple[Elector, Elector], watch: Watch
) -> None:
    first, second = electors
    await first.step()
    await second.step()
    await pass_time(watch, DURATION + RETRY, second)  # the first is stopped meanwhile
    assert second.is_leading
    assert not first.is_leading
    await first.step()
    assert not first.is_leading


async def test_a_lease_that_is_let_go_of_is_taken_at_once(electors: tuple[Elector, Elector], watch: Watch) -> None:
    first, second = electors
    await first.step()
    await second.step()
    await first.release()
    assert not first.is_leading
    watch.seconds += RETRY
    await second.step()
    assert second.is_leading


async def test_of_two_that_reach_for_it_at_once_one_gets_it(lease: SharedLease, watch: Watch) -> None:
    first, second = Elector(lease, "a", monotonic=watch), Elector(Slow(lease), "b", monotonic=watch)
    await first.step()
    await second.step()
    assert first.is_leading
    assert not second.is_leading


class Slow:
    """Reads what was there before anybody wrote."""

    def __init__(self, lease: SharedLease) -> None:
        self._lease = lease

    async def read(self) -> Record | None:
        return None

    async def write(self, record: Record) -> Record:
        return await self._lease.write(record)
