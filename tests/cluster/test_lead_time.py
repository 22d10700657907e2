"""Start-ups, rollouts and other kinds of targets, on a real API server with its controllers.

There is no kubelet and no scheduler here: the tests write into a pod's status what those would, conditions and times
included. Everything else, from the ReplicaSets to what the agent makes of it, is the real thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from agent.policy.crd import custom_resource_definition
from tests.cluster import installed
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import Account
from tests.cluster.processes import eventually
from tests.real.prometheus import rig

pytestmark = [pytest.mark.real, pytest.mark.rig("the tests play the kubelet")]

LONGEST = 90.0  # seconds
NAMESPACE = "starting"
POLICIES = f"/apis/foretide.dev/v1alpha1/namespaces/{NAMESPACE}/forecastpolicies"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
LABELS = {"app": "chat"}


class Kubelet:
    """Plays scheduler and kubelet: puts pods on a node, and lets them become Ready in a given time."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def pods(self) -> list[Object]:
        listed = self._api.get(f"{PODS}?labelSelector=app=chat") or {"items": []}
        return [pod for pod in listed["items"] if "deletionTimestamp" not in pod["metadata"]]

    def starting(self) -> list[Object]:
        return [pod for pod in self.pods() if not pod["status"].get("containerStatuses")]

    def bring_up(self, *, schedule: int = 1, prepare: int = 2, pull: int = 30, ready: int = 7) -> None:
        """Let all pods that are starting become Ready, in so many seconds after they were created."""
        for pod in self.starting():
            self._become_ready(pod, schedule=schedule, prepare=prepare, pull=pull, ready=ready)

    def _become_ready(self, pod: Object, *, schedule: int, prepare: int, pull: int, ready: int) -> None:
        name, created = pod["metadata"]["name"], datetime.fromisoformat(pod["metadata"]["creationTimestamp"])

        def after(seconds: int) -> str:
            return (created + timedelta(seconds=seconds)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

        at_node, at_start = after(schedule), after(schedule + prepare)
        at_run, at_ready = after(schedule + prepare + pull), after(schedule + prepare + pull + ready)
        times = {"PodScheduled": at_node, "PodReadyToStartContainers": at_start, "Initialized": at_start}
        times |= {"ContainersReady": at_ready, "Ready": at_ready}
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": at, "lastProbeTime": None}
            for kind, at in times.items()
        ]
        container = {"name": "main", "image": "none", "imageID": "none", "ready": True, "restartCount": 0}
        running = {**container, "started": True, "state": {"running": {"startedAt": at_run}}}
        status = {"phase": "Running", "conditions": conditions, "containerStatuses": [running]}
        self._api.patch(f"{PODS}/{name}/status", {"status": status})


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> Api:
    """An API server that serves policies."""
    api = control_plane.api
    api.apply(custom_resource_definition())
    eventually(lambda: api.get(POLICIES), "policies are served", within=LONGEST, told=lambda: "")
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    return api


@pytest.fixture
def account(api: Api, control_plane: ControlPlane, tmp_path: Path) -> Iterator[Account]:
    """Of a release in this namespace, whose rights a test may change."""
    with installed.release(control_plane, NAMESPACE, tmp_path) as account:
        yield account


@pytest.fixture
def exporter() -> Iterator[rig.Exporter]:
    """Whose demand is what a test says; five replicas' worth at first."""
    exporter = rig.Exporter()
    exporter.value = 60.0
    yield exporter
    exporter.stop()


@pytest.fixture
def agent(account: Account, exporter: rig.Exporter, tmp_path: Path) -> Iterator[ClusterAgent]:
    if reason := rig.missing_binary():
        pytest.skip(reason)
    folder = tmp_path / "prometheus"
    folder.mkdir()
    server = rig.PrometheusServer(folder, targets=[exporter.target])
    options = ("--prometheus-url", server.url, "--data-dir", str(tmp_path / "data"))
    agent = ClusterAgent(tmp_path / "agent", account, NAMESPACE, *options)
    with rig.running(server):
        yield agent
        agent.kill()


@pytest.fixture
def policy(api: Api) -> Iterator[Callable[..., None]]:
    """Applies the policy `chat`, and takes it away at the end."""

    def apply(**target: str) -> None:
        spec: Object = {
            "mode": "Active",
            "scaleTargetRef": {"name": "chat", **target},
            "demand": {"prometheus": {"query": "max(demand)"}, "step": "1s"},
            "capacity": {"perReplica": 12},
            "replicas": {"min": 1, "max": 40},
            "leadTime": {"declared": "10s"},
            "staleness": {"forecast": "2s"},
        }
        metadata = {"name": "chat", "namespace": NAMESPACE}
        api.apply({"apiVersion": "foretide.dev/v1alpha1", "kind": "ForecastPolicy", "metadata": metadata, "spec": spec})

    yield apply
    api.delete(f"{POLICIES}/chat")


