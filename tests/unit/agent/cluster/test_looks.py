"""Where and when the pods of targets are looked at, and what is known of targets of other kinds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agent.cluster.documents import Documents as Kept
from agent.cluster.lead_times import LeadTimes
from agent.cluster.looks import TargetLooks
from agent.cluster.target import Target, selector_text
from agent.cluster.targets import DEPLOYMENTS, WatchedTargets, counts_of
from agent.snapshot import Unseen
from scalers.decision import Replicas
from scalers.policy import PolicyKey
from tests.fakes.api_documents import NOON, Documents, a_list, a_node, a_pod
from tests.fakes.engine import assigned
from tests.fakes.sources import ScriptedSource

CHAT = PolicyKey("ml", "chat")
DEPLOYMENT = Target("ml", "apps", "v1", "Deployment", "chat")
ROLLOUT = Target("ml", "argoproj.io", "v1alpha1", "Rollout", "chat")
PODS = "/api/v1/namespaces/ml/pods"
NODE = "/api/v1/nodes/node-1"
API = "/apis/argoproj.io/v1alpha1"
SCALE = f"{API}/namespaces/ml/rollouts/chat/scale"


class Rig:
    """Looks at one policy's target, on a watch that a test turns."""

    def __init__(self, target: Target = DEPLOYMENT) -> None:
        self.seconds = 1000.0
        self.reader = Documents()
        self.reader.by_path[NODE] = a_node()
        self.kept = Kept()
        self.target = target
        watched = WatchedTargets({DEPLOYMENTS: self.kept}, monotonic=lambda: self.seconds)
        self.lead_times = LeadTimes(lambda: NOON + timedelta(seconds=self.seconds))
        self.looks = TargetLooks(self.reader, watched, self.lead_times, monotonic=lambda: self.seconds)

    async def begin(self) -> None:
        await self.lead_times.load([(CHAT, self.target.shown)])
        self.lead_times.measured(assigned(ScriptedSource([])))

    def deploy(self, version: int) -> None:
        """Let the watch tell of the Deployment."""
        metadata = {"namespace": "ml", "name": "chat", "uid": "a", "resourceVersion": str(version)}
        spec = {"replicas": 2, "selector": {"matchLabels": {"app": "chat"}}}
        self.kept.put(counts_of({"metadata": metadata, "spec": spec, "status": {"observedGeneration": 1}}))

    def pods(self, *pods: dict[str, Any]) -> None:
        self.reader.by_path[PODS] = a_list(*pods)

    async def look(self, after: float = 0.0) -> None:
        self.seconds += after
        await self.looks.look([(CHAT, self.target)])

    @property
    def count(self) -> int:
        """Start-ups that were seen."""
        report = self.lead_times.report(CHAT)
        assert report is not None
        return 0 if report.measured is None else report.measured.count

    @property
    def looks_at_pods(self) -> int:
        return self.reader.times(PODS)


@pytest.fixture
async def rig() -> Rig:
    made = Rig()
    await made.begin()
    return made


async def test_the_pods_of_a_target_are_asked_for_by_its_selector_from_the_cache(rig: Rig) -> None:
    rig.deploy(1)
    rig.pods(a_pod())
    await rig.look()
    assert rig.reader.asked[0] == f"{PODS}&labelSelector=app=chat&resourceVersion=0"
    assert rig.count == 1


async def test_pods_are_looked_at_again_once_the_counts_have_moved(rig: Rig) -> None:
    rig.deploy(1)
    rig.pods(a_pod())
    await rig.look()
    await rig.look(after=3600)
    assert rig.looks_at_pods == 1
    rig.deploy(2)
    await rig.look(after=1)
    assert rig.looks_at_pods == 2
    rig.deploy(3)
    await rig.look(after=5)  # too soon after the last
    assert rig.looks_at_pods == 2


