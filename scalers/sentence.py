"""The sentence of a decision: lower case, number first, no full stop; what an operator reads everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from scalers.bounds import rounded_up
from scalers.decision import Basis, SignalInput
from scalers.situation import Reckoning


def sentence(reckoned: Reckoning) -> str:
    """Return the reason for a decision in words; times are UTC."""
    match reckoned.basis:
        case Basis.FORECAST:
            return _foretold(reckoned)
        case Basis.REACTIVE:
            return _reactive(reckoned)
        case Basis.LEARNING:
            return f"{_raw(reckoned)}; {_distrust(reckoned)}; raw need until then"
        case Basis.HELD:
            return _held(reckoned)
        case Basis.OVERRIDE:
            clamp = next(clamp for clamp in reckoned.clamps if clamp.name == "override")
            return f"at least {number(clamp.after)} {clamp.reason}; {number(clamp.before)} needed"
        case Basis.WAKING:
            return f"{_missing(reckoned)}; woken to {number(reckoned.answer or 0)}, demand is unknown at zero replicas"
        case Basis.REFUSED:
            return f"{_missing(reckoned)}{_past(reckoned)}; no answer, KEDA holds"


def number(value: float) -> str:
    """Return a number as people write it: at most two decimals, comma at thousands, small ones to two digits."""
    if value != 0 and abs(value) < 0.01:
        return f"{value:.2g}"
    text = f"{value:z,.2f}"
    return text.rstrip("0").rstrip(".")


def amount(value: float) -> str:
    """Return demand as people write it: whole from 100 up, with a comma at thousands, else to three digits."""
    return f"{value:,.0f}" if 100 <= abs(value) < 1e15 else f"{value:.3g}"


def span(duration: timedelta) -> str:
    """Return a duration as people write it: `2 min 10 s`."""
    seconds = round(duration.total_seconds())
    parts = []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def clock(instant: datetime, *, now: datetime) -> str:
    """Return the time of day, with the day where it is not today's."""
    if instant.date() == now.date():
        return instant.time().isoformat("seconds")  # half the time of strftime; there is one in every sentence
    return f"{instant:%d %b %H:%M}"


def fell(known: SignalInput, *, now: datetime) -> str:
    """Return what was seen of a demand that fell away, and since when; empty where none did."""
    fall = known.fall
    if fall is None:
        return ""
    since, before = clock(fall.since, now=now), amount(fall.before)
    if fall.is_back:
        return f"demand is back, which fell from {before} to near zero at {since}"
    return f"demand fell from {before} to {amount(known.demand or 0)} at {since}, at once and at no usual time"


def deciding(signals: Sequence[SignalInput]) -> SignalInput:
    """The signal that asks for the most."""

    def asked(known: SignalInput) -> float:
        peak = known.peak.value if known.peak is not None and known.distrust is None else 0.0
        return max(known.demand or 0.0, peak) / known.capacity

    return max(signals, key=asked)


def _foretold(reckoned: Reckoning) -> str:
    known = deciding(reckoned.signals)
    if known.peak is None or known.demand is None or known.peak.value <= known.demand:
        until = clock(reckoned.now + reckoned.look_ahead, now=reckoned.now)
        return f"{_raw(reckoned)}; no more is expected by {until}"
    until = clock(known.peak.until, now=reckoned.now)
    needs = f"{amount(known.peak.value)} by {until} needs {number(known.peak.value / known.capacity)}"
    return f"{needs}; one replica serves {amount(known.capacity)}{_changed(reckoned)}"


def _reactive(reckoned: Reckoning) -> str:
    peak = deciding(reckoned.signals).peak
    if peak is None or not peak.is_reactive:
        return f"{_raw(reckoned)}; the forecast is not used: {_distrust(reckoned)}"
    known = deciding(reckoned.signals)
    needs = f"{amount(known.demand or 0)} now needs {number(reckoned.need or 0)} with the margin of {peak.model}"
    return f"{needs}; no forecast would have cost less{_changed(reckoned)}"


def _raw(reckoned: Reckoning) -> str:
    return f"{_demanded(reckoned)}{_changed(reckoned)}"


def _demanded(reckoned: Reckoning) -> str:
    return f"{amount(deciding(reckoned.signals).demand or 0)} now needs {number(reckoned.raw_need or 0)}"


def _changed(reckoned: Reckoning) -> str:
    if reckoned.answer is None or reckoned.need is None:
        return ""
    if rounded_up(reckoned.answer) == rounded_up(reckoned.need):
        return ""
    return f"; {reckoned.clamps[-1].name}: {number(reckoned.answer)}" if reckoned.clamps else ""


def _distrust(reckoned: Reckoning) -> str:
    reasons = [known.distrust for known in reckoned.signals if known.distrust is not None]
    return reasons[0] if reasons else "there is none yet"


def _held(reckoned: Reckoning) -> str:
    held = f"{rounded_up(reckoned.answer or 0)} replicas held, nothing is scaled in"
    if any(clamp.name == "forecast missing" for clamp in reckoned.clamps):
        return f"the forecast is missing; {held}"
    if any(clamp.name == "rollout" for clamp in reckoned.clamps):
        return f"{_demanded(reckoned)}; the target is being rolled out: {held}"
    fallen = next((known for known in reckoned.signals if known.fall is not None), None)
    if fallen is not None and any(clamp.name == "outage" for clamp in reckoned.clamps):
        return f"{fell(fallen, now=reckoned.now)}{_of(fallen, reckoned)}; {held}"
    return f"{_missing(reckoned)}; {held}"


def _missing(reckoned: Reckoning) -> str:
    """Which signal is missing and since when: the one that has been so for longest."""
    never = [known for known in reckoned.signals if known.at is None]
    if never:
        return f"no sample yet{_of(never[0], reckoned)}: {never[0].state}"
    oldest = min(reckoned.signals, key=lambda known: known.at or reckoned.now)
    state = "" if oldest.state == "OK" else f" ({oldest.state})"
    return f"no samples since {clock(oldest.at or reckoned.now, now=reckoned.now)}{_of(oldest, reckoned)}{state}"


def _past(reckoned: Reckoning) -> str:
    if any(known.at is None for known in reckoned.signals):
        return ""
    return f", past staleness.data of {span(reckoned.policy.stale_data)}"


def _of(known: SignalInput, reckoned: Reckoning) -> str:
    return f" of {known.name}" if len(reckoned.signals) > 1 else ""
