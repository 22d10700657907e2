"""An observer of the gRPC server that keeps what it was told."""

from __future__ import annotations

from scalers.keda.limits import Limit


class RecordedRpcs:
    """What the server said of its RPCs, in order; lists are appended to by its thread and read by the test's."""

    def __init__(self) -> None:
        self.handled: list[tuple[str, str]] = []
        self.seconds: list[float] = []
        self.opened: list[str] = []
        self.closed: list[tuple[str, str]] = []
        self.exceeded: list[Limit] = []
        self.ages: list[float] = []
        self.delays: list[float] = []

    def rpc_handled(self, rpc: str, code: str, seconds: float) -> None:
        self.handled.append((rpc, code))
        self.seconds.append(seconds)

    def stream_opened(self, rpc: str) -> None:
        self.opened.append(rpc)

    def stream_closed(self, rpc: str, code: str) -> None:
        self.closed.append((rpc, code))

    def limit_exceeded(self, limit: Limit) -> None:
        self.exceeded.append(limit)

    def answered(self, age_seconds: float) -> None:
        self.ages.append(age_seconds)

    def pushed(self, delay_seconds: float) -> None:
        self.delays.append(delay_seconds)
