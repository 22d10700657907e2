"""Who says what is allowed, as a test says."""

from __future__ import annotations

from agent.cluster.reviewing import Ask, NotReviewed


class Granted:
    """A `Reviewer` that allows everything but some verbs on some resources; remembers what was asked."""

    def __init__(self, *missing: tuple[str, str], answers: bool = True) -> None:
        self.missing, self.answers = set(missing), answers
        self.asked: list[Ask] = []

    async def allows(self, ask: Ask) -> bool:
        if not self.answers:
            raise NotReviewed("Forbidden")
        self.asked.append(ask)
        return (ask.resource, ask.verb) not in self.missing
