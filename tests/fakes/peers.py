"""What agents tell each other, and an election that a test decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent.cluster.lease import Record, Standing
from agent.history.store import StoredDecision
from agent.told import Told
from scalers.keda.board import Answer
from scalers.policy import PolicyKey

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CHAT = PolicyKey("ml", "chat")


def told(replicas: float | None, key: PolicyKey = CHAT, *, age: float = 0.0) -> Told:
    """Return an answer that is valid for ten minutes."""
    answer = Answer(replicas, replicas is not None, "as the test says")
    return Told(key, answer, timedelta(seconds=age), timedelta(minutes=10), None, ())


def row(answer: float, minute: int, *, policy: str = "ml/chat") -> StoredDecision:
    """Return a row of the ledger that begins and ends in one minute."""
    since = NOON + timedelta(minutes=minute)
    return StoredDecision(policy, since, since + timedelta(seconds=45), 4, f'{{"answer": {answer}}}'.encode())


class SetElector:
    """An election whose outcome a test sets."""

    def __init__(self) -> None:
        self.standing = Standing.UNTOLD
        self.record: Record | None = None
        self.before: Record | None = None
        self.heard: list[tuple[str, int, str]] = []

    @property
    def is_leading(self) -> bool:
        return self.standing is Standing.LEADING

    def led_for(self) -> float:
        return 1.0

    def hear(self, holder: str, transitions: int, address: str) -> None:
        self.heard.append((holder, transitions, address))

    def lead(self, transitions: int = 1) -> None:
        self.standing, self.record = (
            Standing.LEADING,
            Record("me", NOON, NOON, transitions, "1", "plaintext://127.0.0.1:1"),
        )

    def follow(self, address: str) -> None:
        self.standing, self.record = Standing.FOLLOWING, Record("other", NOON, NOON, 1, "1", address)


class SetChair:
    """This agent's part in it."""

    def __init__(self) -> None:
        self.elector = SetElector()
        self.address: str | None = None
        self.has_resigned = False

    async def stand(self, address: str) -> None:
        self.address = address

    async def resign(self) -> None:
        self.has_resigned = True
        self.elector.standing = Standing.UNTOLD