def template(image: str = "none") -> Object:
    return {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "main", "image": image}]}}


@pytest.fixture
def kubelet(api: Api) -> Iterator[Kubelet]:
    """Brings up the pods of a Deployment of six."""
    spec = {"replicas": 6, "selector": {"matchLabels": LABELS}, "template": template()}
    metadata = {"name": "chat", "namespace": NAMESPACE}
    api.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    kubelet = Kubelet(api)
    eventually(lambda: len(kubelet.starting()) == 6, "the pods are there", within=LONGEST, told=lambda: "")
    yield kubelet
    api.delete(f"{DEPLOYMENTS}/chat")
    eventually(lambda: not kubelet.pods(), "the pods are gone", within=LONGEST, told=lambda: "")


def status(api: Api) -> Object:
    return dict((api.get(f"{POLICIES}/chat") or {}).get("status") or {})


def lead_time(api: Api) -> Object:
    return dict(status(api).get("leadTime") or {})


def until(agent: ClusterAgent, claim: Callable[[], object], what: str) -> None:
    eventually(claim, what, within=LONGEST, told=lambda: agent.log.read_text()[-3000:])


def test_the_lead_time_is_measured_from_pods_and_outlives_a_restart(
    api: Api, agent: ClusterAgent, kubelet: Kubelet, policy: Callable[..., None]
) -> None:
    policy()
    with agent:
        until(agent, lambda: lead_time(api).get("message"), "pods that are starting were looked at")
        assert (lead_time(api)["origin"], lead_time(api)["used"]) == ("Declared", "10s")
        kubelet.bring_up()
        until(agent, lambda: lead_time(api)["origin"] == "Measured", "the lead time is measured")
        told = lead_time(api)
        assert (told["used"], told["withNode"], told["samples"]) == ("40s", "40s", 6)
        assert told["stages"] == {"schedule": "1s", "start": "2s", "pull": "30s", "ready": "7s"}
        assert told["advice"].startswith("most of 40 s is image pull and container start, 30 s: pre-pull the image")
        shown = requests.get(f"{agent.http}/api/v1/policies/{NAMESPACE}/chat", timeout=LONGEST).json()
        until(agent, lambda: _decided(agent)["leadTimeSeconds"] == 40.0, "decisions take it")
        assert (shown["leadTimeSeconds"], shown["leadTimeMeasuredFrom"]) == (40.0, 6)
        assert '"lead_time_measured"' in agent.log.read_text()
    with agent:
        until(agent, lambda: _decided(agent), "it decides again")
        assert _decided(agent)["leadTimeSeconds"] == 40.0
        assert '"lead_time_measured"' not in agent.log.read_text()


def _decided(agent: ClusterAgent) -> Object:
    found = requests.get(f"{agent.http}/api/v1/policies/{NAMESPACE}/chat", timeout=LONGEST)
    return dict(found.json().get("decision") or {}) if found.ok else {}


def test_pods_that_crash_are_told_and_measure_nothing(
    api: Api, agent: ClusterAgent, kubelet: Kubelet, policy: Callable[..., None]
) -> None:
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    container = {"name": "main", "image": "none", "imageID": "none", "ready": False, "restartCount": 3}
    for pod in kubelet.starting():
        crashed = {"phase": "Running", "containerStatuses": [{**container, "state": waiting}]}
        api.patch(f"{PODS}/{pod['metadata']['name']}/status", {"status": crashed})
    policy()
    with agent:
        until(agent, lambda: "CrashLoopBackOff (6)" in lead_time(api).get("message", ""), "the crash loop is told")
        assert (lead_time(api)["origin"], lead_time(api)["samples"]) == ("Declared", 0)


