"""One run: everything is started and fitted, then the steady state is measured, then how far answers reach."""

from __future__ import annotations

import math
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
from bench.cluster.begun import Begun, begun
from bench.cluster.security import Mutual
from bench.figures import Figure
from bench.lines import Cost
from tests.cluster import installed
from tests.cluster.control_plane import ControlPlane

STEADY_SECONDS, REACH_SECONDS = 130.0, 90.0
_SETTLE_SECONDS = 30.0  # after the last fit
_READING_SECONDS = 60.0  # at most, after the last fit
MOST_CPU, MOST_WRITES, MOST_REACH = 0.5, 5.0, 2.0  # cores, writes a second, seconds
_WRITES = re.compile(r"^apiserver_request_total\{(.*)\} (\S+)$", re.MULTILINE)
_RANGES = re.compile(r'^prometheus_http_requests_total\{.*"/api/v1/query_range".*\} (\S+)$', re.MULTILINE)
_WRITING = ("PATCH", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run is made of."""

    policies: int
    days: float  # of past in Prometheus
    is_mutual: bool  # whether the agents' port wants certificates of all that ask there

    @property
    def history_days(self) -> int:
        """Of each policy: what is there, and a day at least, as a policy must have."""
        return max(1, math.ceil(self.days))


@dataclass(frozen=True, slots=True)
class Measured:
    """All of one run."""

    setting: Setting
    start: Begun
    seconds: float  # of the steady state
    leader_cores: float
    fits_cores: float  # of the leader's child processes
    follower_cores: float
    leader_mib: float
    leader_peak_mib: float  # of all that time
    follower_mib: float
    ranges: float  # a second, that the leader asked Prometheus for
    decisions: float
    unstored: float  # a second; answered although the store had not taken them within two seconds
    writes: dict[str, float]  # a second, by resource
    delays: tuple[float, ...]
    load: float  # average of the machine at the end of the steady state
    busy: float  # share of the machine's cores that were busy

    def figures(self) -> list[Figure]:
        """Return the rows of `make bench`."""
        policies = self.setting.policies
        count = f"{policies:,} policies"
        most = np.quantile(self.delays, (0.5, 0.99, 1.0)) if self.delays else (None, None, None)
        statuses = self.writes.get("forecastpolicies/status", 0.0)
        rest = sum(self.writes.values()) - statuses
        return [
            Figure(f"{count}: leader, all its CPU but the fits'", self.leader_cores, "cores", MOST_CPU),
            Figure("its fit process meanwhile", self.fits_cores, "cores"),
            Figure("follower", self.follower_cores, "cores"),
            Figure("leader, memory", self.leader_mib, "MiB"),
            Figure("leader, the most memory from its start on", self.leader_peak_mib, "MiB"),
            Figure("follower, memory", self.follower_mib, "MiB"),
            Figure("ranges of the past asked of Prometheus meanwhile", self.ranges, "1/s"),
            Figure("decisions published", self.decisions, "1/s"),
            Figure("of them not stored within 2 s", self.unstored, "1/s"),
            Figure("statuses written", statuses, "1/s", MOST_WRITES),
            Figure("a policy's turn for its status comes every", policies / statuses if statuses else None, "s"),
            Figure("Leases and Events written", rest, "1/s"),
            Figure(f"a decision until the follower answers it, p99 of {len(self.delays)}", most[1], "s", MOST_REACH),
            Figure("the same, median", most[0], "s"),
            Figure("the same, longest", most[2], "s"),
            Figure("load average of the machine", self.load, ""),
            Figure("busy cores of the machine", self.busy, "cores"),
            *self.start.figures(),
        ]


def run(folder: Path, setting: Setting) -> Measured:
    """Start everything, and measure."""
    policies = setting.policies
    security = Mutual.made(folder / "certificates") if setting.is_mutual else None
    fast = ("--kube-api-qps=300", "--kube-api-burst=600")  # or the Deployments alone take minutes
    _tell("starting Kubernetes")
    with ControlPlane(folder / "cluster", controller_options=fast) as plane:
        _tell(f"creating {policies} policies and Deployments")
        objects.create_all(plane.api, policies, setting.history_days)
        _tell(f"loading {setting.days:g} days into Prometheus")
        with (
            installed.release(plane, objects.NAMESPACE, folder) as account,
            demand.prometheus(folder / "prometheus", policies, setting.days) as prometheus,
        ):
            made = (account, prometheus.url, security)
            leader, follower = (MeasuredAgent(folder / name, *made) for name in ("leader", "follower"))
            since = time.monotonic()
            with leader:
                _until(lambda: leader.logged("deciding") > 0, "the first agent leads", 60)
                with follower:
                    start = begun(leader, follower, Cost(prometheus.pid), policies=policies, since=since)
                    _until_read(prometheus.url)
                    time.sleep(_SETTLE_SECONDS)
                    return _measured(plane, leader, follower, prometheus.url, setting, start, security)


def _measured(
    plane: ControlPlane,
    leader: MeasuredAgent,
    follower: MeasuredAgent,
    prometheus: str,
    setting: Setting,
    start: Begun,
    security: Mutual | None,
) -> Measured:
    _tell(f"measuring the steady state for {STEADY_SECONDS:g} s")
    costs = (leader.cost, follower.cost)
    decided, wrote, asked = leader.total("foretide_decisions_total"), _written(plane), _ranges(prometheus)
    children, unstored_before = costs[0].children_cpu_seconds(), leader.logged("decision_not_stored")
    spent, began = [cost.cpu_seconds() for cost in costs], time.monotonic()
    busy = psutil.cpu_percent(interval=STEADY_SECONDS) / 100 * (os.cpu_count() or 1)
    seconds = time.monotonic() - began
    cores = [(cost.cpu_seconds() - before) / seconds for cost, before in zip(costs, spent, strict=True)]
    fits = (costs[0].children_cpu_seconds() - children) / seconds
    writes = {name: (count - wrote.get(name, 0.0)) / seconds for name, count in _written(plane).items()}
    decisions, load = (leader.total("foretide_decisions_total") - decided) / seconds, os.getloadavg()[1]
    ranges = (_ranges(prometheus) - asked) / seconds
    unstored = (leader.logged("decision_not_stored") - unstored_before) / seconds
    _tell(f"asking both agents for {REACH_SECONDS:g} s")
    endpoints = [f"127.0.0.1:{each.grpc_port}" for each in (leader, follower)]
    return Measured(
        setting=setting,
        start=start,
        seconds=seconds,
        leader_cores=cores[0],
        fits_cores=fits,
        follower_cores=cores[1],
        leader_mib=costs[0].kib() / 1024,
        leader_peak_mib=costs[0].peak_kib() / 1024,
        follower_mib=costs[1].kib() / 1024,
        ranges=ranges,
        decisions=decisions,
        unstored=unstored,
        writes={name: rate for name, rate in writes.items() if rate > 0},
        delays=tuple(reach.delays(endpoints, setting.policies, REACH_SECONDS, security)),
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


def _until_read(prometheus: str) -> None:
    """Wait until all days are read at the step of the policies, or for a while: it goes on beside the decisions."""
    until, seen = time.monotonic() + _READING_SECONDS, -1.0
    while (now := _ranges(prometheus)) != seen and time.monotonic() < until:
        _tell(f"{now:g} ranges read")
        seen = now
        time.sleep(10)


def _ranges(prometheus: str) -> float:
    """Return how many ranges have been asked for."""
    text = requests.get(f"{prometheus}/metrics", timeout=10).text
    return sum(float(count) for count in _RANGES.findall(text))


def _until(claim: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {seconds:g} s: {what}")
        time.sleep(0.5)


def _tell(what: str) -> None:
    print(f"bench    {what}", file=sys.stderr, flush=True)
