"""Measured lead times: in the declared one's place, over a restart, and for one target only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

import pytest

from agent.cluster.lead_times import STORED_AS, LeadTimes, MeasuredPolicies
from agent.history.memory import MemoryStore
from agent.history.store import Store, StoreLimits
from agent.history.thread import StoreThread
from agent.watched import Assignment
from scalers.policy import PolicyKey
from tests.fakes.engine import assigned
from tests.fakes.sources import ScriptedSource
from tests.fakes.start_ups import NOON, a_start, seconds

CHAT = PolicyKey("ml", "chat")
TARGET = "Deployment/chat"
SLOW = [a_start(number, pull=565) for number in range(5)]  # ten minutes each


class Known:
    """Policies that a test changes."""

    refused: Mapping[PolicyKey, str] = MappingProxyType({})

    def __init__(self, *assignments: Assignment) -> None:
        self.next: list[Assignment] | None = None
        self._first = assignments

    def first(self) -> list[Assignment]:
        return list(self._first)

    def changed(self) -> list[Assignment] | None:
        changed, self.next = self.next, None
        return changed

    def close(self) -> None:
        pass


class Begun:
    """One process: policies with their lead times, over a store."""

    def __init__(self, store: Store) -> None:
        self.now = NOON
        self.lead_times = LeadTimes(lambda: self.now)
        self.lead_times.keep_in(store, StoreThread())
        self.policies = Known(assigned(ScriptedSource([])))
        self.measured = MeasuredPolicies(self.policies, self.lead_times)

    async def begin(self, target: str = TARGET) -> Assignment:
        await self.lead_times.load([(CHAT, target)])
        (first,) = self.measured.first()
        return first


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(StoreLimits())


async def test_a_measured_lead_time_is_a_changed_policy(store: MemoryStore) -> None:
    begun = Begun(store)
    declared = await begun.begin()
    assert begun.measured.changed() is None
    begun.lead_times.saw(CHAT, SLOW[:4], trouble=None)
    assert begun.measured.changed() is None
    begun.lead_times.saw(CHAT, SLOW[4:], trouble=None)
    changed = begun.measured.changed()
    assert changed is not None
    assert changed[0].policy.lead_time == seconds(600)
    assert changed[0].policy.lead_time_from == 5
    assert not changed[0].is_same(declared)
    assert begun.measured.changed() is None


async def test_an_edited_policy_keeps_its_measured_lead_time(store: MemoryStore) -> None:
    begun = Begun(store)
    await begun.begin()
    begun.lead_times.saw(CHAT, SLOW, trouble=None)
    begun.policies.next = [assigned(ScriptedSource([]), risk=0.05)]
    changed = begun.measured.changed()
    assert changed is not None
    assert (changed[0].policy.risk, changed[0].policy.lead_time) == (0.05, seconds(600))


async def test_a_forecast_reaches_at_least_as_far_as_decisions_look(store: MemoryStore) -> None:
    begun = Begun(store)
    begun.policies = Known(assigned(ScriptedSource([]), horizon=timedelta(minutes=5)))
    begun.measured = MeasuredPolicies(begun.policies, begun.lead_times)
    await begun.begin()
    begun.lead_times.saw(CHAT, SLOW, trouble=None)
    changed = begun.measured.changed()
    assert changed is not None
    policy = changed[0].policy
    assert policy.horizon == policy.look_ahead(policy.signals[0]) > timedelta(minutes=10)


async def test_a_restart_goes_on_with_what_was_measured(store: MemoryStore) -> None:
    before = Begun(store)
    await before.begin()
    before.lead_times.saw(CHAT, SLOW, trouble=None)
    await before.lead_times.keep()
    after = Begun(store)
    assert (await after.begin()).policy.lead_time == seconds(600)
    assert after.measured.changed() is None
    after.lead_times.saw(CHAT, SLOW, trouble=None)  # the pods are still there
    report = after.lead_times.report(CHAT)
    assert report is not None
    assert report.measured is not None
    assert report.measured.count == 5


async def test_another_target_begins_anew_with_the_declared_lead_time(store: MemoryStore) -> None:
    begun = Begun(store)
    declared = await begun.begin()
    begun.lead_times.saw(CHAT, SLOW, trouble=None)
    await begun.lead_times.keep()
    begun.measured.changed()
    await begun.lead_times.load([(CHAT, "Deployment/another")])
    changed = begun.measured.changed()
    assert changed is not None
    assert changed[0].policy == declared.policy
    after = Begun(store)
    assert (await after.begin("StatefulSet/chat")).policy == declared.policy


async def test_what_was_too_soon_to_change_has_its_turn(store: MemoryStore) -> None:
    begun = Begun(store)
    await begun.begin()
    begun.lead_times.saw(CHAT, SLOW, trouble=None)
    begun.measured.changed()
    fast = [a_start(20 + number, pull=5, image="chat:2") for number in range(5)]
    begun.lead_times.saw(CHAT, fast, trouble=None)
    begun.lead_times.review()
    assert begun.measured.changed() is None
    begun.now += timedelta(hours=6)
    begun.lead_times.review()
    changed = begun.measured.changed()
    assert changed is not None
    assert changed[0].policy.lead_time == seconds(40)


async def test_an_agent_that_rests_goes_on_with_what_the_one_that_decides_has_measured(store: MemoryStore) -> None:
    deciding, resting = Begun(store), Begun(store)
    await deciding.begin()
    assert (await resting.begin()).policy.lead_time_from is None
    await resting.lead_times.follow()
    assert resting.measured.changed() is None
    deciding.lead_times.saw(CHAT, SLOW, trouble=None)
    await deciding.lead_times.keep()
    await resting.lead_times.follow()
    changed = resting.measured.changed()
    assert changed is not None
    assert changed[0].policy.lead_time == seconds(600)
    await resting.lead_times.follow()
    assert resting.measured.changed() is None


async def test_damaged_bytes_are_measured_anew(store: MemoryStore) -> None:
    store.put_state(str(CHAT), STORED_AS, b"\x00")
    begun = Begun(store)
    assert (await begun.begin()).policy.lead_time_from is None


async def test_a_policy_that_is_gone_is_forgotten(store: MemoryStore) -> None:
    begun = Begun(store)
    await begun.begin()
    await begun.lead_times.load([])
    assert begun.lead_times.report(CHAT) is None
    begun.lead_times.saw(CHAT, SLOW, trouble=None)  # a look that was on its way
    assert begun.lead_times.report(CHAT) is None
