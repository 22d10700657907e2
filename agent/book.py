"""The engine's pictures for readers: HTTP, the page, `explain`."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from agent.clock import Clock
from agent.engine import Engine
from agent.history.ledger import Ledger
from agent.history.thread import StoreThread
from agent.snapshot import DecisionRun, PolicySnapshot
from agent.watched import Watched
from scalers.decision import Decision
from scalers.lead_time import LeadTimeReport
from scalers.policy import PolicyKey


class LeadTimes(Protocol):
    """Who looks at the pods of policies' targets."""

    def report(self, key: PolicyKey) -> LeadTimeReport | None:
        """Return what is known of a policy's start-ups; None where nobody looks."""
        ...


class EngineBook:
    """Pictures are taken when somebody looks, on the engine's own loop, so each is consistent in itself."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        storing: StoreThread,
        clock: Clock,
        *,
        lead_times: LeadTimes | None = None,
    ) -> None:
        self._lead_times = lead_times
        self._engine = engine
        self._ledger = ledger
        self._storing = storing
        self._clock = clock

    def snapshots(self) -> tuple[PolicySnapshot, ...]:
        """Return every policy without its series: a list of thousands must stay cheap."""
        return tuple(self._picture(watched, whole=False) for watched in self._engine.watched)

    def snapshot(self, key: PolicyKey) -> PolicySnapshot | None:
        """Return one policy whole."""
        watched = self._engine.at_work(key)
        return None if watched is None else self._picture(watched, whole=True)

    def newest(self) -> dict[PolicyKey, Decision | None]:
        """Return each policy's newest decision."""
        return {watched.key: watched.decider.decision for watched in self._engine.watched}

    def brief(self, key: PolicyKey) -> PolicySnapshot | None:
        """Return one policy without series and records."""
        watched = self._engine.at_work(key)
        return None if watched is None else self._picture(watched, whole=False, has_records=False)

    async def decisions(
        self, key: PolicyKey, *, since: datetime, until: datetime, limit: int
    ) -> tuple[DecisionRun, ...]:
        """Return ledger rows that touch [since, until], newest first."""
        return await self._storing.call(lambda: self._ledger.rows(key, since=since, until=until, limit=limit))

    def _picture(self, watched: Watched, *, whole: bool, has_records: bool = True) -> PolicySnapshot:
        signals = watched.decider.signals
        judged = list(signals.values()) if has_records else []
        fans = {name: fan for name, signal in signals.items() if whole and (fan := signal.fan()) is not None}
        return PolicySnapshot(
            key=watched.key,
            taken_at=self._clock.now(),
            policy=watched.decider.policy,
            document=watched.assignment.document,
            conditions=watched.conditions,
            decision=watched.decider.decision,
            forecasts=fans,
            demand={name: signal.history.fine() for name, signal in signals.items()} if whole else {},
            trust=tuple(row for signal in judged for row in signal.trust_rows()),
            coverage=tuple(row for signal in judged for row in signal.coverage_rows()),
            advantages=watched.decider.advantages(),
            lead_time=None if self._lead_times is None else self._lead_times.report(watched.key),
        )
