"""From what is known of a policy's signals to one decision; the order of the steps is visible here only.

need:   the largest over the signals of raw need and trusted forecast, in replicas
answer: override, gang, bounds, tolerance, in this order; never below the raw need unless `max` is
Missing data never lowers an answer: it holds, and after `staleness.data` it refuses, so that KEDA holds. Nor does
demand that falls away at once and for no known reason: what is there waits for its return, for two hours at most. Nor
does anything while the target is rolled out: its pods are going and coming anyhow, and some of them do not serve yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import Enum, auto
from functools import partial

from scalers.bounds import whole_gangs, within
from scalers.decision import Basis, Clamp, Decision, SignalInput
from scalers.policy import Mode, Override, ScalingPolicy, SignalPolicy, WhenUnknown
from scalers.sentence import clock, sentence
from scalers.situation import Reckoning, Situation
from scalers.tolerance import past_tolerance

# A scrape may be missed and a query may come late; a third missing sample in a row is an outage.
_MISSED_SAMPLES = 3
# A fit leaves something of nothing: up to 0.004 replicas throughout nights without any demand, on a day's shape with
# 5 % noise. A foretold need of no more than this wakes nobody; demand that is there does, however small.
_NEXT_TO_NOTHING = 0.01  # replicas


class _Sight(Enum):
    FRESH = auto()  # every signal has a recent sample
    OLD = auto()  # at least one has not; all are younger than staleness.data
    LOST = auto()  # at least one is older than that, or never was


def recommend(situation: Situation, policy: ScalingPolicy) -> Decision:
    """Return the decision for this instant. The same situation and policy give the same decision."""
    sight = _sight(situation, policy)
    if sight is _Sight.LOST:
        return _without_sight(situation, policy)
    reckoned = _foretold(situation, policy)
    reckoned = _hold(reckoned) if sight is _Sight.OLD else _bridge(reckoned)
    return _finish(_roll_out(_sit_out(reckoned)), sight)


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


def _foretold(situation: Situation, policy: ScalingPolicy) -> Reckoning:
    """Raw need, and above it what trusted and fresh forecasts ask for."""
    raw = max(known.demand / known.capacity for known in situation.signals if known.demand is not None)
    foretold = [_forecast_need(known, situation, policy) for known in situation.signals]
    need = max([raw, *(value for value in foretold if value is not None)])
    return Reckoning(situation, policy, _basis(situation, foretold), raw_need=raw, need=need, answer=need)


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


def _bridge(reckoned: Reckoning) -> Reckoning:
    """A forecast that is merely missing (a restart, a late fit) leaves the last answer for `staleness.forecast`."""
    situation, previous = reckoned.situation, reckoned.situation.previous
    is_missing = reckoned.basis is Basis.LEARNING or (
        reckoned.basis is Basis.REACTIVE
        and all(known.peak is None and known.distrust is None for known in situation.signals)
    )
    if previous is None or previous.foretold_at is None or reckoned.need is None or not is_missing:
        return reckoned
    if situation.now - previous.foretold_at > reckoned.policy.stale_forecast or previous.answer <= reckoned.need:
        return reckoned
    return _held(reckoned, "forecast missing", previous.answer, "the last answer stands until the forecast is back")


def _hold(reckoned: Reckoning) -> Reckoning:
    """Old data: the last answer, never lower; what is known may still raise it."""
    previous, answer = reckoned.situation.previous, reckoned.answer
    if previous is None or answer is None:
        return replace(reckoned, basis=Basis.HELD)
    if previous.answer > answer:
        why = "the last answer stands, nothing is scaled in"
        reckoned = _held(reckoned, "no fresh data", previous.answer, why)
    return replace(reckoned, basis=Basis.HELD, is_active=previous.is_active)


def _sit_out(reckoned: Reckoning) -> Reckoning:
    """Demand that fell away: what was answered before it fell, never lower, until it has been back for a while."""
    situation, lately = reckoned.situation, reckoned.situation.lately
    fall = next((known.fall for known in situation.signals if known.fall is not None), None)
    if fall is None or reckoned.answer is None or lately is None or lately <= reckoned.answer:
        return reckoned
    until = clock(fall.until, now=situation.now)
    return _held(reckoned, "outage", lately, f"what was answered before stands until {until} at most")


def _roll_out(reckoned: Reckoning) -> Reckoning:
    """A rollout: the last answer, never lower; more may be needed."""
    previous = reckoned.situation.previous
    if not _is_rolling_out(reckoned.situation) or previous is None or reckoned.answer is None:
        return reckoned
    if previous.answer <= reckoned.answer:
        return reckoned
    return _held(reckoned, "rollout", previous.answer, "the last answer stands until the target is rolled out")


def _held(reckoned: Reckoning, name: str, answer: float, reason: str) -> Reckoning:
    before = 0.0 if reckoned.answer is None else reckoned.answer
    clamps = (*reckoned.clamps, Clamp(name, before, answer, reason))
    return replace(reckoned, basis=Basis.HELD, answer=answer, clamps=clamps)


def _is_rolling_out(situation: Situation) -> bool:
    return situation.replicas is not None and situation.replicas.is_rolling_out


def _without_sight(situation: Situation, policy: ScalingPolicy) -> Decision:
    """Nothing is known of the demand: an error, or a wake-up where the target is at zero."""
    reckoned = Reckoning(situation, policy, Basis.REFUSED, raw_need=None, need=None, answer=None)
    is_at_zero = situation.replicas is not None and situation.replicas.existing == 0
    if is_at_zero and policy.when_unknown is WhenUnknown.WAKE:
        least = within(whole_gangs(1.0, policy.bounds.gang), policy.bounds)
        reckoned = replace(reckoned, basis=Basis.WAKING, answer=least)
    return _decided(reckoned, for_keda=reckoned.answer)


def _finish(reckoned: Reckoning, sight: _Sight) -> Decision:
    is_idle = _is_idle(reckoned)
    answer, clamps = _clamp(reckoned, is_idle=is_idle)
    is_overridden = any(clamp.name == "override" for clamp in clamps)
    finished = Reckoning(
        reckoned.situation,
        reckoned.policy,
        basis=Basis.OVERRIDE if is_overridden else reckoned.basis,
        raw_need=reckoned.raw_need,
        need=reckoned.need,
        answer=answer,
        clamps=clamps,
        is_active=not is_idle and (answer > 0 or reckoned.is_active),
    )
    return _decided(finished, for_keda=_for_keda(finished, answer, sight))


def _is_idle(reckoned: Reckoning) -> bool:
    """Observed idleness: every demand, and every peak that counts, is at most the activation; held is never idle."""
    if reckoned.policy.bounds.minimum > 0 or reckoned.basis is Basis.HELD:
        return False
    signals = reckoned.signals
    counting = [known for known in signals if known.peak is not None and known.distrust is None]
    foretold = [(known.peak.value, known.capacity) for known in counting if known.peak is not None]
    peaks = [peak for peak, capacity in foretold if peak > _NEXT_TO_NOTHING * capacity]
    demands = [known.demand for known in signals if known.demand is not None]
    return max([*peaks, *demands]) <= reckoned.policy.activation


def _clamp(reckoned: Reckoning, *, is_idle: bool) -> tuple[float, tuple[Clamp, ...]]:
    situation, policy, bounds = reckoned.situation, reckoned.policy, reckoned.policy.bounds
    answer = 0.0 if reckoned.answer is None else reckoned.answer
    clamps = list(reckoned.clamps)

    def step(name: str, after: float, reason: Callable[[], str]) -> None:
        nonlocal answer
        if after != answer:
            clamps.append(Clamp(name, answer, after, reason()))
        answer = after

    if is_idle:
        least = policy.activation
        step("idle", 0.0, lambda: f"demand is at or below the activation of {least:g}, and no more is expected")
    for override in policy.overrides:
        if override.since <= situation.now < override.until:
            step("override", max(answer, float(override.replicas)), partial(_set_by, override))
    step("gang", whole_gangs(answer, bounds.gang), lambda: f"whole gangs of {bounds.gang}")
    step("bounds", within(answer, bounds), lambda: f"{bounds.minimum} to {bounds.maximum}")
    if situation.replicas is not None and reckoned.raw_need is not None and _passes_tolerance(situation):
        existing = situation.replicas.existing
        passed = past_tolerance(answer, reckoned.raw_need, existing, policy.tolerance)
        reached = within(whole_gangs(passed, bounds.gang), bounds)
        step("tolerance", reached, lambda: f"the HPA ignores up to {policy.tolerance:.0%} above {existing}")
    return answer, tuple(clamps)


def _set_by(override: Override) -> str:
    return f"set by {override.owner}: {override.reason}"


def _passes_tolerance(situation: Situation) -> bool:
    """Whether stepping past the HPA's tolerance has paid; until that is known it does where it looks worth it."""
    peaks = [known.peak for known in situation.signals if known.peak is not None]
    return not peaks or any(peak.passes_tolerance for peak in peaks)


