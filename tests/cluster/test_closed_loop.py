"""A morning in a cluster: real KEDA, HPA, scheduler and Prometheus, and pods that take time to be Ready.

An hour stands for a day, and eight real days of such hours are in Prometheus before the agent starts. Two Deployments
carry the same load, with the same target per replica: `chat` by Foretide, `reactive` by KEDA's own prometheus scaler.
A third, `night`, has no load at all at night, and its morning comes two and a half minutes later.
"""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.policy.crd import custom_resource_definition
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Object
from tests.cluster.conftest import FIGURE
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import Account
from tests.cluster.kubectl import MISSING, printed
from tests.cluster.load import DayShape, ReplayedLoad
from tests.cluster.nodes import Nodes, started_in
from tests.cluster.processes import eventually
from tests.cluster.scaled import Scaled, push
from tests.real.prometheus import rig

pytestmark = [pytest.mark.real, pytest.mark.rig("pods start on KWOK's nodes, in a time that the rig sets")]

NAMESPACE = "morning"
POLICIES = f"/apis/foretide.dev/v1alpha1/namespaces/{NAMESPACE}/forecastpolicies"
PER_REPLICA = 10.0
START_UP = timedelta(seconds=40)
PAST = timedelta(days=8)
# Seconds from writing the past to the rise, and from its begin to the end. The agent walks through the past in 40 s on
# two idle cores, and must have done so a minute before the rise.
UNTIL_MORNING, AFTER_IT = 150.0, 65.0
LATER = 150.0  # seconds by which the morning of `night` comes after that of `chat`
ACTIVATION = 5.0
LONGEST = 60.0
SHOWN = ("get fcp", "describe fcp chat")
PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


@dataclass(frozen=True, slots=True)
class Look:
    """What was there at one moment."""

    at: float  # seconds since the begin of the rise
    load: float  # of `chat` and `reactive`, demand units
    existing: dict[str, int]
    ready: dict[str, int]

    def missing(self, name: str) -> float:
        """Return the replicas by which a Deployment falls short."""
        return max(0.0, self.load / PER_REPLICA - self.ready[name])


@dataclass(frozen=True, slots=True)
class Morning:
    """What was seen from before the rise to after it, and what the cluster says of it."""

    looks: list[Look]
    status: Object  # of the policy `chat`
    woken: list[str]  # what KEDA's events say of `night`
    shown: dict[str, str | None]  # what kubectl prints, by its words; None where there is no kubectl

    def since(self, seconds: float) -> list[Look]:
        """Return the looks from a moment on."""
        return [look for look in self.looks if look.at >= seconds]

    def shortage(self, name: str) -> float:
        """Return replica-seconds that were needed and not Ready, from the begin of the rise on."""
        return _integral([(look.at, look.missing(name)) for look in self.since(0)])

    def paid(self, name: str) -> float:
        """Return replica-seconds that were there, from a minute before the rise on."""
        return _integral([(look.at, float(look.existing[name])) for look in self.since(-60)])

    def __str__(self) -> str:
        return "\n".join(
            f"{look.at:4.0f} s  load {look.load:3.0f}, Ready of existing replicas: "
            + ", ".join(f"{name} {ready} of {look.existing[name]}" for name, ready in look.ready.items())
            for look in self.looks[::5]
        )


def _integral(points: list[tuple[float, float]]) -> float:
    times, values = zip(*points, strict=True)
    return float(np.trapezoid(values, times))