async def test_while_pods_start_they_are_looked_at_ever_more_seldom(rig: Rig) -> None:
    rig.deploy(1)
    rig.pods(a_pod(ready=None))
    await rig.look()
    for _ in range(120):
        await rig.look(after=15)  # half an hour
    assert rig.looks_at_pods == 7  # after 0, 30, 90, 210, 450, 930 and 1530 s
    rig.pods(a_pod(ready=95))
    await rig.look(after=600)
    assert rig.count == 1


async def test_a_pod_counts_once_however_often_it_becomes_ready(rig: Rig) -> None:
    for version, ready in enumerate((95, None, 900, None, 1900)):
        rig.deploy(version)
        rig.pods(a_pod(ready=ready))
        await rig.look(after=60)
    assert rig.count == 1
    report = rig.lead_times.report(CHAT)
    assert report is not None
    assert report.measured is not None
    assert report.measured.p90 == timedelta(seconds=95)


async def test_of_pods_that_were_there_before_those_that_took_an_hour_do_not_count(rig: Rig) -> None:
    rig.deploy(1)
    rig.pods(a_pod("a", ready=3700), a_pod("b"), a_pod("c", ready=None))
    await rig.look()
    assert rig.count == 1
    rig.deploy(2)
    rig.pods(a_pod("a", ready=3700), a_pod("b"), a_pod("c", ready=3700))  # this one was seen starting
    await rig.look(after=60)
    assert rig.count == 2


async def test_a_pod_that_was_seen_without_a_node_waited_for_one(rig: Rig) -> None:
    pending = a_pod(scheduled=None, prepared=None, running=None, ready=None)
    pending["status"]["conditions"][0] |= {"reason": "Unschedulable"}
    rig.deploy(1)
    rig.pods(pending)
    await rig.look()
    rig.deploy(2)
    rig.pods(a_pod(scheduled=20))
    await rig.look(after=30)
    report = rig.lead_times.report(CHAT)
    assert report is not None
    assert report.measured is not None
    assert report.measured.waited == 1


async def test_a_node_is_asked_for_once_and_never_again_where_that_is_forbidden(rig: Rig) -> None:
    rig.deploy(1)
    rig.pods(a_pod("a"), a_pod("b"))
    await rig.look()
    assert rig.reader.times(NODE) == 1
    rig.reader.by_path["/api/v1/nodes/node-2"] = 403
    for version in (2, 3):
        rig.deploy(version)
        rig.pods(a_pod(f"c{version}", node="node-2"))
        await rig.look(after=60)
    assert rig.reader.times("/api/v1/nodes/node-2") == 1
    assert rig.count == 4


async def test_pods_that_may_not_be_listed_are_told_and_tried_again(rig: Rig) -> None:
    rig.deploy(1)
    rig.reader.by_path[PODS] = 403
    await rig.look()
    report = rig.lead_times.report(CHAT)
    assert report is not None
    assert report.trouble == "its pods cannot be listed: let the service account list pods in ml"
    rig.pods(a_pod())
    await rig.look(after=60)
    assert rig.count == 1


async def test_while_nobody_answers_the_others_are_not_asked_and_nothing_is_told(rig: Rig) -> None:
    rig.deploy(1)
    rig.reader.by_path[PODS] = 0
    many = [(PolicyKey("ml", f"chat-{number}"), DEPLOYMENT) for number in range(40)]
    await rig.looks.look(many)
    assert rig.looks_at_pods == 1
    report = rig.lead_times.report(CHAT)
    assert report is not None
    assert report.trouble is None
    rig.pods(a_pod())
    await rig.look(after=60)
    assert rig.count == 1


@pytest.fixture
async def other() -> Rig:
    """A target whose kind is not watched."""
    made = Rig(ROLLOUT)
    await made.begin()
    resources = [{"name": "rollouts", "kind": "Rollout"}, {"name": "rollouts/scale", "kind": "Scale"}]
    resources += [{"name": "experiments", "kind": "Experiment"}]
    made.reader.by_path[API] = {"kind": "APIResourceList", "resources": resources}
    made.reader.by_path[SCALE] = {"spec": {"replicas": 3}, "status": {"replicas": 2, "selector": "app=chat"}}
    made.pods(a_pod("a"), a_pod("b", ready=None))
    return made


