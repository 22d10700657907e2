"""What the chart lets the agent do is what it needs: each verb has its reason, nothing is a wildcard or a Secret."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from agent.cluster.permissions import Scope, permissions
from tests.chart import CHART, Object, of_kind, rendered, template, the

READ = {"get", "list", "watch"}
NAMESPACED: dict[str, object] = {"rbac.scope": "namespace", "rbac.namespaces": ["ml", "batch"]}
TEMPLATES = ["_rules.tpl", "rbac-cluster.yaml", "rbac-leader.yaml"]


def granted(role: Object) -> dict[str, set[str]]:
    """Return the verbs of a role by group and resource."""
    verbs: dict[str, set[str]] = defaultdict(set)
    for rule in role["rules"]:
        for group, resource in itertools.product(rule["apiGroups"], rule["resources"]):
            verbs[f"{group}/{resource}".removeprefix("/")] |= set(rule["verbs"])
    return dict(verbs)


def roles(values: dict[str, object]) -> Iterator[Object]:
    yield from (each for each in rendered(values) if each["kind"] in {"Role", "ClusterRole"})


def test_the_cluster_role_reads_targets_and_writes_policies_and_events_alone() -> None:
    (role,) = of_kind("ClusterRole")
    verbs = granted(role)
    written = {name: allowed - READ for name, allowed in verbs.items() if allowed - READ}

    assert written == {
        "foretide.dev/forecastpolicies": {"create", "patch", "delete"},
        "foretide.dev/forecastpolicies/status": {"patch"},
        "events.k8s.io/events": {"create"},
    }
    scales = {name for name in verbs if name.endswith("/scale")}
    assert scales == {"apps/replicasets/scale"}
    assert all(verbs[name] == {"get"} for name in scales)
    for name in ("keda.sh/scaledobjects", "autoscaling/horizontalpodautoscalers", "apps/deployments"):
        assert verbs[name] == READ
    assert verbs["autoscaling.k8s.io/verticalpodautoscalers"] == READ
    assert verbs["nodes"] == {"get"}
    for name in ("pods", "resourcequotas", "limitranges", "policy/poddisruptionbudgets"):
        assert verbs[name] == {"list"}


@pytest.mark.parametrize(
    ("values", "scopes"), [({}, {*Scope}), (NAMESPACED, {Scope.OWN, Scope.POLICIES})], ids=["cluster", "namespace"]
)
def test_what_doctor_asks_for_is_what_the_chart_grants(values: dict[str, object], scopes: set[Scope]) -> None:
    asked: dict[str, set[str]] = defaultdict(set)
    for each in permissions(namespace="foretide", lease="foretide"):
        if each.scope in scopes:
            asked[f"{each.group}/{each.resource}".removeprefix("/")] |= set(each.verbs)
    given: dict[str, set[str]] = defaultdict(set)
    for role in roles(values):
        for name, verbs in granted(role).items():
            given[name] |= verbs

    assert asked == given


def test_the_lease_is_its_own_and_in_its_own_namespace() -> None:
    role = the("Role", name="foretide-leader")
    rules = {tuple(rule["verbs"]): rule.get("resourceNames") for rule in role["rules"]}

    assert role["metadata"]["namespace"] == "foretide"
    assert rules == {("create",): None, ("get", "update"): ["foretide"], ("get",): ["foretide"]}


@pytest.mark.parametrize("values", [{}, NAMESPACED], ids=["cluster", "namespace"])
def test_nothing_is_a_wildcard_and_no_secret_can_be_read(values: dict[str, object]) -> None:
    found = list(roles(values))

    assert found
    for role in found:
        for rule in role["rules"]:
            words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not words & {"*", "secrets", "configmaps", "escalate", "bind", "impersonate"}
            assert "nonResourceURLs" not in rule


def test_in_namespaced_mode_nothing_is_cluster_wide_but_the_crd() -> None:
    kinds = {each["kind"] for each in rendered(NAMESPACED)}
    places = {each["metadata"]["namespace"] for each in of_kind("Role", NAMESPACED)}
    (container,) = the("Deployment", NAMESPACED)["spec"]["template"]["spec"]["containers"]

    assert not {"ClusterRole", "ClusterRoleBinding"} & kinds
    assert places == {"ml", "batch", "foretide"}
    assert {"name": "FORETIDE_NAMESPACES", "value": "ml,batch"} in container["env"]
    for role in of_kind("Role", NAMESPACED):
        is_of_policies = "foretide.dev/forecastpolicies" in granted(role)
        assert is_of_policies == (role["metadata"]["namespace"] != "foretide")


def test_namespaced_mode_is_the_releases_own_namespace_where_none_is_named() -> None:
    policies = [each for each in of_kind("Role", {"rbac.scope": "namespace"}) if "policies" in each["metadata"]["name"]]

    assert [each["metadata"]["namespace"] for each in policies] == ["foretide"]


@pytest.mark.parametrize("values", [{}, NAMESPACED], ids=["cluster", "namespace"])
def test_every_role_is_bound_to_the_agents_account_where_it_is(values: dict[str, object]) -> None:
    bound = {
        (each["roleRef"]["kind"], each["metadata"].get("namespace"), each["roleRef"]["name"])
        for each in rendered(values)
        if each["kind"].endswith("Binding")
        and each["subjects"] == [{"kind": "ServiceAccount", "name": "foretide", "namespace": "foretide"}]
    }

    assert bound == {
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in roles(values)
    }


def test_switches_take_verbs_away_and_further_kinds_bring_theirs() -> None:
    def cluster(values: dict[str, object]) -> dict[str, set[str]]:
        return granted(of_kind("ClusterRole", values)[0])

    assert cluster({"rbac.inlinePolicies": False})["foretide.dev/forecastpolicies"] == READ
    assert "nodes" in cluster({})
    assert "nodes" not in cluster({"rbac.nodes": False})
    more = cluster({"rbac.targetKinds": [{"apiGroup": "argoproj.io", "resource": "rollouts"}]})
    assert {name: verbs for name, verbs in more.items() if "rollouts" in name} == {
        "argoproj.io/rollouts/scale": {"get"}
    }


@pytest.mark.parametrize("values", [{}, NAMESPACED], ids=["cluster", "namespace"])
def test_each_verb_has_its_reason_in_a_comment_above_it(values: dict[str, object]) -> None:
    text = template({**values, "rbac.targetKinds": [{"apiGroup": "argoproj.io", "resource": "rollouts"}]})
    rules = re.findall(r"((?:^ +# .*\n)*)^ +- apiGroups: .*\n(?:.*\n)*? +verbs: \[(.*)\]", text, re.MULTILINE)

    assert len(rules) == text.count("verbs:") > 10
    for comment, verbs in rules:
        told = {verb for named in re.findall(r"[#;] ([a-z, ]+): ", comment) for verb in named.split(", ")}
        assert told == set(verbs.split(", ")), (comment, verbs)


def test_the_account_hands_its_token_to_the_agent_alone() -> None:
    assert the("ServiceAccount")["automountServiceAccountToken"] is False
    assert the("Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"] is True
    assert the("Pod", name="foretide-doctor")["spec"]["automountServiceAccountToken"] is False


def test_the_templates_say_no_verb_but_the_reviewed_ones() -> None:
    written = {
        verb
        for name in TEMPLATES
        for verbs in re.findall(r"verbs: \[(.*)\]", (CHART / "templates" / name).read_text())
        for verb in re.findall(r"\b[a-z]+\b", re.sub(r"\{\{.*?\}\}", "", verbs))
    }
    assert written == {"get", "list", "watch", "create", "patch", "delete", "update"}
