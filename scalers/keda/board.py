"""The port through which the server reads answers; the agent's board keeps it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from scalers.jobs import JobsWanted
from scalers.policy import PolicyKey


class UnknownPolicy(LookupError):
    """No policy of that namespace and name is known; the message names it and the mend."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What KEDA is told about one policy."""

    replicas: float | None  # replicas needed, fractional; None refuses
    is_active: bool  # meaningless where replicas is None
    reason: str  # the decision's sentence, or why there is no answer
    at_zero: bool | None = None  # whether the scale target has no replicas now; None where nobody has looked
    is_awaited: bool = False  # a refusal because the policy's first answer is being made
    # These two make no difference to who waits for a change: jobs for a ScaledJob, which is not pushed to, None where
    # the items are not known; and the instant on this process's monotonic clock, seconds, which the board sets.
    jobs: JobsWanted | None = field(default=None, compare=False)
    published_at: float | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.replicas is not None and not 0 <= self.replicas < math.inf:
            raise ValueError(f"replicas must be finite and not below 0, or None to refuse; got {self.replicas}")


class AnswerBoard(Protocol):
    """The newest answer per policy, readable from any thread without waiting."""

    def answer(self, key: PolicyKey) -> Answer:
        """Return the newest answer. One that is too old comes back as a refusal that says so.

        Raises:
            UnknownPolicy: there is no such policy.
        """
        ...

    def subscribe(self, key: PolicyKey, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` (from any thread, quickly) after each answer that differs; return what ends it.

        A policy that does not exist yet may be subscribed to.
        """
        ...
