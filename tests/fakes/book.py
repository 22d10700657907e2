"""A book of invented policies in every state, a function of the clock alone, so that the page runs without the engine.

Each hour plays the same piece: a burst on the half hour, data missing from :04:15 to :07:15, a flash crowd at :49 that
costs the forecast its trust until :57.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from agent.clock import Clock
from agent.history.decision_json import decision_to_json
from agent.snapshot import Condition, CoverageRow, DecisionRun, PolicySnapshot, TrustRow
from agent.web.comparison import Comparison, Score, Side
from forecasters.forecast import Forecast
from forecasters.series import EPOCH, Series
from scalers.advantage import Account, Advantage
from scalers.decision import Basis, Clamp, Decision, PeakForecast, Replicas, SignalInput
from scalers.policy import Bounds, Mode, PolicyKey, ScalingPolicy, SignalPolicy, WhenUnknown

STEP = timedelta(seconds=15)
HISTORY = timedelta(hours=8)
LEVELS = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
NORMAL = (-2.326, -1.282, -0.674, 0.0, 0.674, 1.282, 2.326)
LOOK_AHEAD = 10  # steps
START_UP = 8
SCALE_IN_WAIT = 20
NOON = datetime(2026, 11, 17, 14, 29, 45, tzinfo=UTC)

Floats = NDArray[np.float64]


class SteppedClock:
    """A clock that a test sets."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    async def sleep_until(self, instant: datetime) -> None:
        self._now = max(self._now, instant)

    def advance(self, duration: timedelta) -> None:
        self._now += duration


@dataclass(frozen=True, slots=True)
class Scene:
    """One invented policy."""

    key: PolicyKey
    mode: Mode = Mode.ACTIVE
    scale: float = 1.0
    phase_hours: float = 0.0
    basis: Basis | None = None  # None plays the hour's piece
    missing_for: timedelta = timedelta(0)  # no samples for so long
    is_conflict: bool = False
    risk_used: float = 0.004
    note: str = ""


def fleet() -> tuple[Scene, ...]:
    """Policies in every state, sorted as a book sorts them."""

    def scene(name: str, **fields: object) -> Scene:
        namespace, policy = name.split("/")
        return Scene(PolicyKey(namespace, policy), **fields)  # type: ignore[arg-type]  # a test's short form

    calm = ["speech/asr-stream", "rec/candidates", "ml/chat-long", "batch/clicks-join", "search/embed-query",
            "train/finetune-lora", "ml/llm-gateway", "vision/ocr", "rec/ranker-home", "vision/sdxl", "ml/translate",
            "speech/whisper"]  # fmt: skip
    scenes = [
        scene("ml/chat"),
        scene("search/rerank", is_conflict=True, basis=Basis.REACTIVE, scale=0.5),
        scene("batch/events-enrich", basis=Basis.HELD, missing_for=timedelta(minutes=6), scale=0.6),
        scene("risk/fraud-score", basis=Basis.REFUSED, missing_for=timedelta(minutes=14), scale=1.7),
        scene("ml/code-complete", basis=Basis.LEARNING, mode=Mode.SHADOW, note="needs 31 h more history (41 of 72 h)"),
        scene("ml/guardrails", basis=Basis.LEARNING, mode=Mode.SHADOW, note="needs 58 h more history (14 of 72 h)"),
        scene("vision/caption", mode=Mode.SHADOW, basis=Basis.FORECAST, scale=0.5, phase_hours=5),
        scene("vision/moderation", basis=Basis.REACTIVE, risk_used=0.014, note="demand passed its 99 % quantile"),
        *(scene(each, basis=Basis.FORECAST, scale=0.4 + 0.3 * i, phase_hours=2 * i) for i, each in enumerate(calm)),
    ]
    return tuple(sorted(scenes, key=lambda each: each.key))


class InventedBook:
    """A SnapshotBook and a ComparisonBook over scenes."""

    def __init__(self, clock: Clock, scenes: tuple[Scene, ...] | None = None) -> None:
        self._clock = clock
        self._scenes = {each.key: each for each in (fleet() if scenes is None else scenes)}

    def snapshots(self) -> tuple[PolicySnapshot, ...]:
        return tuple(_snapshot(each, self._clock.now(), whole=False) for each in self._scenes.values())

    def snapshot(self, key: PolicyKey) -> PolicySnapshot | None:
        scene = self._scenes.get(key)
        return None if scene is None else _snapshot(scene, self._clock.now(), whole=True)

    async def decisions(
        self, key: PolicyKey, *, since: datetime, until: datetime, limit: int
    ) -> tuple[DecisionRun, ...]:
        if (scene := self._scenes.get(key)) is None:
            return ()
        now = min(until, self._clock.now())
        play = Play(scene, min(now, until))
        runs = [
            _run(play, [index for index, _ in group])
            for _, group in groupby(enumerate(play.alike()), key=lambda pair: pair[1])
        ]
        return tuple(run for run in reversed(runs) if run.until >= since)[:limit]

    def comparison(self, key: PolicyKey) -> Comparison | None:
        return _comparison(Play(self._scenes[key], self._clock.now())) if key == PolicyKey("ml", "chat") else None