async def test_of_another_kind_the_scale_and_its_pods_tell_the_replicas(other: Rig) -> None:
    await other.look()
    assert other.looks.observed(CHAT) == Replicas(existing=2, ready=1)
    assert other.looks.unseen(CHAT) is None
    assert other.count == 1
    await other.look(after=14)
    assert other.reader.times(SCALE) == 1
    other.pods(a_pod("a"), a_pod("b"))
    await other.look(after=30)
    assert (other.reader.times(SCALE), other.reader.times(API)) == (2, 1)
    assert other.looks.observed(CHAT) == Replicas(existing=2, ready=2)


@pytest.mark.parametrize(
    ("path", "found", "reason", "told"),
    [
        (SCALE, 403, "ScaleForbidden", "add {apiGroup: argoproj.io, resource: rollouts} to rbac.targetKinds"),
        (SCALE, 404, "NoSuchTarget", "there is no Rollout/chat in namespace ml"),
        (API, 404, "NoSuchKind", "the cluster has no API argoproj.io/v1alpha1"),
        (API, {"resources": []}, "NoSuchKind", "argoproj.io/v1alpha1 has no kind Rollout"),
        (API, {"resources": [{"name": "rollouts", "kind": "Rollout"}]}, "NoScale", "Rollout has no /scale"),
        (SCALE, 0, "TargetNotRead", "Refused"),
        (SCALE, {"status": {"replicas": 2}}, "NoSelector", "names no selector"),
    ],
)
async def test_what_cannot_be_seen_is_unknown_and_the_reason_says_what_to_do(
    other: Rig, path: str, found: object, reason: str, told: str
) -> None:
    other.reader.by_path[path] = found
    await other.look()
    assert other.looks.observed(CHAT) is None
    unseen = other.looks.unseen(CHAT)
    assert unseen is not None
    assert unseen.reason == reason
    assert told in unseen.message


async def test_while_nobody_answers_what_was_seen_stands_for_five_minutes(other: Rig) -> None:
    await other.look()
    other.reader.by_path[SCALE] = 0
    await other.look(after=290)
    assert other.looks.observed(CHAT) == Replicas(existing=2, ready=1)
    await other.look(after=20)
    assert other.looks.observed(CHAT) is None


async def test_what_scales_itself_gets_hints_alone_and_is_not_even_asked() -> None:
    rig = Rig(Target("ml", "serving.knative.dev", "v1", "Service", "chat"))
    await rig.begin()
    await rig.look()
    unseen = rig.looks.unseen(CHAT)
    told = "Knative's own autoscaler sets its replicas: hints and conditions are all that this policy comes to"
    assert unseen == Unseen("HintsOnly", f"Service/chat: {told}")
    assert rig.reader.asked == []


async def test_of_what_makes_jobs_nobody_asks_for_replicas() -> None:
    rig = Rig(Target("ml", "keda.sh", "v1alpha1", "ScaledJob", "render"))
    await rig.begin()
    await rig.look()
    assert (rig.looks.observed(CHAT), rig.looks.unseen(CHAT), rig.reader.asked) == (None, None, [])


def test_a_selector_is_written_as_the_api_takes_it() -> None:
    expressions = [
        {"key": "tier", "operator": "In", "values": ["a", "b"]},
        {"key": "old", "operator": "DoesNotExist"},
        {"key": "zone", "operator": "NotIn", "values": ["x"]},
        {"key": "app", "operator": "Exists"},
    ]
    written = selector_text({"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": expressions})
    assert written == "a=1,b=2,tier in (a,b),!old,zone notin (x),app"
    assert selector_text({}) is None
    assert selector_text({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}) is None
