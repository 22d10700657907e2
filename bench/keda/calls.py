"""A call at 500 a second: the whole agent while it fits forecasts, and the control, in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.figures import Figure
from bench.keda.agents import POLICIES, BenchAgent
from bench.lines import Cost, LineProcess

RATE = 500
SECONDS = 2  # short, and many: whatever else the machine does meets both servers alike
WARMUP = "300ms"
ROUNDS = 10
MOST_CPU = 2.5  # times the control's
MOST_P99 = 3.0


@dataclass(frozen=True, slots=True)
class Window:
    """One server under load."""

    cpu_share: float  # of one core, while the calls ran
    calls_per_second: float
    p50_ms: float
    p99_ms: float
    failed: int

    def cpu_us(self, idle_share: float = 0.0) -> float:
        """Return the CPU of a call, microseconds, without what the process uses anyway."""
        return 1e6 * (self.cpu_share - idle_share) / self.calls_per_second


@dataclass(frozen=True, slots=True)
class Round:
    """Everything once, within ten seconds."""

    agent: Window  # GetMetrics alone
    control: Window
    mixed: Window  # IsActive and GetMetrics in turn
    control_mixed: Window
    idle_share: float  # of the agent, while the control was asked
    fits_share: float  # of the agent's children, in the same time

    def ratio(self) -> float:
        return self.agent.cpu_us() / self.control.cpu_us()

    def ratio_of_calls(self) -> float:
        return self.agent.cpu_us(self.idle_share) / self.control.cpu_us()

    def ratio_of_p99(self) -> float:
        return self.mixed.p99_ms / self.control_mixed.p99_ms


def measure(program: Path, folder: Path) -> list[Round]:
    """Return CPU and latencies of both servers; every ratio is to be of two windows of one round."""
    with BenchAgent(folder) as agent, LineProcess(program, "serve", "-policies", str(POLICIES)) as control:
        endpoint = f"127.0.0.1:{control.hear()['port']:.0f}"
        for warmed in (agent.endpoint, endpoint):
            _window(program, warmed, agent.cost, mixed=True)
        return [_round(program, agent, endpoint, control.cost) for _ in range(ROUNDS)]


def _round(program: Path, agent: BenchAgent, endpoint: str, control: Cost) -> Round:
    asked = _window(program, agent.endpoint, agent.cost)
    mixed = _window(program, agent.endpoint, agent.cost, mixed=True)
    began, idle, fits = time.monotonic(), agent.cost.cpu_seconds(), agent.cost.children_cpu_seconds()
    plain = _window(program, endpoint, control)
    both = _window(program, endpoint, control, mixed=True)
    took = time.monotonic() - began
    return Round(
        agent=asked,
        control=plain,
        mixed=mixed,
        control_mixed=both,
        idle_share=(agent.cost.cpu_seconds() - idle) / took,
        fits_share=(agent.cost.children_cpu_seconds() - fits) / took,
    )


def _window(program: Path, endpoint: str, cost: Cost, *, mixed: bool = False) -> Window:
    options = ["-endpoints", endpoint, "-rate", str(RATE), "-duration", f"{SECONDS}s", "-warmup", WARMUP]
    options += ["-policies", str(POLICIES)]
    with LineProcess(program, "load", *options, *(["-mixed"] if mixed else [])) as client:
        client.hear()
        before = cost.cpu_seconds()
        heard = client.hear()
        spent = cost.cpu_seconds() - before
    return Window(
        cpu_share=spent / heard["seconds"],
        calls_per_second=heard["calls"] / heard["seconds"],
        p50_ms=heard["p50_ms"],
        p99_ms=heard["p99_ms"],
        failed=int(heard["failed"]),
    )


def figures(rounds: list[Round]) -> list[Figure]:
    """Return the medians of the rounds."""

    def middle(of: Callable[[Round], float]) -> float:
        return median(of(each) for each in rounds)

    title = f"GetMetrics at {RATE}/s"
    failed = sum(each.agent.failed + each.mixed.failed for each in rounds)
    return [
        Figure(f"{title}: agent's CPU over Go's", middle(Round.ratio), "ratio", MOST_CPU),
        Figure(f"{title}: the same, agent's idle CPU apart", middle(Round.ratio_of_calls), "ratio"),
        Figure(f"{title}: agent, all its CPU", middle(lambda each: each.agent.cpu_us()), "us CPU"),
        Figure(f"{title}: Go", middle(lambda each: each.control.cpu_us()), "us CPU"),
        Figure(
            "agent without calls, forecasts being fitted", middle(lambda each: 100 * each.idle_share), "% of a core"
        ),
        Figure("its fit process meanwhile", middle(lambda each: 100 * each.fits_share), "% of a core"),
        Figure(f"IsActive and GetMetrics at {RATE}/s: p99 over Go's", middle(Round.ratio_of_p99), "ratio", MOST_P99),
        Figure("p99, agent", middle(lambda each: each.mixed.p99_ms), "ms"),
        Figure("p99, Go", middle(lambda each: each.control_mixed.p99_ms), "ms"),
        Figure("p50, agent", middle(lambda each: each.mixed.p50_ms), "ms"),
        Figure("p50, Go", middle(lambda each: each.control_mixed.p50_ms), "ms"),
        Figure("calls that failed", failed, "calls", 0.0),
    ]
