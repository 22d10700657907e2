"""Which lead time decisions take: the declared one until start-ups were measured, and then theirs, changed rarely.

With another lead time the experts that decide are simulated anew, and what they knew of each other is worth less: a
measured one takes the place of what is in use only where it differs by much, and not soon after the last time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from forecasters.packing import UnreadableState
from scalers.sentence import span
from scalers.start_ups import LEAST, Measured, StartUp, kept, measure

# A shift within these says nothing that a P90 of dozens would not do by chance.
_LEAST_SHARE, _LEAST_SHIFT = 0.2, timedelta(seconds=10)
# Pods that start slower than is counted on leave demand unserved; those that start faster cost something.
_RISES_AFTER, _FALLS_AFTER = timedelta(hours=1), timedelta(hours=6)
# Pods that wait for longer wait for room that nobody brings; unless as much is declared, that is no start-up.
LONGEST = timedelta(hours=1)
_KIND, _VERSION = "lead time", 1


@dataclass(frozen=True, slots=True)
class Adopted:
    """A measured lead time that decisions take."""

    lead_time: timedelta
    at: datetime  # since when
    start_ups: int  # that it was measured from


@dataclass(frozen=True, slots=True)
class LeadTimeState:
    """What is known of one policy's start-ups; outlives a restart."""

    target: str  # whose pods they are; those of another say nothing
    start_ups: tuple[StartUp, ...] = ()  # oldest first
    adopted: Adopted | None = None


@dataclass(frozen=True, slots=True)
class LeadTimeReport:
    """What a person is told of a policy's lead time."""

    used: timedelta
    adopted: Adopted | None  # None: the declared one is used
    measured: Measured | None
    trouble: str | None  # pods that do not become Ready, or why none can be looked at
    sentence: str


def with_start_ups(state: LeadTimeState, new: Sequence[StartUp]) -> LeadTimeState:
    """Return the state with further start-ups; of a pod that becomes Ready again, the first time counts."""
    known = {each.pod for each in state.start_ups}
    fresh = [each for each in new if each.pod not in known]
    if not fresh:
        return state
    return LeadTimeState(state.target, kept((*state.start_ups, *fresh)), state.adopted)


def adopt(state: LeadTimeState, *, declared: timedelta, now: datetime) -> LeadTimeState:
    """Return the state after looking whether the measured lead time is to be used from now on.

    Args:
        state: start-ups, and what is used.
        declared: the policy's, used until then.
        now: the time.
    """
    measured = measure(state.start_ups)
    if measured is None or not measured.is_enough:
        return state
    new = min(measured.p90, max(LONGEST, declared))
    used = declared if state.adopted is None else state.adopted.lead_time
    if abs(new - used) <= max(_LEAST_SHARE * used, _LEAST_SHIFT):
        return state
    waits = _RISES_AFTER if new > used else _FALLS_AFTER
    if state.adopted is not None and now - state.adopted.at < waits:
        return state
    return LeadTimeState(state.target, state.start_ups, Adopted(new, now, measured.count))


def report(state: LeadTimeState, *, declared: timedelta, trouble: str | None = None) -> LeadTimeReport:
    """Return what a person is told."""
    measured = measure(state.start_ups)
    used = declared if state.adopted is None else state.adopted.lead_time
    told = f"{_used(state.adopted, declared)}; {_measured(measured, used)}"
    sentence = told if trouble is None else f"{told}; {trouble}"
    return LeadTimeReport(used, state.adopted, measured, trouble, sentence)


def _used(adopted: Adopted | None, declared: timedelta) -> str:
    if adopted is None:
        return f"{span(declared)}, as declared"
    return f"{span(adopted.lead_time)}, measured from {adopted.start_ups} start-ups"


def _measured(measured: Measured | None, used: timedelta) -> str:
    if measured is None:
        return f"no start-up was seen yet, {LEAST} are needed"
    if not measured.is_enough:
        return f"{measured.count} of {LEAST} start-ups of this image and class of nodes were seen"
    split = []
    if measured.with_node is not None:
        split.append(f"{span(measured.with_node)} where a node was there")
    if measured.without_node is not None:
        split.append(f"{span(measured.without_node)} where a node had to start ({measured.waited})")
    newest = "" if measured.p90 == used else f"P90 of the newest {measured.count} is {span(measured.p90)}, "
    return f"{newest}{', '.join(split)}; {measured.advice}"


def encode(state: LeadTimeState) -> bytes:
    """Return a state as bytes, some 10 KiB."""
    adopted = state.adopted
    written = {
        "kind": _KIND,
        "version": _VERSION,
        "target": state.target,
        "startUps": [_row(each) for each in state.start_ups],
        "adopted": adopted and [adopted.lead_time.total_seconds(), adopted.at.timestamp(), adopted.start_ups],
    }
    return json.dumps(written, separators=(",", ":")).encode()


def decode(body: bytes) -> LeadTimeState:
    """Return what was encoded.

    Raises:
        UnreadableState: the bytes are damaged or of an unknown version.
    """
    try:
        found = json.loads(body)
        written = found["kind"], found["version"]
        if written == (_KIND, _VERSION):
            return _state(found)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise UnreadableState(f"stored {_KIND} cannot be read ({error}): measure anew") from error
    raise UnreadableState(f"stored {written[0]} has version {written[1]}, this program reads {_KIND} {_VERSION}")


def _state(found: Mapping[str, Any]) -> LeadTimeState:
    start_ups, adopted = tuple(_start_up(row) for row in found["startUps"]), None
    if found["adopted"] is not None:
        lead_time, at, count = found["adopted"]
        adopted = Adopted(_span(lead_time), _at(at), int(count))
    return LeadTimeState(str(found["target"]), start_ups, adopted)


def _row(each: StartUp) -> list[object]:
    start = None if each.to_start is None else each.to_start.total_seconds()
    parts = [each.to_schedule.total_seconds(), start, each.to_run.total_seconds(), each.to_ready.total_seconds()]
    return [each.pod, each.created.timestamp(), *parts, each.waited_for_node, each.image, each.node_class]


def _start_up(row: list[Any]) -> StartUp:
    pod, created, schedule, start, run, ready, waited, image, node_class = row
    return StartUp(
        pod=str(pod),
        created=_at(created),
        to_schedule=_span(schedule),
        to_start=None if start is None else _span(start),
        to_run=_span(run),
        to_ready=_span(ready),
        waited_for_node=bool(waited),
        image=str(image),
        node_class=str(node_class),
    )


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
