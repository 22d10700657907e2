"""Start-ups of pods for tests: sensible values, each part replaceable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scalers.start_ups import StartUp

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def a_start(
    number: int = 0,
    *,
    schedule: float = 1,
    start: float | None = 4,
    pull: float = 60,
    ready: float = 30,
    waited: bool = False,
    image: str = "chat:1",
    node_class: str = "",
) -> StartUp:
    """The start-up of one pod, a minute after that of the pod with the number before; parts are seconds."""
    return StartUp(
        pod=f"pod-{number}-{image}-{node_class}",
        created=NOON + timedelta(minutes=number),
        to_schedule=seconds(schedule),
        to_start=None if start is None else seconds(start),
        to_run=seconds(pull),
        to_ready=seconds(ready),
        waited_for_node=waited,
        image=image,
        node_class=node_class,
    )
