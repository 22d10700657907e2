"""From what is known of a policy's signals to one decision; the order of the steps is visible here only.

need:   the largest over the signals of raw need and trusted forecast, in replicas
answer: override, gang, bounds, tolerance, in this order; never below the raw need unless `max` is
Missing data never lowers an answer: it holds, and after `staleness.data` it refuses, so that KEDA holds. Nor does
demand that falls away at once and for no known reason: what is there waits for its return, for two hours at most. Nor
does anything while the target is rolled out: its pods are going and coming anyhow, and some of them do not serve yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from scalers.bounds import whole_gangs, within
from scalers.decision import Basis, Clamp, Decision, Replicas, SignalInput
from scalers.policy import Mode, ScalingPolicy, SignalPolicy, WhenUnknown
from scalers.sentence import clock, sentence
from scalers.tolerance import past_tolerance

# A scrape may be missed and a query may come late; a third missing sample in a row is an outage.
_MISSED_SAMPLES = 3
# A fit leaves something of nothing: up to 0.004 replicas throughout nights without any demand, on a day's shape with
# 5 % noise. A foretold need of no more than this wakes nobody; demand that is there does, however small.
_NEXT_TO_NOTHING = 0.01  # replicas


@dataclass(frozen=True, slots=True)
class Previous:
    """The last answer that KEDA may have seen."""

    answer: float
    for_keda: float
    is_active: bool
    foretold_at: datetime | None  # when a fresh forecast last took part


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a decision may rest on."""

    now: datetime
    signals: tuple[SignalInput, ...]  # in the order of the policy's
    replicas: Replicas | None  # None is unknown
    previous: Previous | None
    is_reactive_only: bool = False  # the kill switch
    is_in_conflict: bool = False  # whether another sets the target's replicas, too
    lately: float | None = None  # largest answer of the minutes within which a fall is noticed; None before the first


class _Sight(Enum):
    FRESH = auto()  # every signal has a recent sample
    OLD = auto()  # at least one has not; all are younger than staleness.data
    LOST = auto()  # at least one is older than that, or never was


def recommend(situation: Situation, policy: ScalingPolicy) -> Decision:
    """Return the decision for this instant. The same situation and policy give the same decision."""
    sight = _sight(situation, policy)
    if sight is _Sight.LOST:
        return _without_sight(situation, policy)
    decision = _foretold(situation, policy)
    decision = _hold(decision, situation) if sight is _Sight.OLD else _bridge(decision, situation, policy)
    return _finish(_roll_out(_sit_out(decision, situation), situation), situation, policy)


def fresh_for(signal: SignalPolicy) -> timedelta:
    """Return the age up to which a sample counts as the present."""
    return _MISSED_SAMPLES * signal.step + signal.delay


def _sight(situation: Situation, policy: ScalingPolicy) -> _Sight:
    worst = _Sight.FRESH
    for known, signal in zip(situation.signals, policy.signals, strict=True):
        if known.demand is None or known.at is None:
            return _Sight.LOST
        age = abs(situation.now - known.at)  # a sample ahead of a clock that was set back is not known to be fresher
        if age > policy.stale_data:
            return _Sight.LOST
        if age > fresh_for(signal):
            worst = _Sight.OLD
    return worst


def _foretold(situation: Situation, policy: ScalingPolicy) -> Decision:
    """Raw need, and above it what trusted and fresh forecasts ask for."""
    raw = max(known.demand / known.capacity for known in situation.signals if known.demand is not None)
    foretold = [_forecast_need(known, situation, policy) for known in situation.signals]
    wanted = [value for value in foretold if value is not None]
    basis = _basis(situation, foretold)
    return _blank(situation, policy, basis=basis, raw_need=raw, need=max([raw, *wanted]))


def _basis(situation: Situation, foretold: Sequence[float | None]) -> Basis:
    for value, known in zip(foretold, situation.signals, strict=True):
        if value is not None and known.peak is not None and not known.peak.is_reactive:
            return Basis.FORECAST
    return Basis.LEARNING if all(known.is_learning for known in situation.signals) else Basis.REACTIVE


