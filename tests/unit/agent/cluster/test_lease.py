"""Of several agents one leads: never two at once, and soon another when it is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.cluster.lease import (
    DEADLINE,
    DURATION,
    RETRY,
    Elector,
    LeaseForbidden,
    LeaseLost,
    LeaseUnanswered,
    Record,
    Standing,
)


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
            raise LeaseUnanswered("nobody answers")


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


async def test_a_leader_that_nobody_answers_goes_on_without_the_lease_until_it_hears_of_another(
    lease: SharedLease, electors: tuple[Elector, Elector], watch: Watch
) -> None:
    first, second = electors
    await first.step()
    await second.step()
    assert (first.standing, second.standing) == (Standing.LEADING, Standing.FOLLOWING)
    lease.is_away = True
    await pass_time(watch, DEADLINE + RETRY, first, second)
    assert (first.standing, second.standing) == (Standing.ACTING, Standing.FOLLOWING)
    assert not first.is_leading
    lease.is_away = False
    await pass_time(watch, 2 * RETRY, second)  # only the second reaches it
    assert second.standing is Standing.LEADING
    assert second.record is not None
    first.hear("b", second.record.transitions, "plaintext://127.0.0.1:6001")
    assert first.standing is Standing.FOLLOWING
    assert first.record is not None
    assert first.record.address == "plaintext://127.0.0.1:6001"


async def test_one_that_was_paused_does_not_go_on_before_it_has_asked(
    lease: SharedLease, electors: tuple[Elector, Elector], watch: Watch
) -> None:
    first, second = electors
    await first.step()
    await second.step()
    await pass_time(watch, DURATION + RETRY, second)  # the first is stopped meanwhile
    assert first.standing is Standing.UNTOLD
    await first.step()
    assert first.standing is Standing.FOLLOWING


async def test_a_call_that_failed_by_a_pause_is_no_sign_that_nobody_answers(lease: SharedLease, watch: Watch) -> None:
    async def paused(record: Record) -> Record:
        watch.seconds += DURATION
        raise LeaseUnanswered("timeout")

    elector = Elector(lease, "a", monotonic=watch)
    await elector.step()
    lease.write = paused  # type: ignore[method-assign]  # the process stands still in the middle of it
    await elector.step()
    assert elector.standing is Standing.UNTOLD


async def test_who_holds_the_lease_believes_nobody_else(electors: tuple[Elector, Elector]) -> None:
    first, _ = electors
    await first.step()
    first.hear("b", 7, "plaintext://127.0.0.1:6001")
    assert first.standing is Standing.LEADING


async def test_an_older_leader_than_the_last_one_known_is_not_believed(
    electors: tuple[Elector, Elector], watch: Watch
) -> None:
    first, second = electors
    await first.step()
    await pass_time(watch, DURATION + RETRY, second)
    second.hear("c", 0, "plaintext://127.0.0.1:6001")
    assert second.record is not None
    assert second.record.holder == "a"


async def test_the_lease_says_where_its_holder_is_followed_and_who_held_it_before(
    lease: SharedLease, electors: tuple[Elector, Elector], watch: Watch
) -> None:
    first, second = electors
    first.address, second.address = "plaintext://10.0.0.1:6000", "plaintext://10.0.0.2:6000"
    await first.step()
    await pass_time(watch, DURATION + 2 * RETRY, second)
    assert lease.record is not None
    assert lease.record.address == "plaintext://10.0.0.2:6000"
    assert second.before is not None
    assert second.before.address == "plaintext://10.0.0.1:6000"
    await second.release()
    assert lease.record.address == ""
    assert second.standing is Standing.UNTOLD


async def test_one_that_may_not_take_part_is_alone_until_it_may(lease: SharedLease, watch: Watch) -> None:
    async def forbidden() -> Record | None:
        raise LeaseForbidden("Forbidden")

    elector, read = Elector(lease, "a", monotonic=watch), lease.read
    lease.read = forbidden  # type: ignore[method-assign]
    await elector.step()
    assert elector.standing is Standing.ALONE
    lease.read = read  # type: ignore[method-assign]
    await elector.step()
    assert elector.standing is Standing.LEADING
