"""The run as a page for docs: both servers side by side, medians with their spread, and what is over its limit."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.keda import Measured, calls, control, streams
from bench.keda.agents import POLICIES

_HEAD = """# KEDA's server beside one in Go

Made by `make bench-keda ARGS='--markdown docs/benchmarks/keda.md'` on {day}; not edited by hand.
{cores} cores of {machine}, load average {load} while it ran; Python {python}, grpcio {grpcio}, uvloop {uvloop};
{go}, grpc-go {grpc_go}.

The control (`bench/keda/control`) is a server of the same proto as one writes it by hand, without an agent around it.
One Go client asks both, in turn, within the same seconds. Only ratios say something of the software: what else the
machine did is in every other number. Calls: median, least and largest of {rounds} rounds of {seconds} s; the ratio is
that of each round. Streams: the median of {pushes} changes.
"""
_ROW = "| {} | {} | {} | {} | {} |"


def page(run: Measured) -> str:
    """Return the page as Markdown."""
    parts = [_head(), "## Calls", _calls(run.rounds), "## Streams on one connection", _streams(run.held)]
    leaving = [f"- {figure.name}: {figure.value:.4g} {figure.unit}" + _limit(figure.limit) for figure in run.left]
    parts += ["## An agent that leaves", "\n".join(leaving)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _head() -> str:
    module = (Path(control.__file__).parent / "control/go.mod").read_text()
    grpc_go = next(
        line.split()[1] for line in module.splitlines() if line.strip().startswith("google.golang.org/grpc v")
    )
    return _HEAD.format(
        day=datetime.now(UTC).date(),
        cores=os.cpu_count(),
        machine=platform.machine(),
        load=f"{os.getloadavg()[1]:.1f}",
        python=platform.python_version(),
        grpcio=importlib.metadata.version("grpcio"),
        uvloop=importlib.metadata.version("uvloop"),
        go=control.go_version(),
        grpc_go=grpc_go,
        rounds=calls.ROUNDS,
        seconds=calls.SECONDS,
        pushes=streams.PUSHES,
    )


def _calls(rounds: list[calls.Round]) -> str:
    def row(
        name: str, ours: Callable[[calls.Round], float], go: Callable[[calls.Round], float], most: float | None
    ) -> str:
        ratios = [ours(each) / go(each) for each in rounds]
        return _ROW.format(
            name, _spread(map(ours, rounds)), _spread(map(go, rounds)), _spread(ratios), _kept(ratios, most)
        )

    title = f"{calls.RATE} a second; the agent decides for {POLICIES} policies and fits their forecasts meanwhile."
    cpu, p99, p50 = "GetMetrics, all CPU of the process, us", "IsActive and GetMetrics, p99 ms", "the same, p50 ms"
    rows = [
        _ROW.format("median (spread)", "agent", "Go", "ratio", "most"),
        "| --- | --- | --- | --- | --- |",
        row(cpu, lambda each: each.agent.cpu_us(), lambda each: each.control.cpu_us(), calls.MOST_CPU),
        row(p99, lambda each: each.mixed.p99_ms, lambda each: each.control_mixed.p99_ms, calls.MOST_P99),
        row(p50, lambda each: each.mixed.p50_ms, lambda each: each.control_mixed.p50_ms, None),
    ]
    return "\n".join([title, "", *rows])


def _streams(held: dict[int, streams.Both]) -> str:
    rows = [_ROW.format("", "ours", "Go", "ratio", "most"), "| --- | --- | --- | --- | --- |"]
    for count, both in held.items():
        is_limited = count == streams.COUNT
        measured: tuple[tuple[str, Callable[[streams.Held], float], float | None], ...] = (
            ("each, KiB", lambda h: h.kib, streams.MOST_KIB),
            ("a change to all, s", lambda h: h.push_seconds, streams.MOST_PUSH_SECONDS),
            ("the slowest change, s", lambda h: h.longest_push_seconds, None),
            ("a change, CPU us per stream", lambda h: h.push_us, None),
            ("idle, % of a core", lambda h: h.idle_percent, streams.MOST_IDLE_PERCENT),
            ("until all were open, s", lambda h: h.open_seconds, None),
        )
        for name, of, most in measured:
            ours, go = of(both.ours), of(both.control)
            ratio = f"{ours / go:.2f}" if go else ""
            kept = _kept([ours], most if is_limited else None)
            rows.append(_ROW.format(f"{count:,}: {name}", f"{ours:.3g}", f"{go:.3g}", ratio, kept))
    return "\n".join(rows)


def _spread(values: Iterable[float]) -> str:
    numbers = list(values)
    return f"{median(numbers):.3g} ({min(numbers):.3g}-{max(numbers):.3g})"


def _kept(values: list[float], most: float | None) -> str:
    if most is None:
        return ""
    return f"{most:g}" if median(values) <= most else f"{most:g}, **over**"


def _limit(most: float | None) -> str:
    return "" if most is None else f", at most {most:g}"
