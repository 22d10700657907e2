"""One run: everything is started and fitted, then the steady state is measured, then how far answers reach."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import requests

from bench.cluster import demand, objects, reach
from bench.cluster.agents import MeasuredAgent
from bench.figures import Figure
from tests.cluster import installed
from tests.cluster.control_plane import ControlPlane

STEADY_SECONDS, REACH_SECONDS = 130.0, 90.0
_SETTLE_SECONDS = 30.0  # after the last fit
_LONGEST = 1800.0  # seconds until all are fitted
MOST_CPU, MOST_WRITES, MOST_REACH = 0.5, 5.0, 2.0  # cores, writes a second, seconds
_WRITES = re.compile(r"^apiserver_request_total\{(.*)\} (\S+)$", re.MULTILINE)
_RANGES = re.compile(r'^prometheus_http_requests_total\{.*"/api/v1/query_range".*\} (\S+)$', re.MULTILINE)
_WRITING = ("PATCH", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Measured:
    """All of one run."""

    policies: int
    fitted_seconds: float  # from the leader's start
    seconds: float  # of the steady state
    leader_cores: float
    fits_cores: float  # of the leader's child processes
    follower_cores: float
    leader_mib: float
    decisions: float
    writes: dict[str, float]  # a second, by resource
    delays: tuple[float, ...]
    load: float  # average of the machine at the end of the steady state
    busy: float  # share of the machine's cores that were busy

    def figures(self) -> list[Figure]:
        """Return the rows of `make bench`."""
        count = f"{self.policies:,} policies"
        most = np.quantile(self.delays, (0.5, 0.99, 1.0)) if self.delays else (None, None, None)
        statuses = self.writes.get("forecastpolicies/status", 0.0)
        rest = sum(self.writes.values()) - statuses
        return [
            Figure(f"{count}: leader, all its CPU but the fits'", self.leader_cores, "cores", MOST_CPU),
            Figure("its fit process meanwhile", self.fits_cores, "cores"),
            Figure("follower", self.follower_cores, "cores"),
            Figure("leader, memory", self.leader_mib, "MiB"),
            Figure("decisions published", self.decisions, "1/s"),
            Figure("statuses written", statuses, "1/s", MOST_WRITES),
            Figure("Leases and Events written", rest, "1/s"),
            Figure(f"a decision until the follower answers it, p99 of {len(self.delays)}", most[1], "s", MOST_REACH),
            Figure("the same, median", most[0], "s"),
            Figure("the same, longest", most[2], "s"),
            Figure("start of the leader until all are fitted", self.fitted_seconds, "s"),
            Figure("load average of the machine", self.load, ""),
            Figure("busy cores of the machine", self.busy, "cores"),
        ]


def run(folder: Path, policies: int) -> Measured:
    """Start everything, and measure."""
    fast = ("--kube-api-qps=300", "--kube-api-burst=600")  # or the Deployments alone take minutes
    _tell("starting Kubernetes")
    with ControlPlane(folder / "cluster", controller_options=fast) as plane:
        _tell(f"creating {policies} policies and Deployments")
        objects.create_all(plane.api, policies)
        _tell("loading the past into Prometheus")
        with (
            installed.release(plane, objects.NAMESPACE, folder) as account,
            demand.prometheus(folder / "prometheus", policies) as prometheus,
        ):
            leader, follower = (MeasuredAgent(folder / name, account, prometheus.url) for name in "ab")
            with leader:
                began = time.monotonic()
                _until(lambda: leader.has_logged("deciding"), "the first agent leads", 60)
                with follower:
                    _until(follower.is_ready, "the follower is ready", 120)
                    _until_fitted(leader, policies)
                    _until_read(prometheus.url)
                    fitted = time.monotonic() - began
                    time.sleep(_SETTLE_SECONDS)
                    return _measured(plane, leader, follower, policies, fitted)


def _measured(
    plane: ControlPlane, leader: MeasuredAgent, follower: MeasuredAgent, policies: int, fitted: float
) -> Measured:
    _tell(f"measuring the steady state for {STEADY_SECONDS:g} s")
    costs = (leader.cost, follower.cost)
    decided, wrote = leader.total("foretide_decisions_total"), _written(plane)
    children = costs[0].children_cpu_seconds()
    spent, began = [cost.cpu_seconds() for cost in costs], time.monotonic()
    busy = psutil.cpu_percent(interval=STEADY_SECONDS) / 100 * (os.cpu_count() or 1)
    seconds = time.monotonic() - began
    cores = [(cost.cpu_seconds() - before) / seconds for cost, before in zip(costs, spent, strict=True)]
    fits = (costs[0].children_cpu_seconds() - children) / seconds
    writes = {name: (count - wrote.get(name, 0.0)) / seconds for name, count in _written(plane).items()}
    decisions, load = (leader.total("foretide_decisions_total") - decided) / seconds, os.getloadavg()[1]
    _tell(f"asking both agents for {REACH_SECONDS:g} s")
    endpoints = [f"127.0.0.1:{each.grpc_port}" for each in (leader, follower)]
    return Measured(
        policies=policies,
        fitted_seconds=fitted,
        seconds=seconds,
        leader_cores=cores[0],
        fits_cores=fits,
        follower_cores=cores[1],
        leader_mib=costs[0].kib() / 1024,
        decisions=decisions,
        writes={name: rate for name, rate in writes.items() if rate > 0},
        delays=tuple(reach.delays(endpoints, policies, REACH_SECONDS)),
        load=load,
        busy=busy,
    )


def _written(plane: ControlPlane) -> dict[str, float]:
    """Return how often the agents have written each resource: nobody else writes these."""
    ours = {"forecastpolicies/status", "leases", "events"}
    found: dict[str, float] = {}
    for labels, count in _WRITES.findall(plane.api.text("/metrics")):
        known = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        name = "/".join(part for part in (known["resource"], known["subresource"]) if part)
        if known["verb"] in _WRITING and name in ours and known["group"] != "":
            found[name] = found.get(name, 0.0) + float(count)
    return found


def _until_fitted(leader: MeasuredAgent, policies: int) -> None:
    """Wait until no policy learns any more."""

    def is_fitted() -> bool:
        learning = leader.total("foretide_decision_basis", label='basis="learning"')
        _tell(f"{policies - learning:g} of {policies} fitted")
        time.sleep(10)
        return learning == 0

    _until(is_fitted, "all policies are fitted", _LONGEST)


def _until_read(prometheus: str) -> None:
    """Wait until the past is read: no range is asked for any more."""
    seen = -1.0

    def is_read() -> bool:
        nonlocal seen
        text = requests.get(f"{prometheus}/metrics", timeout=10).text
        before, seen = seen, sum(float(count) for count in _RANGES.findall(text))
        _tell(f"{seen:g} ranges read")
        time.sleep(10)
        return seen == before

    _until(is_read, "the past is read", _LONGEST)


def _until(claim: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not _is_so(claim):
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {seconds:g} s: {what}")
        time.sleep(0.5)


def _is_so(claim: Callable[[], bool]) -> bool:
    try:
        return claim()
    except requests.RequestException:  # it is busy starting
        return False


def _tell(what: str) -> None:
    print(f"bench    {what}", file=sys.stderr, flush=True)
