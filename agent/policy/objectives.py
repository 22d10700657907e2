"""What a user of the workload should see, and which queries say whether it is so while a capacity is learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2s
from typing import Annotated

from pydantic import Field

from agent.policy.capacity import LearnedCapacity
from agent.policy.fields import Duration, Lasting, Query, Share, ShareBelow, Word
from agent.policy.part import Part, rule
from agent.policy.quantities import format_duration
from scalers.capacity.learning import LearningPolicy
from scalers.capacity.objective import Limit, Sense

_LOOKS_PER_WINDOW = 10
# Several objectives count as one: whether all are kept.
ALL_KEPT = Limit(1.0, Sense.AT_LEAST)


class Objective(Part):
    """What a user of the workload should see: a share of good requests, a bound on a query, or a bound on waiting."""

    name: Word = Field(description="Name, such as latency, ttft or wait.")
    good: Query | None = Field(None, description="PromQL of good requests a second, such as `sum(rate(…[1m]))`.")
    total: Query | None = Field(None, description="PromQL of all requests a second.")
    target: Annotated[Share, ShareBelow(100)] | None = Field(None, description="Share that must be good.")
    window: Annotated[Duration, Lasting("1h", "366d")] = Field(
        timedelta(days=30),
        description="Time over which the target counts; a capacity is learned over that of `capacity.learned`.",
    )
    query: Query | None = Field(None, description="PromQL of the time that is bounded, in seconds.")
    below: Annotated[Duration, Lasting("1ms", "7d")] | None = Field(None, description="Bound of the time.")

    @rule(
        at="",
        message="must have either good, total and target, or below (with a query, or alone for waiting)",
        cel="has(self.below) ? !has(self.good) && !has(self.total) && !has(self.target) "
        ": has(self.good) && has(self.total) && has(self.target) && !has(self.query)",
    )
    def is_a_share_or_a_bound(self) -> bool:
        """Half an objective cannot be judged."""
        shares = [self.good is not None, self.total is not None, self.target is not None]
        if self.below is not None:
            return not any(shares)
        return all(shares) and self.query is None


@dataclass(frozen=True, slots=True)
class Question:
    """An objective as it is asked."""

    objective: str  # its name
    query: str  # PromQL of one number
    limit: Limit  # of that number


@dataclass(frozen=True, slots=True)
class Lesson:
    """How the capacity of one signal is learned."""

    policy: LearningPolicy
    questions: tuple[Question, ...]  # all must be kept
    trouble: str = ""  # why nothing can be learned, and what would mend it; empty where it can

    @property
    def meaning(self) -> str:
        """A fingerprint of what is asked: what was learned by another objective says nothing of this one."""
        return blake2s(repr(self.questions).encode(), digest_size=6).hexdigest()


def lesson_of(
    learned: LearnedCapacity, objectives: tuple[Objective, ...], *, step: timedelta, warm_up: timedelta
) -> Lesson:
    """Return how a capacity is learned.

    Args:
        learned: what the policy says of it.
        objectives: of the policy.
        step: of the signal.
        warm_up: after Ready, until a replica serves its whole capacity.
    """
    policy = LearningPolicy(
        declared=learned.initial,
        limit=ALL_KEPT,
        confidence=learned.confidence,
        window=learned.window,
        warm_up=warm_up,
    )
    wanted = [each for each in objectives if learned.objective in (None, each.name)]
    questions = tuple(_questions(wanted, window=learned.window, step=step))
    return Lesson(policy, questions, "" if questions else _trouble(learned, objectives))


def _questions(objectives: list[Objective], *, window: timedelta, step: timedelta) -> Iterator[Question]:
    for each in objectives:
        if each.query is not None and each.below is not None:
            yield Question(each.name, each.query, Limit(each.below.total_seconds()))
        elif each.good is not None and each.total is not None and each.target is not None:
            over = f"[{format_duration(window)}:{format_duration(max(step, window / _LOOKS_PER_WINDOW))}]"
            share = f"avg_over_time(({each.good}){over}) / avg_over_time(({each.total}){over})"
            yield Question(each.name, share, Limit(each.target, Sense.AT_LEAST))


def _trouble(learned: LearnedCapacity, objectives: tuple[Objective, ...]) -> str:
    if learned.objective is None:
        return "no objective has a query: give `objectives` one with query and below, or with good, total and target"
    if any(each.name == learned.objective for each in objectives):
        return f"objective {learned.objective!r} has no query: give it one, with the time in `below`"
    named = ", ".join(each.name for each in objectives) or "none"
    return f"there is no objective {learned.objective!r}: name one of `objectives` ({named})"
