"""Situations and policies for tests of decisions: sensible values, each field replaceable."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from scalers.decision import PeakForecast, Replicas, SignalInput
from scalers.policy import Bounds, Mode, PolicyKey, ScalingPolicy, SignalPolicy, WhenUnknown
from scalers.situation import Previous, Situation

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CAPACITY = 12.0


def a_policy(**changes: object) -> ScalingPolicy:
    """An Active policy: 12 req/s per replica, 1 to 40 replicas, risk 1 %, lead time 2 min, the HPA's defaults."""
    signal = SignalPolicy(
        name="demand", step=timedelta(seconds=15), delay=timedelta(0), window=timedelta(0), capacity=CAPACITY
    )
    policy = ScalingPolicy(
        key=PolicyKey("ml", "chat"),
        mode=Mode.ACTIVE,
        signals=(signal,),
        bounds=Bounds(1, 40),
        risk=0.01,
        lead_time=timedelta(minutes=2),
        sync=timedelta(seconds=15),
        tolerance=0.0,
        stabilization=timedelta(minutes=5),
        activation=0.0,
        when_unknown=WhenUnknown.WAKE,
        stale_forecast=timedelta(minutes=5),
        stale_data=timedelta(minutes=10),
        horizon=timedelta(hours=1),
        history=timedelta(days=14),
        models=("last-value",),
    )
    return replace(policy, **changes)  # type: ignore[arg-type]  # a test names fields that exist


def a_peak(value: float, *, at: datetime = NOON) -> PeakForecast:
    """The 99 % quantile of the largest demand within the look-ahead."""
    return PeakForecast(
        model="harmonic",
        origin=at,
        until=at + timedelta(seconds=150),
        level=0.99,
        value=value,
        median=0.9 * value,
        calibration=0.05 * value,
    )


def a_signal(demand: float | None, *, peak: float | None = None, age: timedelta = timedelta(0)) -> SignalInput:
    """A signal last seen `age` ago, with a trusted forecast where a peak is given."""
    at = NOON - age
    return SignalInput(
        name="demand",
        capacity=CAPACITY,
        demand=demand,
        at=None if demand is None else at,
        state="OK",
        peak=None if peak is None else a_peak(peak, at=at),
        distrust=None,
    )


def a_situation(
    signal: SignalInput,
    *,
    replicas: int | None = None,
    previous: float | None = None,
    is_reactive_only: bool = False,
) -> Situation:
    """One signal, perhaps replicas and a previous answer that a fresh forecast took part in."""
    return Situation(
        now=NOON,
        signals=(signal,),
        replicas=None if replicas is None else Replicas(replicas, replicas),
        previous=None if previous is None else Previous(previous, previous, previous > 0, NOON - timedelta(seconds=15)),
        is_reactive_only=is_reactive_only,
    )
