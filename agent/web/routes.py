"""The API: policies, their forecasts and decisions. It only reads; there is nothing to write to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from agent.clock import Clock
from agent.snapshot import PolicySnapshot, SnapshotBook
from agent.web.chart_models import ComparisonView, ForecastView, TrendList
from agent.web.charts import forecast_view, trend
from agent.web.comparison import ComparisonBook
from agent.web.comparison_view import comparison_view
from agent.web.models import DecisionList, DecisionRow, PolicyDetail, PolicyList
from agent.web.problems import MEDIA_TYPE, NotFound, Problem, nearest, unknown_policy
from agent.web.views import decision_row, detail, summary
from scalers.policy import PolicyKey, SignalPolicy

MOST_ROWS = 2000
MOST_TRENDS = 100


class ChartRange(StrEnum):
    """How much of the past the charts show."""

    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"
    WEEK = "7d"


_SPAN_OF_RANGE = {
    ChartRange.HOUR: timedelta(hours=1),
    ChartRange.SIX_HOURS: timedelta(hours=6),
    ChartRange.DAY: timedelta(hours=24),
    ChartRange.WEEK: timedelta(days=7),
}


class PolicyReader:
    """What the routes ask: the book, the comparison and the clock."""

    def __init__(self, book: SnapshotBook, comparison: ComparisonBook | None, clock: Clock) -> None:
        self._book = book
        self._comparison = comparison
        self._clock = clock

    def policies(self) -> PolicyList:
        """Return all policies in a line each."""
        now = self._clock.now()
        return PolicyList(now=now, policies=[summary(each, now=now) for each in self._book.snapshots()])

    def policy(self, key: PolicyKey) -> PolicyDetail:
        """Return one policy whole."""
        has_comparison = self._comparison is not None and self._comparison.comparison(key) is not None
        return detail(self._snapshot(key), now=self._clock.now(), has_comparison=has_comparison)

    def trends(self, keys: list[PolicyKey]) -> TrendList:
        """Return the trends of the policies that are known."""
        known = [snapshot for key in keys if (snapshot := self._book.snapshot(key)) is not None]
        return TrendList(trends=[trend(snapshot, now=self._clock.now()) for snapshot in known])

    async def forecast(
        self, key: PolicyKey, signal: str | None, since: datetime | None, span: ChartRange
    ) -> ForecastView:
        """Return what the charts of one signal show."""
        snapshot = self._snapshot(key)
        chosen = _signal(snapshot, signal)
        now = self._clock.now()
        start = since or now - _SPAN_OF_RANGE[span]
        runs = await self._book.decisions(key, since=start, until=now, limit=MOST_ROWS)
        return forecast_view(snapshot, chosen, runs, since=start, now=now)

    async def decisions(
        self, key: PolicyKey, since: datetime | None, until: datetime | None, limit: int
    ) -> DecisionList:
        """Return ledger rows, newest first."""
        self._snapshot(key)
        end = until or self._clock.now()
        start = since or datetime.fromtimestamp(0, UTC)
        runs = await self._book.decisions(key, since=start, until=end, limit=limit + 1)
        return DecisionList(rows=[decision_row(run) for run in runs[:limit]], is_whole=len(runs) <= limit)

    async def decision_at(self, key: PolicyKey, instant: datetime) -> DecisionRow:
        """Return the decision that stood at an instant."""
        self._snapshot(key)
        runs = await self._book.decisions(key, since=datetime.fromtimestamp(0, UTC), until=instant, limit=1)
        if not runs:
            raise NotFound(f"no decision of {key} is kept at or before {instant.isoformat()}")
        return decision_row(runs[0])

    def comparison(self, key: PolicyKey, since: datetime | None, span: ChartRange) -> ComparisonView:
        """Return the comparison with reactive scaling."""
        self._snapshot(key)
        known = None if self._comparison is None else self._comparison.comparison(key)
        if known is None:
            raise NotFound(f"there is no comparison for {key}: only `foretide demo` plays one")
        return comparison_view(known, since=since or self._clock.now() - _SPAN_OF_RANGE[span])

    def _snapshot(self, key: PolicyKey) -> PolicySnapshot:
        snapshot = self._book.snapshot(key)
        if snapshot is None:
            raise unknown_policy(key, self._book)
        return snapshot


Since = Annotated[AwareDatetime | None, Query(description="RFC 3339 instant; takes the place of `range`")]
Span = Annotated[ChartRange, Query(alias="range", description="How much of the past")]


def policy_routes(reader: PolicyReader) -> APIRouter:
    """Return the routes under `/api/v1`."""
    not_found: dict[int | str, dict[str, object]] = {
        404: {"content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}, "description": "Not there"}
    }
    routes = APIRouter(prefix="/api/v1", tags=["policies"], responses=not_found)
    one = "/policies/{namespace}/{name}"

    @routes.get("/policies", summary="All policies in a line each")
    async def policies() -> PolicyList:
        return reader.policies()

    @routes.get("/trends", summary="Coarse demand and forecast of some policies")
    async def trends(
        policy: Annotated[list[str], Query(description="namespace/name", max_length=MOST_TRENDS)],
    ) -> TrendList:
        return reader.trends([PolicyKey(*each.split("/", 1)) for each in policy if "/" in each])

    @routes.get(one, summary="One policy whole")
    async def policy(namespace: str, name: str) -> PolicyDetail:
        return reader.policy(PolicyKey(namespace, name))

    @routes.get(f"{one}/forecast", summary="Demand, forecast and replicas for charts")
    async def forecast(
        namespace: str,
        name: str,
        signal: Annotated[str | None, Query(description="The first one if not given")] = None,
        since: Since = None,
        span: Span = ChartRange.HOUR,
    ) -> ForecastView:
        return await reader.forecast(PolicyKey(namespace, name), signal, since, span)

    @routes.get(f"{one}/decisions", summary="The decision ledger, newest first")
    async def decisions(
        namespace: str,
        name: str,
        since: Annotated[AwareDatetime | None, Query(description="RFC 3339 instant")] = None,
        until: Annotated[AwareDatetime | None, Query(description="RFC 3339 instant; now if not given")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 20,
    ) -> DecisionList:
        return await reader.decisions(PolicyKey(namespace, name), since, until, limit)

    @routes.get(f"{one}/decisions/at", summary="The decision that stood at an instant")
    async def decision_at(
        namespace: str, name: str, time: Annotated[AwareDatetime, Query(description="RFC 3339 instant")]
    ) -> DecisionRow:
        return await reader.decision_at(PolicyKey(namespace, name), time)

    @routes.get(f"{one}/comparison", summary="Foretide beside reactive scaling (demo only)")
    async def comparison(
        namespace: str, name: str, since: Since = None, span: Span = ChartRange.HOUR
    ) -> ComparisonView:
        return reader.comparison(PolicyKey(namespace, name), since, span)

    return routes


def _signal(snapshot: PolicySnapshot, name: str | None) -> SignalPolicy:
    signals = {signal.name: signal for signal in snapshot.policy.signals}
    if name is None:
        return snapshot.policy.signals[0]
    if name not in signals:
        raise NotFound(f"{snapshot.key} has no signal {name}", nearest=nearest(name, signals))
    return signals[name]
