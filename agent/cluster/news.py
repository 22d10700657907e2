"""What of a policy's status is worth an Event: conditions, the mode, who answers, and the lead time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scalers.policy import Mode

# Where something is wrong. A forecast that is not trusted is none: reacting is what it is compared with.
_WRONG = {"Ready": "False", "DataFresh": "False", "CapacityKnown": "False", "Conflict": "True"}
_GETS = {
    Mode.ACTIVE: "KEDA gets the answer from now on",
    Mode.SHADOW: "a trigger that names it gets the raw need from now on",
}


@dataclass(frozen=True, slots=True)
class News:
    """One thing that has changed."""

    is_wrong: bool
    reason: str  # CamelCase
    action: str  # what it is about, CamelCase
    note: str


@dataclass(frozen=True, slots=True)
class Told:
    """A condition as people were told it."""

    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What people are told of a policy when it changes; None is not known."""

    mode: Mode | None
    conditions: Mapping[str, Told]
    expert: str | None
    lead_time: tuple[str, str] | None  # and where it comes from
    expert_message: str = ""
    lead_time_message: str = ""


def facts_of(status: Mapping[str, Any], mode: Mode | None) -> Facts:
    """Return the facts of a status as the API server has it; of one that was never written there are none."""
    trust, lead_time = status.get("trust") or {}, status.get("leadTime") or {}
    return Facts(
        mode=mode,
        conditions={
            each["type"]: Told(each["status"], each["reason"], each["message"])
            for each in status.get("conditions") or ()
        },
        expert=trust.get("expert"),
        lead_time=(lead_time["used"], lead_time["origin"]) if lead_time else None,
        expert_message=trust.get("message") or "",
        lead_time_message=lead_time.get("message") or "",
    )


def news(before: Facts, after: Facts) -> Iterator[News]:
    """Return what has changed. Of what was not known before, only what is wrong is news."""
    if before.mode is not None and after.mode is not None and before.mode is not after.mode:
        note = f"spec.mode is {after.mode}, it was {before.mode}: {_GETS[after.mode]}"
        yield News(is_wrong=False, reason="ModeChanged", action="Mode", note=note)
    for kind, told in after.conditions.items():
        yield from _condition(kind, before.conditions.get(kind), told)
    if before.expert is not None and after.expert is not None and before.expert != after.expert:
        note = _said(f"{after.expert} answers, {before.expert} did before", after.expert_message)
        yield News(is_wrong=False, reason="ExpertChanged", action="Trust", note=note)
    if before.lead_time is not None and after.lead_time is not None and before.lead_time != after.lead_time:
        (used, origin), (used_before, origin_before) = after.lead_time, before.lead_time
        what = f"decisions use a lead time of {used} ({origin}), it was {used_before} ({origin_before})"
        note = _said(what, after.lead_time_message)
        yield News(is_wrong=False, reason="LeadTimeChanged", action="LeadTime", note=note)


def _condition(kind: str, before: Told | None, told: Told) -> Iterator[News]:
    is_wrong = _WRONG.get(kind) == told.status
    is_same = before is not None and (before.status, before.reason) == (told.status, told.reason)
    if is_same or (before is None and not is_wrong):
        return
    yield News(is_wrong, told.reason, kind, f"{kind} is {told.status}: {told.message}")


def _said(what: str, message: str) -> str:
    return f"{what}: {message}" if message else what
