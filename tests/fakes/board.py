"""A board that holds what a test put there, under the contract of `scalers.keda.board.AnswerBoard`."""

from __future__ import annotations

from collections.abc import Callable

from scalers.keda.board import Answer, UnknownPolicy
from scalers.policy import PolicyKey

CHAT = PolicyKey("ml", "chat")


def needing(replicas: float, *, at_zero: bool | None = None) -> Answer:
    """Return an active answer."""
    return Answer(replicas=replicas, is_active=True, reason="as the test says", at_zero=at_zero)


IDLE = Answer(replicas=0.0, is_active=False, reason="no demand")
REFUSAL = Answer(replicas=None, is_active=False, reason="no samples since 12:04")


class HeldBoard:
    """Answers by policy, none of which grows old."""

    def __init__(self) -> None:
        self._answers: dict[PolicyKey, Answer] = {}
        self._subscribers: list[tuple[PolicyKey, Callable[[], None]]] = []

    def put(self, key: PolicyKey, answer: Answer) -> None:
        if self._answers.get(key) != answer:
            self._answers[key] = answer
            for subscribed, changed in list(self._subscribers):
                if subscribed == key:
                    changed()

    def answer(self, key: PolicyKey) -> Answer:
        if key not in self._answers:
            raise UnknownPolicy(f"there is no ForecastPolicy {key}")
        return self._answers[key]

    def subscribe(self, key: PolicyKey, changed: Callable[[], None]) -> Callable[[], None]:
        entry = (key, changed)
        self._subscribers.append(entry)
        return lambda: self._subscribers.remove(entry)

    @property
    def subscriptions(self) -> int:
        return len(self._subscribers)
