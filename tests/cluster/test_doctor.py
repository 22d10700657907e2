"""`foretide doctor --cluster` on real set-ups: each fault that was planted is named with its mend, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path

import pytest

from agent.policy.crd import custom_resource_definition
from tests.certificates import Authority
from tests.cluster import examined, installed
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Api, Object, collection
from tests.cluster.control_plane import ControlPlane
from tests.cluster.examined import ACCOUNT, NAMESPACE, Found, a_policy, doctor
from tests.cluster.installed import Account
from tests.cluster.processes import eventually, free_port
from tests.cluster.scaled import Scaled, push
from tests.real.prometheus import rig

pytestmark = [pytest.mark.real, pytest.mark.rig("the CRD is changed and deleted, and with it every policy")]

LONGEST = 60.0  # seconds
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/forecastpolicies.foretide.dev"
POLICIES = f"/apis/foretide.dev/v1alpha1/namespaces/{NAMESPACE}/forecastpolicies"
OURS = ("-n", NAMESPACE, "--agent-namespace", NAMESPACE)


@pytest.fixture(scope="module")
def api(cluster: ControlPlane) -> Iterator[Api]:
    api = cluster.api
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    no_crd(api)
    yield api
    no_crd(api)
    installed.revoke(api, NAMESPACE)
    for each in examined.faults():
        api.delete(f"{collection(each)}/{each['metadata']['name']}")


def no_crd(api: Api) -> None:
    api.delete(CRD)
    eventually(lambda: api.get(CRD) is None, "no CRD is there", within=LONGEST, told=lambda: str(api.get(CRD)))


def install(api: Api, crd: Object, *, version: str = "v1alpha1") -> None:
    api.apply(crd)
    path = POLICIES.replace("v1alpha1", version)
    eventually(lambda: api.get(path), "policies are served", within=LONGEST, told=lambda: "")


def crd_of(found: list[Found]) -> tuple[str, str, str]:
    (of_crd,) = [each for each in found if each.check == "CRD"]
    return of_crd.level, of_crd.what, of_crd.mend


def test_a_crd_that_is_missing_or_of_another_version_is_told(api: Api, cluster: ControlPlane) -> None:
    render = "foretide render crd | kubectl apply --server-side -f -"
    code, found = doctor(cluster.kubeconfig, *OURS)
    assert code == 1
    assert crd_of(found) == ("FAIL", "the CRD forecastpolicies.foretide.dev is not installed", render)

    later = deepcopy(custom_resource_definition())
    later["spec"]["versions"][0]["name"] = "v2"
    install(api, later, version="v2")
    level, what, mend = crd_of(doctor(cluster.kubeconfig, *OURS)[1])
    assert (level, what) == (
        "FAIL",
        "the CRD forecastpolicies.foretide.dev serves v2, and this Foretide reads v1alpha1",
    )
    assert mend.startswith("run the version of Foretide that this CRD is of, or apply the CRD of this one")
    no_crd(api)


def test_each_fault_of_a_broken_set_up_is_named_with_its_mend(api: Api, cluster: ControlPlane, tmp_path: Path) -> None:
    older = deepcopy(custom_resource_definition())
    del older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["whyNot"]
    older["spec"]["versions"][0]["additionalPrinterColumns"] = []
    install(api, older)
    missing = {("scaledobjects", "watch"), ("resourcequotas", "list"), ("leases", "update"), ("nodes", "get")}
    installed.grant(api, NAMESPACE, without=frozenset(missing))
    for each in examined.faults():
        api.create(each)
    authority = Authority(tmp_path / "issued")
    day = timedelta(days=1)
    api.create(examined.a_secret(authority, "late", begins=-9 * day, ends=day))
    api.create(examined.a_secret(authority, "over", begins=-9 * day, ends=-day))
    eventually(
        lambda: (api.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/busy") or {})["status"].get("replicas"),
        "its pods are counted",
        within=LONGEST,
        told=cluster.logs,
    )
    nowhere = f"http://127.0.0.1:{free_port()}"

    code, found = doctor(
        cluster.kubeconfig, *OURS, "--service-account", ACCOUNT, "--tls-secret", f"{NAMESPACE}/late",
        "--prometheus-url", nowhere,
    )  # fmt: skip

    assert code == 1
    assert all(each.mend for each in found if each.level != "OK"), found
    told = {(each.level, f"{each.check}: {each.what}") for each in found if each.level != "OK"}
    planted = [
        ("WARN", "CRD: the CRD forecastpolicies.foretide.dev is of an older version and lacks status.whyNot: "),
        (
            "FAIL",
            f"permissions: watch scaledobjects.keda.sh in namespace {NAMESPACE} is not granted to service account",
        ),
        (
            "WARN",
            f"permissions: list resourcequotas in namespace {NAMESPACE} is not granted to service account {ACCOUNT}",
        ),
        ("FAIL", f"permissions: update leases.coordination.k8s.io/foretide in namespace {NAMESPACE} is not granted to"),
        ("WARN", f"permissions: get nodes is not granted to service account {ACCOUNT}: "),
        ("FAIL", f"leader: there is no Lease {NAMESPACE}/foretide: no agent has ever led here"),
        ("WARN", f"TLS: Secret {NAMESPACE}/late: certificate for localhost, 127.0.0.1, until "),
        ("FAIL", "policy examined/busy: no agent has written its status"),
        ("FAIL", "policy examined/busy: TwoScalers: HorizontalPodAutoscaler examined/busy-cpu: it scales"),
        ("WARN", "policy examined/busy: MaxReplicasBelowPolicy: ScaledObject examined/busy: spec.maxReplicaCount is 5"),
        ("FAIL", "policy examined/busy: PollingTooSlow: ScaledObject examined/busy: spec.pollingInterval is 600"),
        ("WARN", "policy examined/busy: QuotaBelowPolicy: ResourceQuota examined/team: spec.hard has pods: 20"),
        ("WARN", "policy examined/busy: EvictionsBlocked: PodDisruptionBudget examined/busy: spec.maxUnavailable is 0"),
        ("FAIL", "policy examined/lonely: no agent has written its status"),
        ("FAIL", "policy examined/lonely: target: there is no Deployment/lonely in namespace examined"),
        ("FAIL", "policy examined/unasked: no agent has written its status"),
        ("FAIL", "policy examined/unasked: target: there is no Deployment/unasked in namespace examined"),
        ("FAIL", "policy examined/unasked: trigger: no ScaledObject names it, so KEDA does not ask"),
        ("FAIL", "policy examined/wrong: it is not acted on: "),
        ("FAIL", "ScaledObject examined/astray: it scales Deployment/other, and its policy lonely Deployment/lonely"),
        ("FAIL", "ScaledObject examined/typo: its trigger names policy 'bussy', and there is none of that name"),
        ("FAIL", "ScaledObject examined/short: its trigger names policy 'unheard', and there is none of that name"),
        ("FAIL", "ScaledObject examined/busy: scalerAddress: scaler.examined:6000: nobody is ready behind Service"),
        ("FAIL", "ScaledObject examined/astray: scalerAddress: scaler.examined:6001: Service examined/scaler has port"),
        ("FAIL", "ScaledObject examined/typo: scalerAddress: scalr.examined:6000: there is no Service examined/scalr"),
        ("FAIL", "ScaledObject examined/short: scalerAddress: foretide:6000 has no namespace, so KEDA looks for it"),
        ("FAIL", "source default: Unavailable: "),
        *(("FAIL", f"policy examined/{name}: demand: Unavailable: ") for name in ("busy", "lonely", "unasked")),
    ]
    named = {
        fault: {each for each in told if each[0] == fault[0] and each[1].startswith(fault[1])} for fault in planted
    }
    assert [fault for fault, each in named.items() if not each] == []
    others = told - set().union(*named.values())
    assert {each for each in others if ": KEDA: KEDA says that it is not ready: " not in each[1]} == set()
    assert next(each.mend for each in found if "'bussy'" in each.what).startswith("did you mean 'busy'?")
    assert "spec.forecast.timeZone" in next(each.what for each in found if each.check == "policy examined/wrong")

    of_secret = doctor(cluster.kubeconfig, *OURS, "--tls-secret", f"{NAMESPACE}/over")[1]
    assert next(each for each in of_secret if each.check == "TLS").level == "FAIL"


def test_of_a_set_up_that_works_nothing_is_told_to_fail(
    api: Api,
    cluster: ControlPlane,
    account: Account,
    lease: str,
    prometheus: rig.PrometheusServer,
    namespace: str,
    tmp_path: Path,
) -> None:
    install(api, custom_resource_definition())
    options = ("--prometheus-url", prometheus.url, "--lease", lease)
    policy = a_policy(
        "chat", replicas={"min": 1, "max": 40}, demand={"prometheus": {"query": "max(demand)"}, "step": "1s"}
    )
    api.create({**policy, "metadata": {"name": "chat", "namespace": namespace}})
    scaled = Scaled(api, namespace, cluster.logs)
    with ClusterAgent(tmp_path, account, namespace, *options) as agent:
        scaled.create(push(agent.address))
        scaled.until(lambda: scaled.condition("Ready")[0] == "True" and scaled.hpa, "KEDA is content")
        home = account.namespace
        whose = ("--agent-namespace", home, "--service-account", f"{home}/{installed.NAME}")
        asked = ("-n", namespace, *whose, "--prometheus-url", prometheus.url)
        eventually(
            lambda: [each for each in doctor(cluster.kubeconfig, *asked)[1] if each.level == "FAIL"] == [],
            "nothing fails",
            within=LONGEST,
            told=lambda: str(doctor(cluster.kubeconfig, *asked)[1]),
        )
        code, found = doctor(cluster.kubeconfig, *asked)

    assert code == 0
    # an address that is no Service, and a history that has just begun
    assert {each.check.partition(": ")[2] for each in found if each.level == "WARN"} == {
        "scalerAddress",
        "demand: history",
    }
