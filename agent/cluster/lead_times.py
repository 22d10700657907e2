"""Lead times of policies as their targets' pods have them: kept over a restart, and put in the declared one's place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.history.store import Store, StoreFailed
from agent.history.thread import StoreThread
from agent.log import logger
from agent.runtime import PolicySource
from agent.watched import Assignment
from forecasters.packing import UnreadableState
from scalers.lead_time import LeadTimeReport, LeadTimeState, adopt, decode, encode, report, with_start_ups
from scalers.policy import PolicyKey, ScalingPolicy
from scalers.start_ups import StartUp

STORED_AS = "lead time"
_LOOKS_A_TURN = 120  # of five seconds each


@dataclass(slots=True)
class _Known:
    state: LeadTimeState
    trouble: str | None = None
    is_kept: bool = True  # whether the store has it
    told: LeadTimeReport | None = None  # of this state and trouble, once somebody has asked


class LeadTimes:
    """What is known of every policy's start-ups. Written by the agent's loop; read by any thread."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin with nothing known; `now` tells the time."""
        self._now = now
        self._known: dict[PolicyKey, _Known] = {}
        self._declared: dict[PolicyKey, timedelta] = {}
        self._stored: tuple[Store, StoreThread] | None = None
        self._changes = 0
        self._turns: list[PolicyKey] = []
        self._a_time = 1
        self._log = logger("lead_time")

    @property
    def changes(self) -> int:
        """A number that grows with each lead time that decisions are to take from now on."""
        return self._changes

    def keep_in(self, store: Store, storing: StoreThread) -> None:
        """Take up what an earlier process stored there, and store there."""
        self._stored = store, storing

    async def load(self, targets: Iterable[tuple[PolicyKey, str]]) -> None:
        """Take up what is stored of policies that are new, by key and the target's kind and name; forget the others."""
        wanted = dict(targets)
        for key in self._known.keys() - wanted.keys():
            del self._known[key]
            self._declared.pop(key, None)
        for key, target in wanted.items():
            known = self._known.get(key)
            if known is None:
                self._known[key] = _Known(await self._read(key, target))
            elif known.state.target != target:
                self._known[key] = _Known(LeadTimeState(target), is_kept=False)
            else:
                continue
            if known is not None or self._known[key].state.adopted is not None:
                self._changes += 1

    def saw(self, key: PolicyKey, start_ups: Sequence[StartUp], *, trouble: str | None) -> None:
        """Take in start-ups of a policy's target, and decide whether they change what is used.

        Args:
            key: the policy.
            start_ups: new ones, or some that are known.
            trouble: pods that do not become Ready, or why none can be looked at.
        """
        known = self._known.get(key)
        if known is None:
            return
        if trouble != known.trouble:
            known.trouble, known.told = trouble, None
        self._take(key, known, with_start_ups(known.state, start_ups))

    async def follow(self) -> None:
        """Take up what the agent that decides has measured, some policies at a time: the store has a copy of it."""
        for key in self._some():
            known = self._known.get(key)
            if known is None:
                continue
            state = await self._read(key, known.state.target)
            self._changes += state.adopted != known.state.adopted
            self._known[key] = _Known(state)

    def review(self) -> None:
        """Look at some policies anew: what was too soon to change may be due now. Each has a turn in ten minutes."""
        for key in self._some():
            if (known := self._known.get(key)) is not None:
                self._take(key, known, known.state)

    def report(self, key: PolicyKey) -> LeadTimeReport | None:
        """Return what is known of a policy's start-ups; None where nobody looks."""
        known, declared = self._known.get(key), self._declared.get(key)
        if known is None or declared is None:
            return None
        if known.told is None:
            known.told = report(known.state, declared=declared, trouble=known.trouble)
        return known.told

    def measured(self, assignment: Assignment) -> Assignment:
        """Return a policy with the measured lead time in the place of the declared one, once there is one."""
        policy = assignment.policy
        known = self._known.get(policy.key)
        if self._declared.get(policy.key) != policy.lead_time and known is not None:
            known.told = None
        self._declared[policy.key] = policy.lead_time
        if known is None or known.state.adopted is None:
            return assignment
        adopted = known.state.adopted
        policy = replace(policy, lead_time=adopted.lead_time, lead_time_from=adopted.start_ups)
        return replace(assignment, policy=replace(policy, horizon=max(policy.horizon, _reach(policy))))

    async def keep(self) -> None:
        """Store what has changed."""
        if self._stored is None:
            return
        store, storing = self._stored
        for key, known in list(self._known.items()):
            if known.is_kept:
                continue
            try:
                await storing.soon(store.put_state, str(key), STORED_AS, encode(known.state))
            except StoreFailed as error:
                self._log.warning("lead_time_not_stored", policy=str(key), error=str(error))
                return
            known.is_kept = True

    async def _read(self, key: PolicyKey, target: str) -> LeadTimeState:
        if self._stored is None:
            return LeadTimeState(target)
        store, storing = self._stored
        try:
            body = (await storing.soon(store.states, str(key))).get(STORED_AS)
            found = None if body is None else decode(body)
        except (StoreFailed, UnreadableState) as error:
            self._log.warning("lead_time_not_restored", policy=str(key), error=str(error))
            return LeadTimeState(target)
        return found if found is not None and found.target == target else LeadTimeState(target)

    def _some(self) -> list[PolicyKey]:
        """Return the policies whose turn it is."""
        if not self._turns:
            self._turns = list(self._known)
            self._a_time = -(-len(self._turns) // _LOOKS_A_TURN)
        return [self._turns.pop() for _ in range(min(self._a_time, len(self._turns)))]

    def _take(self, key: PolicyKey, known: _Known, state: LeadTimeState) -> None:
        before, declared = known.state, self._declared.get(key)
        if declared is not None:
            state = adopt(state, declared=declared, now=self._now())
        if state == before:
            return
        known.state, known.is_kept, known.told = state, False, None
        if state.adopted != before.adopted:
            self._changes += 1
            self._tell(key, before, state)

    def _tell(self, key: PolicyKey, before: LeadTimeState, after: LeadTimeState) -> None:
        if after.adopted is None:
            return
        used = self._declared[key] if before.adopted is None else before.adopted.lead_time
        told = report(after, declared=self._declared[key])
        self._log.info(
            "lead_time_measured",
            policy=str(key),
            lead_time_seconds=after.adopted.lead_time.total_seconds(),
            before_seconds=used.total_seconds(),
            told=told.sentence,
        )


class MeasuredPolicies:
    """Policies whose lead times are measured; a `PolicySource` around another."""

    def __init__(self, policies: PolicySource, lead_times: LeadTimes) -> None:
        self._policies = policies
        self._lead_times = lead_times
        self._declared: Sequence[Assignment] = ()
        self._seen = -1

    @property
    def refused(self) -> Mapping[PolicyKey, str]:
        """Why policies that were read are not acted on."""
        return self._policies.refused

    def first(self) -> Sequence[Assignment]:
        """Return the policies at start."""
        self._declared = self._policies.first()
        return self._measured()

    def changed(self) -> Sequence[Assignment] | None:
        """Return all policies if one has changed, or its lead time has; else None."""
        changed = self._policies.changed()
        if changed is not None:
            self._declared = changed
        elif self._lead_times.changes == self._seen:
            return None
        return self._measured()

    def close(self) -> None:
        """Release the sources."""
        self._policies.close()

    def _measured(self) -> Sequence[Assignment]:
        self._seen = self._lead_times.changes
        return [self._lead_times.measured(assignment) for assignment in self._declared]


def _reach(policy: ScalingPolicy) -> timedelta:
    """Return how far a forecast must reach at least."""
    return max(policy.look_ahead(signal) for signal in policy.signals)
