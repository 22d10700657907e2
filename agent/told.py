"""What an agent that decides tells those that answer with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from agent.snapshot import Condition
from scalers.decision import Decision
from scalers.keda.board import Answer
from scalers.policy import PolicyKey


@dataclass(frozen=True, slots=True)
class Told:
    """One policy's answer, and what people are shown with it."""

    key: PolicyKey
    answer: Answer
    age: timedelta  # since it was published where it was made
    valid_for: timedelta  # from now on
    decision: Decision | None  # None where its form is another version's
    conditions: tuple[Condition, ...]


class Audience(Protocol):
    """Who hears of each answer once it is public; called in the engine's loop, and never waits."""

    def published(self, told: Told) -> None:
        """Take note of an answer."""
        ...

    def dropped(self, key: PolicyKey) -> None:
        """Take note of a policy that is gone."""
        ...

    def newest(self, key: PolicyKey) -> Told | None:
        """Return a policy's answer as old as it is now; None where there is none."""
        ...


class NoAudience:
    """Nobody answers beside this agent."""

    def published(self, told: Told) -> None:
        """Do nothing."""

    def dropped(self, key: PolicyKey) -> None:
        """Do nothing."""

    def newest(self, key: PolicyKey) -> Told | None:  # noqa: ARG002 - the port's signature
        """Return None: nothing is kept."""
        return None