class Play:
    """A scene up to an instant, on the grid of its steps."""

    def __init__(self, scene: Scene, now: datetime) -> None:
        self.scene = scene
        self.policy = _policy(scene)
        self.end = EPOCH + ((now - EPOCH) // STEP) * STEP
        self.size = HISTORY // STEP
        self.start = self.end - (self.size - 1) * STEP
        ahead = self.size + 241
        self.seconds: Floats = (self.start - EPOCH).total_seconds() + 15.0 * np.arange(ahead, dtype=np.float64)
        self.expected = _expected(self.seconds, scene)
        true = (self.expected + _surprise(self.seconds, scene))[: self.size]
        self.true = np.maximum(true, 0)
        self.is_missing = self._missing()
        self.basis = self._bases()
        self.raw = self.true / 12
        self.peak = _ahead_max(self.expected, LOOK_AHEAD)[: self.size]
        self.upper = self.peak + 2.326 * _spread(LOOK_AHEAD) * scene.scale
        self.need = np.where(self.basis == Basis.FORECAST, np.maximum(self.raw, self.upper / 12), self.raw)
        self.answer = np.clip(_carried(self.need, self.is_missing), 1, 40)
        self.existing = _behind_max(np.ceil(self.answer), SCALE_IN_WAIT)
        self.ready = np.minimum(self.existing, _behind_min(self.existing, START_UP))

    def instant(self, index: int) -> datetime:
        return self.start + index * STEP

    def alike(self) -> list[tuple[object, ...]]:
        """What makes two decisions alike, for each step."""
        return list(zip(self.basis.tolist(), np.ceil(self.answer).tolist(), self.existing, self.ready, strict=True))

    def decision(self, index: int) -> Decision:
        basis = Basis(self.basis[index])
        refused = basis is Basis.REFUSED
        raw = None if self.is_missing[index] else float(self.raw[index])
        answer = None if refused else float(self.answer[index])
        need = None if self.is_missing[index] else float(self.need[index])
        held = basis is Basis.HELD and answer is not None
        clamps = (Clamp("no fresh data", answer - 0.4, answer, "the last answer stands"),) if held and answer else ()
        return Decision(
            key=self.scene.key,
            at=self.instant(index),
            mode=self.scene.mode,
            basis=basis,
            signals=(self._signal(index, basis),),
            replicas=Replicas(int(self.existing[index]), int(self.ready[index])),
            look_ahead=LOOK_AHEAD * STEP,
            lead_time=timedelta(minutes=2),
            lead_time_from=None,
            raw_need=raw,
            need=need,
            clamps=clamps,
            answer=answer,
            for_keda=answer if self.scene.mode is Mode.ACTIVE else raw,
            is_active=not refused,
            sentence=self._sentence(index, basis),
        )

    def _signal(self, index: int, basis: Basis) -> SignalInput:
        last = int(np.flatnonzero(~self.is_missing[: index + 1])[-1])
        at = self.instant(index)
        value, median = float(self.upper[index]), float(self.peak[index])
        peak = PeakForecast("harmonic", at, at + LOOK_AHEAD * STEP, 0.99, value, median, 2.1)
        distrust = {Basis.REACTIVE: "demand passed its 99 % quantile for 2 min", Basis.LEARNING: self.scene.note}
        state = "Empty" if self.is_missing[index] else "OK"
        return SignalInput(
            "demand", 12.0, float(self.true[last]), self.instant(last), state, peak, distrust.get(basis),
            basis is Basis.LEARNING,
        )  # fmt: skip

    def _sentence(self, index: int, basis: Basis) -> str:
        raw = f"{self.true[index]:.1f} now needs {self.raw[index]:.2f}"
        until = self.instant(index + LOOK_AHEAD)
        last = self.instant(int(np.flatnonzero(~self.is_missing[: index + 1])[-1]))
        held = f"no samples since {last:%H:%M:%S}"
        return {
            Basis.FORECAST: f"{self.upper[index]:.1f} by {until:%H:%M:%S} needs {self.upper[index] / 12:.2f}; "
            "one replica serves 12",
            Basis.REACTIVE: f"{raw}; the forecast is not used: demand passed its 99 % quantile for 2 min",
            Basis.LEARNING: f"{raw}; {self.scene.note}; raw need until then",
            Basis.HELD: f"{held}; {self.existing[index]:.0f} replicas held, nothing is scaled in",
        }.get(basis, f"{held}, past staleness.data of 10 min; no answer, KEDA holds")

    def _missing(self) -> NDArray[np.bool_]:
        in_hour = self.seconds[: self.size] % 3600
        missing = (in_hour > 255) & (in_hour < 435) if self.scene.basis is None else np.zeros(self.size, dtype=bool)
        tail = self.scene.missing_for // STEP
        missing[self.size - tail :] |= tail > 0
        return missing

    def _bases(self) -> NDArray[np.str_]:
        if self.scene.basis is not None:
            return np.full(self.size, self.scene.basis.value)
        in_hour = self.seconds[: self.size] % 3600
        lost = (in_hour >= 2955) & (in_hour < 3435)
        shown = np.where(lost, Basis.REACTIVE.value, Basis.FORECAST.value)
        return np.where(self.is_missing, Basis.HELD.value, shown)


def _expected(seconds: Floats, scene: Scene) -> Floats:
    hours = seconds / 3600 - scene.phase_hours
    burst = 22 * np.exp(-((seconds % 1800) / 600)) * (seconds % 1800 > 60)
    day = 95 + 30 * np.sin(2 * np.pi * (hours - 9) / 24) + 8 * np.sin(2 * np.pi * hours / 5)
    values: Floats = scene.scale * (day + burst)
    return values


def _surprise(seconds: Floats, scene: Scene) -> Floats:
    """Noise that depends on its instant alone, and the flash crowd."""
    white = (np.sin(seconds * 12.9898 + scene.phase_hours) * 43758.5453) % 1.0 - 0.5
    noise = 7 * np.convolve(white, (0.3, 0.3, 0.25, 0.15), mode="same")
    since = seconds % 3600 - 2940
    flash = np.where((since > 0) & (since < 600), 42 * np.exp(-since / 180), 0) if scene.basis is None else 0
    return scene.scale * (noise + flash)


def _spread(steps: float) -> float:
    return 3.0 + 1.4 * float(np.sqrt(steps / LOOK_AHEAD))


def _ahead_max(values: Floats, steps: int) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(values, steps + 1)
    highest: Floats = windows.max(axis=1)
    return highest


def _behind_max(values: Floats, steps: int) -> Floats:
    padded = np.concatenate((np.full(steps, values[0]), values))
    return _ahead_max(padded, steps)


def _behind_min(values: Floats, steps: int) -> Floats:
    return -_behind_max(-values, steps)


def _carried(values: Floats, is_missing: NDArray[np.bool_]) -> Floats:
    """The last value before each gap goes on through it."""
    index = np.where(is_missing, 0, np.arange(len(values)))
    carried: Floats = values[np.maximum.accumulate(index)]
    return carried


def _run(play: Play, indexes: list[int]) -> DecisionRun:
    first, last = indexes[0], indexes[-1]
    record = decision_to_json(play.decision(last))
    return DecisionRun(play.instant(first), play.instant(last), len(indexes), record)


def _policy(scene: Scene) -> ScalingPolicy:
    return ScalingPolicy(
        key=scene.key,
        mode=scene.mode,
        signals=(SignalPolicy("demand", STEP, timedelta(0), timedelta(seconds=60), 12.0),),
        bounds=Bounds(1, 40),
        risk=0.01,
        lead_time=timedelta(seconds=120),
        sync=STEP,
        tolerance=0.1,
        stabilization=timedelta(seconds=300),
        activation=0.0,
        when_unknown=WhenUnknown.WAKE,
        stale_forecast=timedelta(minutes=5),
        stale_data=timedelta(minutes=10),
        horizon=timedelta(hours=1),
        history=timedelta(days=14),
        models=("last-value", "seasonal-naive", "harmonic"),
    )


def _document(scene: Scene) -> dict[str, object]:
    query = f'sum(rate(http_requests_total{{app="{scene.key.name}"}}[1m]))'
    return {
        "apiVersion": "foretide.dev/v1alpha1",
        "kind": "ForecastPolicy",
        "metadata": {"name": scene.key.name, "namespace": scene.key.namespace},
        "spec": {
            "mode": scene.mode.value,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": scene.key.name},
            "demand": {"prometheus": {"query": query}, "step": "15s"},
            "capacity": {"perReplica": 12},
            "replicas": {"min": 1, "max": 40},
            "risk": "1%",
            "leadTime": {"declared": "2m"},
        },
    }


def _snapshot(scene: Scene, now: datetime, *, whole: bool) -> PolicySnapshot:
    play = Play(scene, now)
    decision = play.decision(play.size - 1)
    return PolicySnapshot(
        key=scene.key,
        taken_at=now,
        policy=play.policy,
        document=_document(scene),
        conditions=_conditions(scene, decision, now),
        decision=decision,
        forecasts={"demand": _forecast(play)} if whole else {},
        demand={"demand": Series(play.start, STEP, np.where(play.is_missing, np.nan, play.true))} if whole else {},
        trust=_trust(scene, decision.basis),
        coverage=_coverage(scene),
        advantages={} if decision.basis is Basis.LEARNING else {"demand": _advantage(decision, now)},
    )


def _coverage(scene: Scene) -> tuple[CoverageRow, ...]:
    if scene.basis is Basis.LEARNING:
        return ()
    shifts = ((0.5, 0.008), (0.8, 0.009), (0.9, 0.002), (0.95, -0.004), (0.99, 0.01 - scene.risk_used))
    return tuple(CoverageRow("demand", level, level + shift, 40320) for level, shift in shifts)


def _forecast(play: Play) -> Forecast:
    ahead = play.expected[play.size :][:240]
    spread = play.scene.scale * np.array([_spread(k + 1) for k in range(240)])
    quantiles = np.maximum(ahead[None, :] + np.array(NORMAL)[:, None] * spread[None, :], 0)
    return Forecast("harmonic", play.end, STEP, float(play.expected[play.size - 1]), LEVELS, quantiles)


def _conditions(scene: Scene, decision: Decision, now: datetime) -> tuple[Condition, ...]:
    is_held = decision.basis in (Basis.HELD, Basis.REFUSED)
    is_trusted = decision.basis is Basis.FORECAST
    at = decision.signals[0].at or now
    hour = now.replace(minute=57, second=15, microsecond=0) - timedelta(hours=1)
    said = decision.sentence
    fresh = Condition("DataFresh", True, "Fresh", "samples arrive", hour)
    if is_held:
        fresh = Condition("DataFresh", False, "Empty", f"no samples since {at:%H:%M}", at)
    reason = "Trusted" if is_trusted else "NotTrusted"
    trusted = Condition("ForecastTrusted", is_trusted, reason, scene.note or said, hour)
    conditions = [Condition("Ready", decision.for_keda is not None, "Answering", said, hour), fresh, trusted]
    if scene.is_conflict:
        message = "HPA rerank-cpu also scales Deployment/rerank; raw need answered"
        conditions.append(Condition("Conflict", True, "TwoScalers", message, now - timedelta(minutes=32)))
    return tuple(conditions)


def _trust(scene: Scene, basis: Basis) -> tuple[TrustRow, ...]:
    if basis is Basis.LEARNING:
        return (TrustRow("demand", "harmonic", None, is_trusted=False, note=scene.note),)
    return (
        TrustRow(
            "demand", "harmonic", 0.84 if basis is Basis.FORECAST else 1.04, is_trusted=True, note="harmonic at 77%"
        ),
        TrustRow("demand", "reactive", 1.0, is_trusted=True, note="reactive at 55%"),
        TrustRow("demand", "hold", 1.02, is_trusted=True, note="hold-15m at 55%"),
        TrustRow("demand", "analog", 0.91, is_trusted=False, note="analog at 70%"),
    )


def _advantage(decision: Decision, now: datetime) -> Advantage:
    reactive = Account("reactive at 55%", 9.6, 0.006)
    is_reactive = decision.basis is not Basis.FORECAST
    own = reactive if is_reactive else Account("harmonic at 77%", 8.1, 0.004)
    since = now.replace(minute=57, second=15, microsecond=0) - timedelta(hours=1)
    family = "reactive" if is_reactive else "harmonic"
    return Advantage(own, family, is_reactive, True, since, timedelta(days=5, hours=22), reactive)


def _comparison(play: Play) -> Comparison:
    reactive = _behind_max(np.ceil(play.raw / 0.7), SCALE_IN_WAIT)
    reactive_ready = np.minimum(reactive, _behind_min(reactive, START_UP))

    def side(name: str, existing: Floats, ready: Floats) -> Side:
        unserved = np.maximum(play.true - 12 * ready, 0)
        hours = float(existing.sum()) * STEP.total_seconds() / 3600
        score = Score(
            replica_hours=hours,
            unserved_pct=100 * float(unserved.sum() / play.true.sum()),
            short_pct=100 * float((unserved > 0).mean()),
            actions_per_h=float((np.diff(existing) != 0).sum()) / (HISTORY / timedelta(hours=1)),
            cost=hours / (float(np.ceil(play.raw).sum()) * STEP.total_seconds() / 3600),
        )
        return Side(name, existing, ready, score)

    return Comparison(
        since=play.start,
        until=play.end,
        start=play.start,
        step=STEP,
        need=play.raw,
        foretide=side("Foretide", play.existing, play.ready),
        reactive=side("HPA at 70 %", reactive, reactive_ready),
    )
