"""Helm installs the chart into a real API server, upgrades an older one, and takes it away without a policy lost."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.chart import CHART, URL, helm
from tests.cluster.api import Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.processes import eventually
from tests.fakes.policies import document

pytestmark = [pytest.mark.real, pytest.mark.rig("the chart is installed and removed, and with its CRD every policy")]

NAMESPACE = "foretide"
AGENT = "system:serviceaccount:foretide:foretide"
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/forecastpolicies.foretide.dev"
POLICY = "/apis/foretide.dev/v1alpha1/namespaces/foretide/forecastpolicies/chat"
READ = ("get", "list", "watch")


def chart_for_the_rig(folder: Path) -> Path:
    """Return a copy that asks for no version of Kubernetes: an API server built from its module says it is v0.0.0."""
    chart = folder / "foretide"
    shutil.copytree(CHART, chart)
    about = chart / "Chart.yaml"
    about.write_text(re.sub(r"^kubeVersion: .*\n", "", about.read_text("utf-8"), flags=re.MULTILINE), "utf-8")
    return chart


def older_chart(folder: Path) -> Path:
    """Return a chart whose CRD knows no `whyNot` yet."""
    chart = chart_for_the_rig(folder)
    file = chart / "files" / "forecastpolicies.foretide.dev.yaml"
    crd = yaml.safe_load(file.read_text("utf-8"))
    del status_of(crd)["whyNot"]
    file.write_text(yaml.safe_dump(crd), "utf-8")
    return chart


def status_of(crd: Object) -> Object:
    """Return the fields of a status."""
    (version,) = crd["spec"]["versions"]
    fields: Object = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    return fields


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A cluster with an older chart, a policy, and then today's chart, in a namespace that enforces `restricted`."""
    api = control_plane.api
    api.delete(CRD)  # of the tests before: Helm takes over nothing that another has made
    eventually(lambda: api.get(CRD) is None, "no CRD is there", within=60, told=control_plane.logs)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    kubeconfig = f"--kubeconfig={control_plane.kubeconfig}"
    given = (f"--set=prometheus.url={URL}", f"-n={NAMESPACE}", kubeconfig)
    helm("install", "foretide", str(older_chart(tmp_path_factory.mktemp("older"))), *given)
    chat = {**document(), "metadata": {"name": "chat", "namespace": NAMESPACE}}
    eventually(lambda: api.get(POLICY.removesuffix("/chat")), "policies are served", within=60, told=control_plane.logs)
    api.create(chat)
    assert "whyNot" not in status_of(api.get(CRD) or {})
    helm("upgrade", "foretide", str(chart_for_the_rig(tmp_path_factory.mktemp("newer"))), *given)
    yield api
    api.delete(CRD)
    eventually(lambda: api.get(CRD) is None, "the CRD is gone", within=60, told=control_plane.logs)


def test_an_upgrade_brings_the_newer_crd_and_keeps_the_policies(api: Api) -> None:
    assert "whyNot" in status_of(api.get(CRD) or {})
    assert (api.get(POLICY) or {})["spec"]["risk"] == "1%"


def test_its_pods_are_admitted_where_restricted_is_enforced(api: Api) -> None:
    def two() -> bool:
        pods = (api.get(f"/api/v1/namespaces/{NAMESPACE}/pods") or {"items": []})["items"]
        return len([pod for pod in pods if pod["metadata"]["labels"]["app.kubernetes.io/name"] == "foretide"]) >= 2

    told = f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets"
    eventually(two, "two pods are there", within=60, told=lambda: str(api.get(told)))


@pytest.mark.parametrize(
    ("resource", "verbs"),
    [
        ("foretide.dev/forecastpolicies", (*READ, "create", "patch", "delete")),
        ("foretide.dev/forecastpolicies/status", ("patch",)),
        ("keda.sh/scaledobjects", READ),
        ("keda.sh/scaledjobs", ()),
        ("autoscaling/horizontalpodautoscalers", READ),
        ("autoscaling.k8s.io/verticalpodautoscalers", READ),
        ("apps/deployments", READ),
        ("apps/statefulsets", READ),
        ("apps/replicasets", ()),
        ("apps/replicasets/scale", ("get",)),
        ("/pods", ("list",)),
        ("/resourcequotas", ("list",)),
        ("/limitranges", ("list",)),
        ("policy/poddisruptionbudgets", ("list",)),
        ("events.k8s.io/events", ("create",)),
    ],
)
def test_the_agents_account_may_do_this_and_no_more_in_any_namespace(
    api: Api, resource: str, verbs: tuple[str, ...]
) -> None:
    every = (*READ, "create", "update", "patch", "delete")

    assert [verb for verb in every if api.allows(AGENT, verb, resource, namespace="ml")] == [
        verb for verb in every if verb in verbs
    ]


def test_it_takes_its_lease_in_its_own_namespace_alone(api: Api) -> None:
    lease = "coordination.k8s.io/leases"

    assert api.allows(AGENT, "create", lease, namespace=NAMESPACE)
    assert api.allows(AGENT, "update", lease, namespace=NAMESPACE, name="foretide")
    assert not api.allows(AGENT, "update", lease, namespace=NAMESPACE, name="of-others")
    assert not api.allows(AGENT, "create", lease, namespace="ml")


@pytest.mark.parametrize("verb", READ)
@pytest.mark.parametrize("namespace", [NAMESPACE, "ml"])
def test_it_can_read_no_secret(api: Api, verb: str, namespace: str) -> None:
    assert not api.allows(AGENT, verb, "/secrets", namespace=namespace)


def test_it_reads_the_kill_switch_and_the_crd_and_no_others(api: Api) -> None:
    definition = "apiextensions.k8s.io/customresourcedefinitions"

    assert api.allows(AGENT, "get", "/namespaces", namespace=NAMESPACE, name=NAMESPACE)
    assert not api.allows(AGENT, "get", "/namespaces", namespace="ml", name="ml")
    assert api.allows(AGENT, "get", definition, name="forecastpolicies.foretide.dev")
    assert not api.allows(AGENT, "get", definition, name="scaledobjects.keda.sh")


def test_an_uninstall_leaves_the_crd_and_its_policies(api: Api, control_plane: ControlPlane) -> None:
    """The last of the module: after it the chart is gone."""
    helm("uninstall", "foretide", f"-n={NAMESPACE}", f"--kubeconfig={control_plane.kubeconfig}")

    assert api.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/foretide") is None
    assert api.get(POLICY) is not None