@pytest.fixture(scope="module")
def morning(cluster: ControlPlane, account: Account, nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Morning:
    """Live through one morning; all tests of this module look at the same."""
    if reason := rig.missing_binary():
        pytest.skip(reason)
    nodes.add("rig-node", pods=200)
    api = cluster.api
    api.apply(custom_resource_definition())
    eventually(lambda: api.get(POLICIES), "policies are served", within=LONGEST, told=cluster.logs)
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    scaled = {name: Scaled(api, NAMESPACE, cluster.logs, name=name) for name in ("chat", "reactive", "night")}
    pods = started_in(run=START_UP * 0.7, ready=START_UP * 0.3)
    for name, replicas in (("chat", 7), ("reactive", 7), ("night", 1)):
        scaled[name].create_target(replicas=replicas, pods=pods)
    with ExitStack() as stack:
        for each in scaled.values():  # its pods would take the nodes of the tests that follow
            stack.callback(each.remove_target)
        return live_through(stack, cluster, account, scaled, tmp_path_factory.mktemp("morning"))


def live_through(
    stack: ExitStack, cluster: ControlPlane, account: Account, scaled: dict[str, Scaled], folder: Path
) -> Morning:
    rises_at = time.time() + UNTIL_MORNING
    # the end of the rise takes 16.95 replicas: just below a whole number, so that no noise decides how many are enough
    day = DayShape(length=3600, rises_at=rises_at, rise=60, night=60, noon=193)
    later = DayShape(length=3600, rises_at=rises_at + LATER, rise=60, night=0, noon=130)
    load = ReplayedLoad({"demand": day, "nightly": later})
    stack.callback(load.stop)
    prometheus = rig.PrometheusServer(folder, targets=[load.target])
    for name, shape in (("demand", day), ("nightly", later)):
        prometheus.load_series(name, shape.before(time.time(), PAST), {"job": "past"})
    stack.enter_context(rig.running(prometheus))
    agent = ClusterAgent(folder, account, NAMESPACE, "--prometheus-url", prometheus.url)
    stack.callback(agent.kill)
    for name, metric, least in (("chat", "demand", 1), ("night", "nightly", 0)):
        cluster.api.apply(policy(name, metric, least))
    agent.start()
    address = agent.address
    for name, trigger, least in (
        ("chat", push(address), 1),
        ("reactive", by_prometheus(prometheus.url), 1),
        ("night", push(address, policy="night"), 0),
    ):
        stack.callback(cluster.api.delete, f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects/{name}")
        scaled[name].scale(trigger, minReplicaCount=least, advanced={})
    looks = watched(day, scaled)
    status = dict((cluster.api.get(f"{POLICIES}/chat") or {})["status"])
    woken = scaled["night"].events("KEDAScaleTargetActivated")
    shown = {words: printed(cluster.kubeconfig, "-n", NAMESPACE, *words.split()) for words in SHOWN}
    return Morning(looks, status, woken, shown)


def query(metric: str) -> str:
    return f"max(avg_over_time({metric}[10s]))"


def policy(name: str, metric: str, least: int) -> Object:
    spec: Object = {
        "mode": "Active",
        "scaleTargetRef": {"name": name},
        "demand": {"prometheus": {"query": query(metric)}, "step": "5s"},
        "capacity": {"perReplica": PER_REPLICA},
        "replicas": {"min": least, "max": 40},
        "risk": "0.3%",
        "leadTime": {"declared": f"{START_UP.total_seconds():g}s"},
        # a hold of half an hour, which is never long, would cover a whole night of this day
        "forecast": {"history": "8d", "horizon": "10m", "models": ["quantile-regression"]},
        "scaling": {"sync": "5s", "stabilization": "30s", "activation": ACTIVATION},  # as the rig's HPAs have it
    }
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "foretide.dev/v1alpha1", "kind": "ForecastPolicy", "metadata": metadata, "spec": spec}


def by_prometheus(url: str) -> Object:
    asked = {"serverAddress": url, "query": query("demand"), "threshold": f"{PER_REPLICA:g}"}
    return {"type": "prometheus", "metadata": asked}


def watched(day: DayShape, scaled: dict[str, Scaled]) -> list[Look]:
    """Look once a second until the morning is over."""
    looks: list[Look] = []
    while not looks or looks[-1].at < AFTER_IT:
        now = time.time()
        counts = {name: each.counts for name, each in scaled.items()}
        existing, ready = ({name: each[place] for name, each in counts.items()} for place in (0, 1))
        looks.append(Look(now - day.rises_at, float(day.at(np.array([now]))[0]), existing, ready))
        time.sleep(max(0.0, now + 1.0 - time.time()))
    return looks


def test_replicas_are_ready_before_the_rise_and_reactive_ones_are_not(
    morning: Morning, record_property: Callable[[str, object], None]
) -> None:
    names = ("chat", "reactive")
    short, paid = ({name: each(name) for name in names} for each in (morning.shortage, morning.paid))
    for name, whose in zip(names, ("Foretide", "KEDA's prometheus scaler"), strict=True):
        told = f"replica-seconds of a morning, {whose:24} short {short[name]:5.0f}, paid {paid[name]:5.0f}"
        record_property(FIGURE, told)
    # the past has rows of a minute: by the second of its minute, all 17 are asked for 11 to 69 s before the rise begins
    just_begun = morning.since(25)[0]
    assert just_begun.load < 110
    assert just_begun.ready["chat"] >= 15, str(morning)  # of the 17 that the end of the rise takes
    assert just_begun.ready["reactive"] <= 8, str(morning)
    assert short["chat"] == 0, str(morning)
    assert short["reactive"] > 200, str(morning)


def test_the_past_in_prometheus_has_earned_the_trust(morning: Morning) -> None:
    trusted = next(each for each in morning.status["conditions"] if each["type"] == "ForecastTrusted")
    assert (trusted["status"], trusted["reason"]) == ("True", "Trusted")
    assert morning.status["trust"]["expert"].startswith("quantile-")


def test_the_lead_time_is_seen_on_the_pods_of_the_nodes(morning: Morning) -> None:
    told = morning.status["leadTime"]
    assert told["samples"] >= 10
    assert 40 <= int(told["withNode"].removesuffix("s")) <= 45
    assert told["stages"]["schedule"] in {"0s", "1s"}  # Kubernetes tells whole seconds


def test_a_target_sleeps_at_zero_and_is_woken_before_its_demand(morning: Morning) -> None:
    asleep = [look for look in morning.looks if look.existing["night"] == 0]
    awake = [look for look in morning.since(asleep[0].at) if look.existing["night"]]
    assert asleep[-1].at < awake[0].at, str(morning)  # once
    assert 300 > LATER - awake[0].at > START_UP.total_seconds(), str(morning)
    assert morning.looks[-1].ready["night"] >= 1, str(morning)
    assert any("from 0 to 1" in said for said in morning.woken)


def test_the_page_shows_what_kubectl_prints(morning: Morning) -> None:
    listed, described = (morning.shown[words] for words in SHOWN)
    if listed is None or described is None:
        pytest.skip(MISSING)
    page = textwrap.dedent("\n".join(line for line in PAGE.read_text().splitlines() if line.startswith("    ")))
    assert columns(listed) == columns(page)
    assert status_fields(described) == status_fields(page)


def columns(text: str) -> list[str]:
    """Return the columns of the list of policies."""
    header = next(line for line in text.splitlines() if line.startswith("NAME "))
    return re.split(r"\s{2,}", header.strip())


def status_fields(text: str) -> list[str]:
    """Return the fields of a status, as `kubectl describe` prints it, and what kinds of conditions it has."""
    status = text[text.index("\nStatus:\n") : text.index("\nEvents:\n")]
    parted = [line.strip().partition(":") for line in status.splitlines()]
    return [f"{name}: {value.strip()}" if name == "Type" else name for name, _, value in parted]
