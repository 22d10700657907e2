"""Which of a policy's conditions decides the state that it is shown in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.snapshot import Condition, PolicySnapshot
from agent.web.state import PolicyState, policy_state
from scalers.policy import PolicyKey
from tests.fakes.book import InventedBook, SteppedClock
from tests.fakes.situations import NOON


def in_conflict(reason: str, *, status: bool | None = True) -> PolicySnapshot:
    """Return a policy whose forecast is trusted, with that condition."""
    trusted = InventedBook(SteppedClock(NOON)).snapshot(PolicyKey("ml", "chat"))
    assert trusted is not None
    return replace(trusted, conditions=(*trusted.conditions, Condition("Conflict", status, reason, "the mend", NOON)))


@pytest.mark.parametrize("reason", ["TwoScalers", "TwoPolicies"])
def test_two_that_set_the_same_replicas_are_what_an_operator_must_know_first(reason: str) -> None:
    assert policy_state(in_conflict(reason)) is PolicyState.CONFLICT


@pytest.mark.parametrize("reason", ["MaxReplicasBelowPolicy", "PollingTooSlow", "VerticalAndHorizontal"])
def test_what_only_stands_in_the_way_does_not_hide_who_decides(reason: str) -> None:
    assert policy_state(in_conflict(reason)) is PolicyState.TRUSTED


def test_a_conflict_that_is_not_there_or_not_known_is_none() -> None:
    assert policy_state(in_conflict("NoneFound", status=False)) is PolicyState.TRUSTED
    assert policy_state(in_conflict("NotSeen", status=None)) is PolicyState.TRUSTED