def _for_keda(reckoned: Reckoning, answer: float, sight: _Sight) -> float:
    """The answer in Active mode; the raw need, within bounds, in Shadow, in a conflict and under the kill switch.

    The switch is there to take effect at once: it does so in the middle of a rollout, too.
    """
    situation, policy = reckoned.situation, reckoned.policy
    if policy.mode is Mode.ACTIVE and not (situation.is_reactive_only or situation.is_in_conflict):
        return answer
    raw = 0.0 if reckoned.raw_need is None else reckoned.raw_need
    is_held = sight is _Sight.OLD or (_is_rolling_out(situation) and not situation.is_reactive_only)
    if situation.previous is not None and is_held:
        raw = max(raw, situation.previous.for_keda)
    if answer == 0.0:
        return 0.0
    return within(whole_gangs(raw, policy.bounds.gang), policy.bounds)


def _decided(reckoned: Reckoning, *, for_keda: float | None) -> Decision:
    situation, policy = reckoned.situation, reckoned.policy
    return Decision(
        key=policy.key,
        at=situation.now,
        mode=policy.mode,
        basis=reckoned.basis,
        signals=situation.signals,
        replicas=situation.replicas,
        look_ahead=reckoned.look_ahead,
        lead_time=policy.lead_time,
        lead_time_from=policy.lead_time_from,
        raw_need=reckoned.raw_need,
        need=reckoned.need,
        clamps=reckoned.clamps,
        answer=reckoned.answer,
        for_keda=for_keda,
        is_active=reckoned.is_active,
        sentence=sentence(reckoned),
    )
