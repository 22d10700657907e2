"""What `doctor --cluster` makes of what an API server shows; the whole of it runs on a real one in tests/cluster."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.cluster.conflicts import known_of
from agent.cluster.others import kept_hpa, kept_scaled_object
from agent.cluster.permissions import Permission
from agent.cluster.reviewing import Account
from agent.cluster.scales import Scales
from agent.doctor.cluster.installation import METRICS_API, check_api, check_keda, check_kill_switch, check_lease
from agent.doctor.cluster.looking import Where, look
from agent.doctor.cluster.permissions import check_permissions
from agent.doctor.cluster.policies import check_policies
from agent.doctor.cluster.secret import check_secret
from agent.doctor.cluster.setup import Setup
from agent.doctor.cluster.triggers import check_triggers
from agent.doctor.finding import Finding, Level
from tests.certificates import Authority
from tests.fakes.api_documents import Documents
from tests.fakes.policies import document
from tests.fakes.reviews import Granted
from tests.fakes.scaler_documents import Object, a_scaled_object, an_hpa

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LEASE = "/apis/coordination.k8s.io/v1/namespaces/foretide/leases/foretide"
SERVICE = "/api/v1/namespaces/foretide/services/foretide"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/foretide/endpointslices"


async def permissions_of(reviewer: Granted, *namespaces: str) -> list[Finding]:
    return await check_permissions(reviewer, namespaces=namespaces, own="foretide", lease="foretide", who="it")


async def test_with_every_verb_there_is_one_finding() -> None:
    (found,) = await permissions_of(Granted())
    assert found.level is Level.OK


async def test_a_missing_verb_is_named_with_where_it_is_missing_and_what_for() -> None:
    reviewer = Granted(("scaledobjects", "list"), ("scaledobjects", "watch"), ("nodes", "get"))
    of_triggers, of_nodes = await permissions_of(reviewer)
    assert of_triggers.level is Level.FAIL
    assert of_triggers.what == (
        "list, watch scaledobjects.keda.sh in all namespaces is not granted to it: triggers and conflicts are not seen"
    )
    assert "rbac.create: true" in of_triggers.mend
    assert (of_nodes.level, of_nodes.what.partition(":")[0]) == (Level.WARN, "get nodes is not granted to it")


async def test_each_namespace_is_asked_for_by_itself_and_the_lease_in_the_agents_own() -> None:
    reviewer = Granted()
    await permissions_of(reviewer, "ml", "batch")
    assert {ask.namespace for ask in reviewer.asked if ask.resource == "pods"} == {"ml", "batch"}
    leases = [ask for ask in reviewer.asked if ask.resource == "leases" and ask.verb == "update"]
    assert [(ask.namespace, ask.name) for ask in leases] == [("foretide", "foretide")]


async def test_where_nobody_says_what_is_allowed_that_is_told() -> None:
    (found,) = await permissions_of(Granted(answers=False))
    assert (found.level, found.what) == (Level.WARN, "of it cannot be looked at: Forbidden")


def test_a_service_account_is_asked_for_as_rbac_knows_it() -> None:
    assert Account("foretide", "agent").user == "system:serviceaccount:foretide:agent"
    assert Permission("", "pods", ("get",), "").shown == "pods"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            "true",
            ["annotation foretide.dev/reactive of namespace foretide is on: KEDA gets the raw need of every policy"],
        ),
        ("yes", ['annotation foretide.dev/reactive of namespace foretide is "yes", which is off']),
        ("false", []),
    ],
)
async def test_a_kill_switch_that_is_on_is_told(value: str, told: list[str]) -> None:
    api = Documents()
    api.by_path["/api/v1/namespaces/foretide"] = {"metadata": {"annotations": {"foretide.dev/reactive": value}}}
    found = await check_kill_switch(api, "foretide")
    assert [each.what for each in found] == told
    assert {each.level for each in found} <= {Level.WARN}


async def test_an_api_server_that_does_not_answer_is_the_one_finding() -> None:
    api = Documents()
    api.by_path["/version"] = 0
    findings, policies = await look(api, Granted(), Where((), "foretide", "foretide"))
    assert ([each.check for each in findings], policies) == (["cluster"], [])
    api.by_path["/version"] = {"gitVersion": "v1.36.0"}
    assert (await check_api(api)).what == "the API server answers, version v1.36.0"


@pytest.mark.parametrize(
    ("lease", "level", "said"),
    [
        (404, Level.FAIL, "there is no Lease foretide/foretide"),
        (403, Level.WARN, "cannot be read"),
        ({"spec": {}}, Level.FAIL, "nobody holds"),
        ({"spec": {"holderIdentity": "a", "renewTime": "2026-03-02T11:59:55.000000Z"}}, Level.OK, "a holds"),
        ({"spec": {"holderIdentity": "a", "renewTime": "2026-03-02T11:50:00Z"}}, Level.FAIL, "for 10 min"),
    ],
    ids=str,
)
async def test_whether_an_agent_leads_is_told(lease: object, level: Level, said: str) -> None:
    api = Documents()
    api.by_path[LEASE] = lease
    found = await check_lease(api, namespace="foretide", name="foretide", now=NOW)
    assert found.level is level
    assert said in found.what


async def test_keda_is_missing_too_old_or_without_its_metrics_adapter() -> None:
    api = Documents()
    assert [(each.level, each.what) for each in await check_keda(api)] == [
        (Level.FAIL, "is not installed: nobody asks Foretide")
    ]
    api.by_path["/apis/keda.sh"] = {"versions": [{"version": "v1"}]}
    assert (await check_keda(api))[0].what == "serves keda.sh/v1, not v1alpha1"
    api.by_path["/apis/keda.sh"] = {"versions": [{"version": "v1alpha1"}]}
    assert [each.level for each in await check_keda(api)] == [Level.OK, Level.FAIL]
    api.by_path[METRICS_API] = {}
    assert [each.level for each in await check_keda(api)] == [Level.OK, Level.OK]


def a_policy(name: str = "chat", *, ready: str | None = "True", **spec: object) -> Object:
    """One of namespace ml on Deployment/chat, as its agent has left it."""
    condition = {"type": "Ready", "status": ready, "reason": "Answering", "message": "KEDA gets an answer"}
    status = {} if ready is None else {"conditions": [condition], "observedGeneration": 2}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"}
    policy = document(**{"mode": "Active", "scaleTargetRef": target, **spec})
    return {**policy, "metadata": {"namespace": "ml", "name": name, "generation": 2}, "status": status}


def a_setup(*policies: Object, scaled_objects: tuple[Object, ...] = (), hpas: tuple[Object, ...] = ()) -> Setup:
    known = known_of(scaled_objects=map(kept_scaled_object, scaled_objects), hpas=map(kept_hpa, hpas))
    return Setup(policies, scaled_objects, known)


async def of_policies(setup: Setup) -> dict[str, tuple[Level, str]]:
    findings, _ = await check_policies(setup, Scales(Documents(), lambda: 0.0))
    return {each.check.removeprefix("policy "): (each.level, each.what) for each in findings}


async def test_a_policy_that_works_has_nothing_to_mend() -> None:
    found = await of_policies(a_setup(a_policy(), scaled_objects=(a_scaled_object(maxReplicaCount=100),)))
    assert {level for level, _ in found.values()} == {Level.OK}


async def test_what_stands_against_a_policy_is_found_by_the_rules_of_its_condition() -> None:
    found = await of_policies(a_setup(a_policy(), scaled_objects=(a_scaled_object(),), hpas=(an_hpa(),)))
    assert found["ml/chat: TwoScalers"] == (
        Level.FAIL,
        "HorizontalPodAutoscaler ml/chat-cpu: it scales Deployment/chat, too",
    )


async def test_what_the_agent_says_of_a_policy_is_told() -> None:
    found = await of_policies(
        a_setup(a_policy("a", ready="False"), a_policy("b", ready=None), a_policy("c", replicas={"min": 9, "max": 3}))
    )
    assert found["ml/a"] == (Level.FAIL, "not ready, Answering: KEDA gets an answer")
    assert found["ml/b"] == (Level.FAIL, "no agent has written its status")
    assert found["ml/c"][1].startswith("it is not acted on: ")
    older = a_policy()
    older["metadata"]["generation"] = 3
    assert (await of_policies(a_setup(older)))["ml/chat"][0] is Level.WARN


async def test_an_active_policy_wants_a_trigger_and_one_in_shadow_wants_none() -> None:
    assert (await of_policies(a_setup(a_policy())))["ml/chat: trigger"][0] is Level.FAIL
    assert "ml/chat: trigger" not in await of_policies(a_setup(a_policy(mode="Shadow")))
    named = await of_policies(a_setup(a_policy(mode="Shadow"), scaled_objects=(a_scaled_object(maxReplicaCount=100),)))
    assert named["ml/chat: trigger"] == (Level.WARN, "it is in Shadow, and ScaledObject ml/chat gets the raw need")


async def test_a_target_of_a_kind_that_is_not_there_is_told() -> None:
    rollout = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "chat"}
    found = await of_policies(a_setup(a_policy(scaleTargetRef=rollout)))
    assert found["ml/chat: target"][1].startswith("NoSuchKind: the cluster has no API argoproj.io/v1alpha1")


async def triggers_of(setup: Setup, **by_path: object) -> dict[str, tuple[Level, str]]:
    api = Documents()
    api.by_path |= {SERVICE: {"spec": {"ports": [{"port": 6000}]}}, SLICES: {"items": [an_endpoint()]}, **by_path}
    return {each.check: (each.level, each.what) for each in await check_triggers(setup, api)}


def an_endpoint(*, is_ready: bool = True) -> Object:
    return {"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": is_ready}}]}


def an_address(address: str) -> Object:
    """A ScaledObject with a trigger there."""
    return a_scaled_object(triggers=({"type": "external", "metadata": {"policy": "chat", "scalerAddress": address}},))


async def test_a_trigger_that_leads_to_a_policy_and_an_agent_is_well() -> None:
    assert await triggers_of(a_setup(a_policy(), scaled_objects=(a_scaled_object(),))) == {
        "ScaledObject ml/chat": (Level.OK, "policy chat is there, and scales the same target"),
        "ScaledObject ml/chat: scalerAddress": (Level.OK, "foretide.foretide:6000 leads to 1 ready agent"),
    }


async def test_triggers_of_other_scalers_are_not_ours_to_look_at() -> None:
    others = ({"type": "external", "metadata": {"scalerAddress": "x.y:1"}}, {"type": "cpu", "metadata": {}})
    assert await triggers_of(a_setup(scaled_objects=(a_scaled_object(triggers=others),))) == {}


@pytest.mark.parametrize(
    ("address", "level", "said"),
    [
        ("foretide.foretide.svc.cluster.local:6000", Level.OK, "leads to 1 ready agent"),
        ("foretide.foretide:6001", Level.FAIL, "has port 6000, not 6001"),
        ("foretid.foretide:6000", Level.FAIL, "there is no Service foretide/foretid"),
        ("foretide:6000", Level.FAIL, "has no namespace"),
        ("foretide.foretide", Level.FAIL, "is no address"),
        ("http://foretide.foretide:6000", Level.FAIL, "is no address"),
        ("", Level.FAIL, "is no address"),
        ("10.0.0.1:6000", Level.WARN, "is no Service of the cluster"),
        ("scaler.example.com:6000", Level.WARN, "is no Service of the cluster"),
    ],
)
async def test_where_an_address_leads_is_told(address: str, level: Level, said: str) -> None:
    found = await triggers_of(a_setup(a_policy(), scaled_objects=(an_address(address),)))
    assert found["ScaledObject ml/chat: scalerAddress"][0] is level
    assert said in found["ScaledObject ml/chat: scalerAddress"][1]


async def test_a_service_without_a_ready_agent_is_told() -> None:
    nobody = {"items": [an_endpoint(is_ready=False)]}
    found = await triggers_of(a_setup(a_policy(), scaled_objects=(a_scaled_object(),)), **{SLICES: nobody})
    assert "nobody is ready behind Service foretide/foretide" in found["ScaledObject ml/chat: scalerAddress"][1]


async def test_a_policy_in_a_trigger_that_nobody_has_made_is_told() -> None:
    inline = {"scalerAddress": "foretide.foretide:6000", "query": "max(demand)", "capacityPerReplica": "12"}
    holding = a_scaled_object(triggers=({"type": "external", "metadata": inline},))
    told = "its trigger holds a policy, and the agent has made none of it"
    assert (await triggers_of(a_setup(scaled_objects=(holding,))))["ScaledObject ml/chat"] == (Level.FAIL, told)


async def test_what_keda_says_of_a_scaled_object_is_told() -> None:
    paused = a_scaled_object()
    paused["status"]["conditions"] = [{"type": "Paused", "status": "True", "reason": "ScaledObjectPaused"}]
    found = await triggers_of(a_setup(a_policy(), scaled_objects=(paused,)))
    assert found["ScaledObject ml/chat: KEDA"][0] is Level.WARN


@pytest.mark.parametrize(
    ("begins", "ends", "level"),
    [(-1, 9, Level.OK), (-9, 1, Level.WARN), (-9, -1, Level.FAIL), (1, 9, Level.FAIL)],
    ids=["good", "late", "over", "not yet"],
)
async def test_a_certificate_in_a_secret_is_looked_at(tmp_path: Path, begins: int, ends: int, level: Level) -> None:
    pair = Authority(tmp_path).sign("agent", "agent", begins=timedelta(days=begins), ends=timedelta(days=ends))
    api = Documents()
    data = {"tls.crt": base64.b64encode(pair.certificate.read_bytes()).decode()}
    api.by_path["/api/v1/namespaces/foretide/secrets/tls"] = {"data": data}
    found = await check_secret(api, ("foretide", "tls"), now=datetime.now(UTC))
    assert found.level is level
    assert "certificate for localhost, 127.0.0.1" in found.what


@pytest.mark.parametrize("secret", [404, 403, {"data": {}}, {"data": {"tls.crt": "AAAA"}}], ids=str)
async def test_a_secret_without_a_certificate_is_told(secret: object) -> None:
    api = Documents()
    api.by_path["/api/v1/namespaces/foretide/secrets/tls"] = secret
    found = await check_secret(api, ("foretide", "tls"), now=NOW)
    assert found.level is Level.FAIL
    assert found.mend