def _forecast_need(known: SignalInput, situation: Situation, policy: ScalingPolicy) -> float | None:
    if known.peak is None or known.distrust is not None:
        return None
    if situation.now - known.peak.origin > policy.stale_forecast:
        return None
    return known.peak.value / known.capacity


def _bridge(decision: Decision, situation: Situation, policy: ScalingPolicy) -> Decision:
    """A forecast that is merely missing (a restart, a late fit) leaves the last answer for `staleness.forecast`."""
    previous = situation.previous
    is_missing = decision.basis is Basis.LEARNING or (
        decision.basis is Basis.REACTIVE
        and all(known.peak is None and known.distrust is None for known in situation.signals)
    )
    if previous is None or previous.foretold_at is None or decision.need is None or not is_missing:
        return decision
    if situation.now - previous.foretold_at > policy.stale_forecast or previous.answer <= decision.need:
        return decision
    held = Clamp(
        "forecast missing", decision.need, previous.answer, "the last answer stands until the forecast is back"
    )
    return replace(decision, basis=Basis.HELD, answer=previous.answer, clamps=(*decision.clamps, held))


def _hold(decision: Decision, situation: Situation) -> Decision:
    """Old data: the last answer, never lower; what is known may still raise it."""
    previous = situation.previous
    if previous is None or decision.answer is None:
        return replace(decision, basis=Basis.HELD)
    kept = max(previous.answer, decision.answer)
    clamps = decision.clamps
    if kept > decision.answer:
        clamps = (
            *clamps,
            Clamp("no fresh data", decision.answer, kept, "the last answer stands, nothing is scaled in"),
        )
    return replace(decision, basis=Basis.HELD, answer=kept, clamps=clamps, is_active=previous.is_active)


def _sit_out(decision: Decision, situation: Situation) -> Decision:
    """Demand that fell away: what was answered before it fell, never lower, until it has been back for a while."""
    fall = next((known.fall for known in situation.signals if known.fall is not None), None)
    if fall is None or decision.answer is None or situation.lately is None or situation.lately <= decision.answer:
        return decision
    until = clock(fall.until, now=situation.now)
    held = Clamp("outage", decision.answer, situation.lately, f"what was answered before stands until {until} at most")
    return replace(decision, basis=Basis.HELD, answer=held.after, clamps=(*decision.clamps, held))


def _roll_out(decision: Decision, situation: Situation) -> Decision:
    """A rollout: the last answer, never lower; more may be needed."""
    previous = situation.previous
    if not _is_rolling_out(situation) or previous is None or decision.answer is None:
        return decision
    if previous.answer <= decision.answer:
        return decision
    held = Clamp("rollout", decision.answer, previous.answer, "the last answer stands until the target is rolled out")
    return replace(decision, basis=Basis.HELD, answer=previous.answer, clamps=(*decision.clamps, held))


def _is_rolling_out(situation: Situation) -> bool:
    return situation.replicas is not None and situation.replicas.is_rolling_out


def _without_sight(situation: Situation, policy: ScalingPolicy) -> Decision:
    """Nothing is known of the demand: an error, or a wake-up where the target is at zero."""
    decision = _blank(situation, policy, basis=Basis.REFUSED, raw_need=None, need=None)
    is_at_zero = situation.replicas is not None and situation.replicas.existing == 0
    if is_at_zero and policy.when_unknown is WhenUnknown.WAKE:
        least = within(whole_gangs(1.0, policy.bounds.gang), policy.bounds)
        decision = replace(decision, basis=Basis.WAKING, answer=least, for_keda=least, is_active=True)
    return replace(decision, sentence=sentence(decision, policy))


def _finish(decision: Decision, situation: Situation, policy: ScalingPolicy) -> Decision:
    is_idle = _is_idle(decision, policy)
    answer, clamps = _clamp(decision, situation, policy, is_idle=is_idle)
    is_active = not is_idle and (answer > 0 or decision.is_active)
    is_overridden = any(clamp.name == "override" for clamp in clamps)
    decision = replace(
        decision,
        basis=Basis.OVERRIDE if is_overridden else decision.basis,
        answer=answer,
        clamps=clamps,
        is_active=is_active,
        for_keda=_for_keda(decision, answer, situation, policy),
    )
    return replace(decision, sentence=sentence(decision, policy))


