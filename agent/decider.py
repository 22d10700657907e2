"""One policy from readings to decisions: the code that `run`, `demo` and `replay` share. No I/O and no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from agent.fitting.pool import Job, Outcome
from agent.signal import Signal
from forecasters.forecaster import Forecaster
from scalers.advantage import Advantage
from scalers.decision import Basis, Decision, LearnedCapacity, Replicas
from scalers.policy import ScalingPolicy
from scalers.recommend import recommend
from scalers.situation import Previous, Situation

# Beside the time within which a fall is noticed: the answer before it was made a step earlier.
_MORE = timedelta(minutes=1)


class Decider:
    """The signals of one policy and its last answer.

    Attributes:
        policy: what is decided by; its capacities are the learned ones where they are.
    """

    def __init__(self, policy: ScalingPolicy, forecasters: Mapping[str, Forecaster]) -> None:
        chosen: Sequence[Forecaster] = [forecasters[name] for name in policy.models]
        self.policy = policy
        self.signals = {signal.name: Signal(policy, signal, chosen) for signal in policy.signals}
        self.decision: Decision | None = None
        self._previous: Previous | None = None
        self._kept_for = max(signal.fall_noticed_within for signal in self.signals.values()) + _MORE
        self._answers: deque[tuple[datetime, float]] = deque()  # of that time; of two, only a lower one is the newer

    def restore_answer(self, *, answer: float, at: datetime) -> None:
        """Take up the answer that an earlier process gave: it is not undercut until a forecast is back."""
        self._previous = Previous(answer=answer, for_keda=answer, is_active=answer > 0, foretold_at=at)
        self._remember(at, answer)

    def take_capacity(self, name: str, learned: LearnedCapacity) -> None:
        """Size a signal by a learned capacity from now on."""
        self.signals[name].take_capacity(learned)
        self._take_up_signals()

    def restore_capacity(self, name: str, learned: LearnedCapacity) -> None:
        """Take up the learned capacity of an earlier process, before the records that were kept under it."""
        self.signals[name].restore_capacity(learned)
        self._take_up_signals()

    def jobs(self, now: datetime) -> list[Job]:
        """Return the fits that are due, over all signals."""
        return [job for signal in self.signals.values() for job in signal.jobs(now)]

    def accept(self, outcome: Outcome, now: datetime) -> None:
        """Take in a fit's outcome."""
        name = outcome.signal.rsplit("/", 1)[-1]
        self.signals[name].accept(outcome, now)

    def advantages(self) -> dict[str, Advantage]:
        """Return what the expert that answers buys, by signal; one that has none yet is left out."""
        found = ((name, signal.advantage()) for name, signal in self.signals.items())
        return {name: advantage for name, advantage in found if advantage is not None}

    def decide(
        self,
        now: datetime,
        *,
        replicas: Replicas | None,
        is_reactive_only: bool = False,
        is_in_conflict: bool = False,
    ) -> Decision:
        """Return the decision of this instant and remember its answer."""
        situation = Situation(
            now=now,
            signals=tuple(self.signals[signal.name].input() for signal in self.policy.signals),
            replicas=replicas,
            previous=self._previous,
            is_reactive_only=is_reactive_only,
            is_in_conflict=is_in_conflict,
            lately=self._lately(now),
        )
        self.decision = decision = recommend(situation, self.policy)
        if decision.answer is not None and decision.for_keda is not None:
            self._remember(now, decision.answer)
            self._previous = Previous(
                answer=decision.answer,
                for_keda=decision.for_keda,
                is_active=decision.is_active,
                foretold_at=now if decision.basis is Basis.FORECAST else self._foretold_at(),
            )
        return decision

    def _take_up_signals(self) -> None:
        self.policy = replace(self.policy, signals=tuple(signal.policy for signal in self.signals.values()))

    def _remember(self, at: datetime, answer: float) -> None:
        while self._answers and self._answers[-1][1] <= answer:
            self._answers.pop()
        self._answers.append((at, answer))

    def _lately(self, now: datetime) -> float | None:
        """Return the largest answer of the time that is remembered."""
        while self._answers and now - self._answers[0][0] > self._kept_for:
            self._answers.popleft()
        return self._answers[0][1] if self._answers else None

    def _foretold_at(self) -> datetime | None:
        return None if self._previous is None else self._previous.foretold_at
