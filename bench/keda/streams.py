"""StreamIsActive by the thousand on one connection, as KEDA holds them; the control beside it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.figures import Figure
from bench.lines import LineProcess

FEW = 100  # open before memory is counted: what the first stream loads is not the streams'
COUNT = 10_000
MANY = 20_000  # two per trigger on KEDA 2.21
IDLE_SECONDS = 6
PUSHES = 5
MOST_KIB = 25.0
MOST_PUSH_SECONDS = 1.0
MOST_IDLE_PERCENT = 2.0


@dataclass(frozen=True, slots=True)
class Held:
    """What open streams cost one server."""

    kib: float  # each
    open_seconds: float  # until the last had heard the state
    idle_percent: float  # of a core
    push_seconds: float  # from the change to the last stream that heard it, median
    longest_push_seconds: float
    push_us: float  # CPU of the server for a change, per stream


@dataclass(frozen=True, slots=True)
class Both:
    """The same streams on both servers."""

    ours: Held
    control: Held


def measure(program: Path) -> dict[int, Both]:
    """Return what streams cost, by how many there were on the connection."""
    ours = (sys.executable, "-m", "bench.keda.serve")
    control = (program, "serve")
    return {count: Both(_held(ours, program, count), _held(control, program, count)) for count in (COUNT, MANY)}


def figures(held: dict[int, Both]) -> list[Figure]:
    """Return what was measured; limits are for the smaller number."""
    limits = (MOST_KIB, MOST_PUSH_SECONDS, MOST_IDLE_PERCENT)
    rows = [*_figures("", COUNT, held[COUNT].ours, limits), *_figures("", MANY, held[MANY].ours)]
    return [*rows, *_figures(", Go", COUNT, held[COUNT].control), *_figures(", Go", MANY, held[MANY].control)]


def _held(server_command: tuple[str | Path, ...], program: Path, count: int) -> Held:
    with LineProcess(*server_command) as server:
        endpoint = f"127.0.0.1:{server.hear()['port']:.0f}"
        with LineProcess(program, "streams", "-endpoints", endpoint, "-count", str(FEW)) as few:
            few.hear()
            before = server.cost.kib()
            began = time.monotonic()
            with LineProcess(program, "streams", "-endpoints", endpoint, "-count", str(count)) as client:
                client.hear()
                opened = time.monotonic() - began
                kib = (server.cost.kib() - before) / count
                idle = _idle_percent(server)
                before_pushes = server.cost.cpu_seconds()
                pushes = [_push(server, client, is_active=number % 2 == 0) for number in range(PUSHES)]
                push_us = 1e6 * (server.cost.cpu_seconds() - before_pushes) / PUSHES / count
    return Held(kib, opened, idle, median(pushes), max(pushes), push_us)


def _idle_percent(server: LineProcess) -> float:
    time.sleep(1)  # what opening left to do is not idleness
    before = server.cost.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    return 100 * (server.cost.cpu_seconds() - before) / IDLE_SECONDS


def _push(server: LineProcess, client: LineProcess, *, is_active: bool) -> float:
    server.say("true" if is_active else "false")
    published = server.hear()["published_ns"]
    seconds = (client.hear()["all_heard_ns"] - published) / 1e9
    time.sleep(0.2)
    return seconds


def _figures(
    whose: str, count: int, held: Held, limits: tuple[float | None, float | None, float | None] = (None, None, None)
) -> list[Figure]:
    kib, push, idle = limits
    title = f"{count:,} streams on one connection{whose}"
    return [
        Figure(f"{title}: each", held.kib, "KiB", kib),
        Figure(f"{title}: a change to all, median", held.push_seconds, "s", push),
        Figure(f"{title}: a change to all, longest", held.longest_push_seconds, "s"),
        Figure(f"{title}: a change, per stream", held.push_us, "us CPU"),
        Figure(f"{title}: idle", held.idle_percent, "% of a core", idle),
        Figure(f"{title}: opened", held.open_seconds, "s"),
    ]