def test_nothing_is_scaled_in_while_the_target_is_rolled_out(
    api: Api, agent: ClusterAgent, exporter: rig.Exporter, kubelet: Kubelet, policy: Callable[..., None]
) -> None:
    kubelet.bring_up()
    policy()

    def decided() -> Object:
        return dict(status(api).get("recommendation") or {})

    with agent:
        until(agent, lambda: decided().get("answer") == 5.0, "five replicas are needed")
        api.patch(f"{DEPLOYMENTS}/chat", {"spec": {"template": template("newer")}})
        until(agent, lambda: decided()["replicas"].get("rollingOut"), "the rollout is seen")
        exporter.value = 12.0
        until(agent, lambda: decided()["rawNeed"] == 1.0, "one replica is needed")
        assert (decided()["basis"], decided()["answer"], decided()["forKeda"]) == ("held", 5.0, 5.0)
        assert "the target is being rolled out: 5 replicas held, nothing is scaled in" in decided()["sentence"]

        def is_rolled_out() -> bool:
            kubelet.bring_up()
            return not decided()["replicas"].get("rollingOut")

        until(agent, is_rolled_out, "the rollout is over")
        until(agent, lambda: decided()["answer"] == 1.0, "one replica is answered")


def scalable() -> Object:
    """A kind of ours with a /scale, as Argo's Rollout has one."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    scale = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}, "scale": scale},
    }
    names = {"plural": "rollouts", "singular": "rollout", "kind": "Rollout", "listKind": "RolloutList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "rollouts.argoproj.io"},
        "spec": {"group": "argoproj.io", "scope": "Namespaced", "names": names, "versions": [version]},
    }


ROLLOUTS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/rollouts"
WITH_ROLLOUTS: Object = {"rbac.targetKinds": [{"apiGroup": "argoproj.io", "resource": "rollouts"}]}


def ready(api: Api) -> Object:
    told = status(api).get("conditions", [])
    return next((dict(each) for each in told if each["type"] == "Ready"), {"reason": None})


def seen(api: Api) -> object:
    return dict(status(api).get("recommendation") or {}).get("replicas")


def serve_rollouts(api: Api) -> None:
    api.apply(scalable())
    eventually(lambda: api.get(ROLLOUTS), "the kind is served", within=LONGEST, told=lambda: "")


@pytest.fixture
def roll_out(api: Api) -> Iterator[Callable[[], None]]:
    """Creates a Rollout whose two pods are Ready, and takes it away at the end."""
    names = ("chat-a", "chat-b")

    def create() -> None:
        body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": {"replicas": 2}}
        api.create({**body, "metadata": {"name": "chat", "namespace": NAMESPACE}})
        api.patch(f"{ROLLOUTS}/chat/status", {"status": {"replicas": 2, "selector": "app=chat"}})
        for name in names:
            metadata = {"name": name, "namespace": NAMESPACE, "labels": LABELS}
            api.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template()["spec"]})
        Kubelet(api).bring_up()

    yield create
    for path in (f"{ROLLOUTS}/chat", *(f"{PODS}/{name}" for name in names)):
        api.delete(path)


def test_a_target_of_another_kind_is_seen_through_its_scale(
    api: Api, agent: ClusterAgent, policy: Callable[..., None], roll_out: Callable[[], None]
) -> None:
    installed.grant(api, NAMESPACE, WITH_ROLLOUTS)
    policy(apiVersion="argoproj.io/v1alpha1", kind="Rollout")
    with agent:
        until(agent, lambda: ready(api)["reason"] == "NoSuchKind", "the kind is missed")
        assert "the cluster has no API argoproj.io/v1alpha1" in ready(api)["message"]
        assert status(api)["recommendation"]["answer"] == 5.0
        serve_rollouts(api)
        until(agent, lambda: ready(api)["reason"] == "NoSuchTarget", "the object is missed")
        roll_out()
        until(agent, lambda: seen(api) == {"existing": 2, "ready": 2}, "its replicas are seen")
        assert ready(api)["reason"] == "Answering"


def test_a_kind_that_the_charts_values_do_not_name_is_told_with_what_to_add_to_them(
    api: Api, agent: ClusterAgent, policy: Callable[..., None], roll_out: Callable[[], None]
) -> None:
    serve_rollouts(api)
    roll_out()
    policy(apiVersion="argoproj.io/v1alpha1", kind="Rollout")
    with agent:
        until(agent, lambda: ready(api)["reason"] == "ScaleForbidden", "the missing right is told")
        assert "add {apiGroup: argoproj.io, resource: rollouts} to rbac.targetKinds" in ready(api)["message"]
        assert status(api)["recommendation"]["answer"] == 5.0
        installed.grant(api, NAMESPACE, WITH_ROLLOUTS)
        until(agent, lambda: seen(api) == {"existing": 2, "ready": 2}, "with it its replicas are seen")