def _is_idle(decision: Decision, policy: ScalingPolicy) -> bool:
    """Observed idleness: every demand, and every peak that counts, is at most the activation; held is never idle."""
    if policy.bounds.minimum > 0 or decision.basis is Basis.HELD:
        return False
    counting = [known for known in decision.signals if known.peak is not None and known.distrust is None]
    foretold = [(known.peak.value, known.capacity) for known in counting if known.peak is not None]
    peaks = [peak for peak, capacity in foretold if peak > _NEXT_TO_NOTHING * capacity]
    demands = [known.demand for known in decision.signals if known.demand is not None]
    return max([*peaks, *demands]) <= policy.activation


def _clamp(
    decision: Decision, situation: Situation, policy: ScalingPolicy, *, is_idle: bool
) -> tuple[float, tuple[Clamp, ...]]:
    answer = 0.0 if decision.answer is None else decision.answer
    clamps = list(decision.clamps)

    def step(name: str, after: float, reason: str) -> None:
        nonlocal answer
        if after != answer:
            clamps.append(Clamp(name, answer, after, reason))
        answer = after

    if is_idle:
        step("idle", 0.0, f"demand is at or below the activation of {policy.activation:g}, and no more is expected")
    for override in policy.overrides:
        if override.since <= situation.now < override.until:
            step("override", max(answer, float(override.replicas)), f"set by {override.owner}: {override.reason}")
    step("gang", whole_gangs(answer, policy.bounds.gang), f"whole gangs of {policy.bounds.gang}")
    step("bounds", within(answer, policy.bounds), f"{policy.bounds.minimum} to {policy.bounds.maximum}")
    if situation.replicas is not None and decision.raw_need is not None and _passes_tolerance(situation):
        passed = past_tolerance(answer, decision.raw_need, situation.replicas.existing, policy.tolerance)
        reached = within(whole_gangs(passed, policy.bounds.gang), policy.bounds)
        step("tolerance", reached, f"the HPA ignores up to {policy.tolerance:.0%} above {situation.replicas.existing}")
    return answer, tuple(clamps)


def _passes_tolerance(situation: Situation) -> bool:
    """Whether stepping past the HPA's tolerance has paid; until that is known it does where it looks worth it."""
    peaks = [known.peak for known in situation.signals if known.peak is not None]
    return not peaks or any(peak.passes_tolerance for peak in peaks)


def _for_keda(decision: Decision, answer: float, situation: Situation, policy: ScalingPolicy) -> float:
    """The answer in Active mode; the raw need, within bounds, in Shadow, in a conflict and under the kill switch.

    The switch is there to take effect at once: it does so in the middle of a rollout, too.
    """
    if policy.mode is Mode.ACTIVE and not (situation.is_reactive_only or situation.is_in_conflict):
        return answer
    raw = 0.0 if decision.raw_need is None else decision.raw_need
    is_held = _sight(situation, policy) is _Sight.OLD or (_is_rolling_out(situation) and not situation.is_reactive_only)
    if situation.previous is not None and is_held:
        raw = max(raw, situation.previous.for_keda)
    if answer == 0.0:
        return 0.0
    return within(whole_gangs(raw, policy.bounds.gang), policy.bounds)


def _blank(
    situation: Situation, policy: ScalingPolicy, *, basis: Basis, raw_need: float | None, need: float | None
) -> Decision:
    return Decision(
        key=policy.key,
        at=situation.now,
        mode=policy.mode,
        basis=basis,
        signals=situation.signals,
        replicas=situation.replicas,
        look_ahead=max(policy.look_ahead(signal) for signal in policy.signals),
        lead_time=policy.lead_time,
        lead_time_from=policy.lead_time_from,
        raw_need=raw_need,
        need=need,
        clamps=(),
        answer=need,
        for_keda=None,
        is_active=True,
        sentence="",
    )
