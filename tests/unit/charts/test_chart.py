"""The chart is what Helm, three versions of Kubernetes and the agent take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate.utils import all_versions
from packaging.version import Version

from agent.configuration.loading import load_configuration
from agent.policy.crd import custom_resource_definition
from tests.chart import CHART, URL, Refused, helm, leaves, of_kind, pods, rendered, template, the

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text("utf-8"))
NEWEST = sorted(set(all_versions()), key=Version)[-3:]  # it has two folders of schemas for each
OF_OTHERS = {"Certificate", "Issuer", "ServiceMonitor", "PrometheusRule"}  # kinds that Kubernetes does not bring
EVERYTHING = {
    "crds.install": True,
    "tls.source": "certManager",
    "tls.clientAuth": {"enabled": True, "allowedSans": ["keda-operator.keda.svc"]},
    "sources": {
        "mimir": {"url": "https://mimir.example.com/prometheus", "bearerTokenSecret": {"name": "m", "key": "t"}}
    },
    "rbac.targetKinds": [{"apiGroup": "argoproj.io", "resource": "rollouts"}],
    "serviceMonitor.enabled": True,
    "prometheusRule.enabled": True,
    "dashboards.enabled": True,
    "priorityClassName": "system-cluster-critical",
    "tolerations": [{"operator": "Exists"}],
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}}],
}
NAMESPACED = {"rbac.scope": "namespace", "rbac.namespaces": ["ml", "batch"]}
each_shape = pytest.mark.parametrize(
    "values", [{}, EVERYTHING, NAMESPACED], ids=["default", "everything", "namespaced"]
)


def test_helm_lints_it() -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART), f"--set=prometheus.url={URL}")


@each_shape
@pytest.mark.parametrize("version", NEWEST)
def test_kubernetes_takes_every_manifest(values: dict[str, object], version: str) -> None:
    manifests = [each for each in rendered(values, f"--kube-version={version}") if each["kind"] not in OF_OTHERS]

    assert len(manifests) > 9
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_an_older_kubernetes_is_refused_in_a_sentence() -> None:
    with pytest.raises(Refused, match=r"requires kubeVersion: >=1\.29\.0-0"):
        template({}, "--kube-version=1.28.0")


@each_shape
def test_names_and_namespaces_are_said_and_unique(values: dict[str, object]) -> None:
    cluster_wide = {"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
    manifests = [each for each in rendered(values) if each["metadata"]["name"] != "more"]
    keys = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in manifests]

    assert len(keys) == len(set(keys))
    for kind, namespace, name in keys:
        assert (namespace is None) == (kind in cluster_wide), (kind, name)
        assert len(name) <= 63


def test_the_crd_is_the_one_that_the_agent_renders_and_outlives_an_uninstall() -> None:
    (installed,) = of_kind("CustomResourceDefinition", {"crds.install": True})
    assert installed["spec"] == custom_resource_definition()["spec"]
    assert installed["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_the_versions_are_the_agents() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    project = (CHART.parents[1] / "pyproject.toml").read_text("utf-8")
    assert f'\nversion = "{chart["appVersion"]}"\n' in project


def known(schema: dict[str, Any], path: str = "") -> set[str]:
    paths = set()
    for name, field in schema.get("properties", {}).items():
        where = f"{path}.{name}".removeprefix(".")
        paths |= known(field, where) or {where}
    return paths


def test_the_schema_knows_every_value_and_no_other() -> None:
    described = {path for path in known(SCHEMA) if path not in {"global", "prometheus"}}
    assert described == {path for path, _ in leaves(VALUES) if path != "prometheus.url"}


def test_every_mapping_of_known_values_is_closed() -> None:
    def is_closed(schema: dict[str, Any]) -> bool:
        inner = schema.get("properties", {})
        return not inner or (schema.get("additionalProperties") is False and all(map(is_closed, inner.values())))

    assert is_closed(SCHEMA)
    assert is_closed(SCHEMA["definitions"]["source"])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"prometheus.url": ""}, "prometheus.url is required: the address of your Prometheus"),
        ({"prometheus.url": "prometheus:9090"}, "does not match pattern"),
        ({"prometheus.url": "http://me:secret@prometheus"}, "does not match pattern"),
        ({"prometheus.urll": "x"}, "'urll' not allowed"),
        ({"replicaCount": 0}, "minimum: got 0, want 1"),
        ({"tls.source": "secret"}, "tls.secretName is required with tls.source secret"),
        ({"tls.clientAuth.enabled": True}, "value must be false"),
        ({"rbac.targetKinds": [{"apiGroup": "*", "resource": "*"}]}, "does not match pattern"),
        ({"sources": {"default": {"url": "http://x"}}}, "default"),
        ({"sources": {"mimir": {}}}, "missing property 'url'"),
        ({"image.digest": "latest"}, "does not match pattern"),
        ({"terminationGracePeriodSeconds": 2}, "minimum: got 2, want 10"),
        ({"gpu": True}, "'gpu' not allowed"),
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_and_named(values: dict[str, object], said: str) -> None:
    with pytest.raises(Refused) as refusal:
        template(values)
    assert said in str(refusal.value)


@each_shape
def test_every_pod_keeps_the_restricted_standard(values: dict[str, object]) -> None:
    """kubernetes.io/docs/concepts/security/pod-security-standards, restricted; and a read-only root beside it."""
    for spec in pods(values):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        allowed = {"configMap", "emptyDir", "projected", "secret"}
        assert all(volume.keys() - {"name"} <= allowed for volume in spec.get("volumes", []))
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert not [port for port in container.get("ports", []) if "hostPort" in port]


@each_shape
def test_nothing_is_different_the_next_time(values: dict[str, object]) -> None:
    text = template(values)
    template.__globals__["_template"].cache_clear()
    assert template(values) == text


def agent_configuration(values: dict[str, object], folder: Path) -> Any:
    file = folder / "agent.yaml"
    file.write_text(the("ConfigMap", values)["data"]["agent.yaml"], "utf-8")
    return load_configuration(file, environment={})


def test_the_agent_takes_the_configuration(tmp_path: Path) -> None:
    configuration = agent_configuration({}, tmp_path)

    assert configuration.sources["default"].prometheus.url == URL
    assert configuration.grpc.insecure is True
    assert configuration.data_dir == Path("/var/lib/foretide")


def test_the_agent_takes_every_part_of_a_source_and_finds_its_secrets_mounted(tmp_path: Path) -> None:
    values: dict[str, object] = {
        "prometheus": {
            "url": "https://thanos.example.com:10902",
            "timeout": "5s",
            "basicAuth": {"username": "me", "passwordSecret": {"name": "login", "key": "password"}},
            "headers": {"X-Scope-OrgID": {"text": "team-7"}, "X-Key": {"secret": {"name": "key", "key": "value"}}},
            "tls": {
                "caConfigMap": {"name": "authority", "key": "ca.crt"},
                "certSecret": {"name": "client"},
                "serverName": "thanos",
            },
        },
        "sources": {"mimir": {"url": "http://mimir/prom", "bearerTokenSecret": {"name": "token", "key": "t"}}},
    }
    configuration = agent_configuration(values, tmp_path)
    spec = the("Deployment", values)["spec"]["template"]["spec"]
    folders = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    mounted = {
        f"{folders[volume['name']]}/{item['path']}"
        for volume in spec["volumes"]
        for projection in volume.get("projected", {}).get("sources", [])
        for item in next(iter(projection.values()))["items"]
    }
    default, mimir = (configuration.sources[name].prometheus for name in ("default", "mimir"))
    tls = default.tls
    files = [default.basic_auth.password_file, default.headers["X-Key"].file, tls.ca_file, tls.cert_file, tls.key_file]

    assert {str(file) for file in [*files, mimir.bearer_token_file]} == mounted
    assert default.headers["X-Scope-OrgID"].text == "team-7"
    assert default.timeout.total_seconds() == 5


def test_the_agent_takes_who_may_read_what_of_a_source(tmp_path: Path) -> None:
    rules = {"namespaces": ["ml", "team-*"], "requireMatcher": {"namespace": "{namespace}", "cluster": "eu.1"}}
    values: dict[str, object] = {
        "prometheus": {"url": "http://prometheus", "requireMatcher": {"namespace": "{namespace}"}},
        "sources": {"mimir": {"url": "http://mimir/prom", **rules}},
        "config": {"namespaceLimits": {"policies": 50}},
    }
    configuration = agent_configuration(values, tmp_path)
    default, mimir = configuration.sources["default"], configuration.sources["mimir"]

    assert (default.namespaces, default.require_matcher) == (None, {"namespace": "{namespace}"})
    assert (mimir.namespaces, mimir.require_matcher) == (("ml", "team-*"), rules["requireMatcher"])
    assert configuration.namespace_limits.policies == 50


def test_the_agent_takes_mutual_tls_and_what_the_chart_does_not_know(tmp_path: Path) -> None:
    values: dict[str, object] = {
        "tls.source": "secret",
        "tls.secretName": "pair",
        "tls.clientAuth": {"enabled": True, "allowedSans": ["keda-operator.keda.svc"]},
        "config": {"grpc": {"accessLog": "1%"}, "logLevel": "debug"},
    }
    configuration = agent_configuration(values, tmp_path)

    assert configuration.grpc.insecure is False
    assert configuration.grpc.tls.allowed_client_sans == ("keda-operator.keda.svc", "foretide.foretide")
    assert configuration.grpc.access_log == 0.01
    assert configuration.log_level == "debug"
