"""From the engine's pictures and the ledger to what the charts of the page draw."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from agent.snapshot import DecisionRun, PolicySnapshot
from agent.web.buckets import bucket_means, thinned
from agent.web.chart_models import ForecastSeries, ForecastView, RegularSeries, ReplicaSteps, Trend
from agent.web.finite import finite, finite_list
from agent.web.records import DecisionRecord
from forecasters.forecast import Forecast
from forecasters.series import EPOCH, Series
from scalers.policy import SignalPolicy

# A plot is at most 1,400 px wide; more points than half of them cannot be told apart.
MOST_POINTS = 720
# Longer without a decision than this, the agent was away and nothing is drawn.
LONGEST_PAUSE = timedelta(minutes=2)

TREND_STEP = timedelta(seconds=225)
TREND_PAST = 48  # three hours
TREND_AHEAD = 16  # one hour


def forecast_view(
    snapshot: PolicySnapshot, signal: SignalPolicy, runs: Sequence[DecisionRun], *, since: datetime, now: datetime
) -> ForecastView:
    """Return everything the charts of one signal show.

    Args:
        snapshot: the policy's picture, with its series.
        signal: one of the policy's signals.
        runs: ledger rows, newest first.
        since: where the charts begin.
        now: the agent's clock.
    """
    history = snapshot.demand.get(signal.name)
    forecast = snapshot.forecasts.get(signal.name)
    shown = _empty(signal, since) if history is None else thinned(history.between(since, now), most=MOST_POINTS)
    return ForecastView(
        signal=signal.name,
        capacity=signal.capacity,
        now_seconds=_seconds(now),
        oldest_seconds=_oldest(history),
        demand=_regular(shown),
        forecast=None if forecast is None else _forecast(forecast, deciding=1.0 - snapshot.policy.risk),
        replicas=replica_steps(runs, signal.name),
    )


def replica_steps(runs: Sequence[DecisionRun], signal: str) -> ReplicaSteps:
    """Return ledger rows, newest first, as steps in the order of time; a pause of the agent is a gap."""
    rows: list[tuple[datetime, DecisionRecord | None]] = []
    ended: datetime | None = None
    for run in reversed(runs):
        if ended is not None and run.since - ended > LONGEST_PAUSE:
            rows.append((ended, None))
        record = DecisionRecord.model_validate(run.decision)
        rows.append((run.since, record))
        if run.until > run.since:
            rows.append((run.until, record))
        ended = run.until
    return _steps(rows, signal)


def trend(snapshot: PolicySnapshot, *, now: datetime) -> Trend:
    """Return the policy's first signal, coarsely."""
    signal = snapshot.policy.signals[0]
    history = snapshot.demand.get(signal.name)
    start = now - TREND_PAST * TREND_STEP
    past = None if history is None else bucket_means(history, start=start, step=TREND_STEP, count=TREND_PAST)
    forecast = snapshot.forecasts.get(signal.name)
    low, median, high = ([], [], []) if forecast is None else _fan(forecast, now)
    return Trend(
        namespace=snapshot.key.namespace,
        name=snapshot.key.name,
        step_seconds=TREND_STEP.total_seconds(),
        demand=[] if past is None else finite_list(past),
        median=median,
        low=low,
        high=high,
    )


def _steps(rows: Sequence[tuple[datetime, DecisionRecord | None]], signal: str) -> ReplicaSteps:
    records = [record for _, record in rows]
    replicas = [None if record is None else record.replicas for record in records]
    peaks = [None if record is None else _peak(record, signal) for record in records]
    return ReplicaSteps(
        times_seconds=[_seconds(instant) for instant, _ in rows],
        needed=[None if record is None else record.need for record in records],
        answered=[None if record is None else record.answer for record in records],
        existing=[None if each is None else float(each.existing) for each in replicas],
        ready=[None if each is None else float(each.ready) for each in replicas],
        basis=[None if record is None else record.basis for record in records],
        expected_at_seconds=[None if peak is None else peak[0] for peak in peaks],
        expected=[None if peak is None else peak[1] for peak in peaks],
    )


def _peak(record: DecisionRecord, signal: str) -> tuple[float, float | None] | None:
    known = next((each for each in record.signals if each.name == signal), None)
    return None if known is None or known.peak is None else (_seconds(known.peak.until), known.peak.median)


def _fan(forecast: Forecast, now: datetime) -> tuple[list[float | None], list[float | None], list[float | None]]:
    """The lowest, middle and highest quantile from now on; NaN where the forecast does not reach."""
    wanted = (now - forecast.origin) / forecast.step + np.arange(TREND_AHEAD + 1) * (TREND_STEP / forecast.step)
    known = np.arange(forecast.steps + 1)

    def sampled(level: float) -> list[float | None]:
        path = np.concatenate(([forecast.value_at_origin], forecast.path(level)))
        return finite_list(np.interp(wanted, known, path, left=np.nan, right=np.nan))

    return sampled(forecast.levels[0]), sampled(0.5), sampled(forecast.levels[-1])


def _forecast(forecast: Forecast, *, deciding: float) -> ForecastSeries:
    is_stored = forecast.levels[0] <= deciding <= forecast.levels[-1]
    return ForecastSeries(
        model=forecast.model,
        origin_seconds=_seconds(forecast.origin),
        step_seconds=forecast.step.total_seconds(),
        value_at_origin=finite(forecast.value_at_origin),
        levels=list(forecast.levels),
        quantiles=[finite_list(row) for row in forecast.quantiles],
        deciding_level=deciding if is_stored else None,
        deciding=finite_list(forecast.path(deciding)) if is_stored else [],
    )


def _regular(series: Series) -> RegularSeries:
    return RegularSeries(
        start_seconds=_seconds(series.start),
        step_seconds=series.step.total_seconds(),
        values=finite_list(series.values),
    )


def _empty(signal: SignalPolicy, since: datetime) -> Series:
    start = EPOCH + ((since - EPOCH) // signal.step) * signal.step
    return Series(start, signal.step, np.empty(0))


def _oldest(history: Series | None) -> float | None:
    if history is None or not history.present:
        return None
    first = int(np.flatnonzero(np.isfinite(history.values))[0])
    return _seconds(history.start + first * history.step)


def _seconds(instant: datetime) -> float:
    return (instant - EPOCH).total_seconds()
