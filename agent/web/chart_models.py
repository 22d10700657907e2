"""The API's documents for charts. Instants of a series are seconds since the epoch; null is a gap."""

from __future__ import annotations

from pydantic import ConfigDict

from agent.web import examples
from agent.web.base import ApiModel
from scalers.decision import Basis


class RegularSeries(ApiModel):
    """Values on a regular grid."""

    start_seconds: float
    step_seconds: float
    values: list[float | None]


class ForecastSeries(ApiModel):
    """Quantiles of one signal after its origin: row i is level i, column k the instant k + 1 steps on."""

    model: str
    origin_seconds: float
    step_seconds: float
    value_at_origin: float | None
    levels: list[float]
    quantiles: list[list[float | None]]
    deciding_level: float | None  # 1 - risk; null where it lies outside the levels
    deciding: list[float | None]


class ReplicaSteps(ApiModel):
    """What was decided and what there was, from the ledger: each value holds until the next time."""

    times_seconds: list[float]
    needed: list[float | None]
    answered: list[float | None]
    existing: list[float | None]
    ready: list[float | None]
    basis: list[Basis | None]
    expected_at_seconds: list[float | None]  # the end of the look-ahead of that decision
    expected: list[float | None]  # the median that it expected until then, demand units


class ForecastView(ApiModel):
    """Everything the charts of one signal show."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.FORECAST]})

    signal: str
    capacity: float
    now_seconds: float
    oldest_seconds: float | None  # of the history that is kept fine
    demand: RegularSeries
    forecast: ForecastSeries | None
    replicas: ReplicaSteps


class Trend(ApiModel):
    """One policy's first signal, coarsely: three hours back and one ahead of `now`."""

    namespace: str
    name: str
    step_seconds: float
    demand: list[float | None]  # up to now
    median: list[float | None]  # from now on
    low: list[float | None]
    high: list[float | None]


class TrendList(ApiModel):
    """Trends of the policies that were asked for and are known."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"trends": [examples.TREND]}]})

    trends: list[Trend]


class ScoreView(ApiModel):
    """Cost and shortage of one side since the comparison began."""

    replica_hours: float
    unserved_pct: float | None
    short_pct: float | None
    actions_per_h: float
    cost: float | None  # replica-hours over the fewest that serve everything


class SideView(ApiModel):
    """What one way of scaling did, on the comparison's grid."""

    name: str
    existing: list[float | None]
    ready: list[float | None]
    score: ScoreView


class ComparisonView(ApiModel):
    """Foretide beside reactive scaling on the same load; the demo has one."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.COMPARISON]})

    since_seconds: float
    until_seconds: float
    start_seconds: float
    step_seconds: float
    need: list[float | None]
    foretide: SideView
    reactive: SideView
