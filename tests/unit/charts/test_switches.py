"""Every value of the chart does something, and the ones that keep KEDA answered and others out do what they say."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from agent.policy import policy_of
from tests.chart import CHART, Object, helm, leaves, of_kind, rendered, template, the

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
CERT_MANAGER = {"tls.source": "certManager"}
MONITORED = {"serviceMonitor.enabled": True}

# Another value for each, with what must be switched on for it to count.
OTHER: dict[str, tuple[object, dict[str, object]]] = {
    "prometheus.url": ("http://other:9091", {}),
    "sources": ({"mimir": {"url": "http://mimir"}}, {}),
    "logLevel": ("debug", {}),
    "reactiveOnly": (True, {}),
    "config": ({"grpc": {"accessLog": "1%"}}, {}),
    "replicaCount": (3, {}),
    "image.registry": ("registry.example.com", {}),
    "image.repository": ("ml/foretide", {}),
    "image.tag": ("0.0.1", {}),
    "image.digest": (f"sha256:{'0' * 64}", {}),
    "image.pullPolicy": ("Always", {}),
    "imagePullSecrets": ([{"name": "pull"}], {}),
    "nameOverride": ("tide", {}),
    "fullnameOverride": ("tide", {}),
    "commonLabels": ({"team": "ml"}, {}),
    "crds.install": (True, {}),
    "crds.keep": (False, {"crds.install": True}),
    "rbac.create": (False, {}),
    "rbac.scope": ("namespace", {}),
    "rbac.namespaces": (["ml"], {"rbac.scope": "namespace"}),
    "rbac.nodes": (False, {}),
    "rbac.inlinePolicies": (False, {}),
    "rbac.targetKinds": ([{"apiGroup": "argoproj.io", "resource": "rollouts"}], {}),
    "serviceAccount.create": (False, {}),
    "serviceAccount.name": ("tide", {}),
    "serviceAccount.annotations": ({"a": "b"}, {}),
    "tls.source": ("certManager", {}),
    "tls.secretName": ("pair", CERT_MANAGER),
    "tls.extraDnsNames": (["tide.example.com"], CERT_MANAGER),
    "tls.certManager.issuerRef.name": ("company", CERT_MANAGER),
    "tls.certManager.issuerRef.kind": ("Issuer", {**CERT_MANAGER, "tls.certManager.issuerRef.name": "company"}),
    "tls.certManager.issuerRef.group": ("example.com", {**CERT_MANAGER, "tls.certManager.issuerRef.name": "company"}),
    "tls.certManager.duration": ("24h", CERT_MANAGER),
    "tls.certManager.renewBefore": ("8h", CERT_MANAGER),
    "tls.clientAuth.enabled": (True, CERT_MANAGER),
    "tls.clientAuth.allowedSans": (["keda"], {**CERT_MANAGER, "tls.clientAuth.enabled": True}),
    "service.grpc.annotations": ({"a": "b"}, {}),
    "service.http.port": (80, {}),
    "service.http.annotations": ({"a": "b"}, {}),
    "networkPolicy.enabled": (False, {}),
    "networkPolicy.grpcFrom": ([], {}),
    "networkPolicy.httpFrom": ([], {}),
    "networkPolicy.egress.enabled": (False, {}),
    "networkPolicy.egress.apiServerPorts": ([8443], {}),
    "networkPolicy.egress.extraPorts": ([{"port": 9091}], {}),
    "podDisruptionBudget.enabled": (False, {}),
    "podDisruptionBudget.maxUnavailable": ("50%", {}),
    "topologySpread.hostname": ("Off", {}),
    "topologySpread.zone": ("DoNotSchedule", {}),
    "resources": ({"requests": {"cpu": 1}}, {}),
    "data.sizeLimit": ("5Gi", {}),
    "nodeSelector": ({"kubernetes.io/arch": "amd64"}, {}),
    "tolerations": ([{"operator": "Exists"}], {}),
    "affinity": ({"nodeAffinity": {}}, {}),
    "priorityClassName": ("high", {}),
    "podLabels": ({"a": "b"}, {}),
    "podAnnotations": ({"a": "b"}, {}),
    "extraEnv": ([{"name": "A", "value": "b"}], {}),
    "extraVolumes": ([{"name": "a", "emptyDir": {}}], {}),
    "extraVolumeMounts": ([{"name": "a", "mountPath": "/a"}], {}),
    "terminationGracePeriodSeconds": (60, {}),
    "serviceMonitor.enabled": (True, {}),
    "serviceMonitor.interval": ("15s", MONITORED),
    "serviceMonitor.labels": ({"release": "x"}, MONITORED),
    "dashboards.enabled": (True, {}),
    "dashboards.labels": ({"grafana": "x"}, {"dashboards.enabled": True}),
    "prometheusRule.enabled": (True, {}),
    "prometheusRule.labels": ({"release": "x"}, {"prometheusRule.enabled": True}),
    "extraObjects": ([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}}], {}),
}


def test_every_value_has_a_test() -> None:
    assert OTHER.keys() == {path for path, _ in leaves(VALUES)}


@pytest.mark.parametrize("path", OTHER)
def test_a_value_changes_what_is_rendered(path: str) -> None:
    other, context = OTHER[path]

    assert template({**context, path: other}) != template(context)


def kinds(values: dict[str, object]) -> list[str]:
    return sorted(each["kind"] for each in rendered(values))


def test_what_is_off_is_not_there() -> None:
    everything = set(kinds({}))

    assert everything - set(kinds({"networkPolicy.enabled": False})) == {"NetworkPolicy"}
    assert everything - set(kinds({"podDisruptionBudget.enabled": False})) == {"PodDisruptionBudget"}
    assert everything - set(kinds({"serviceAccount.create": False})) == {"ServiceAccount"}
    without_roles = everything - set(kinds({"rbac.create": False}))
    assert without_roles == {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}


def test_one_replica_has_no_budget_that_would_block_a_drain() -> None:
    assert "PodDisruptionBudget" not in kinds({"replicaCount": 1})


def test_two_replicas_are_apart_and_one_is_always_there() -> None:
    deployment = the("Deployment")["spec"]
    spread = deployment["template"]["spec"]["topologySpreadConstraints"]

    assert deployment["replicas"] == 2
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    assert the("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    both_off = {"topologySpread": {"hostname": "Off", "zone": "Off"}}
    assert "topologySpreadConstraints" not in the("Deployment", both_off)["spec"]["template"]["spec"]


def port_of(values: dict[str, object]) -> Object:
    (port,) = the("Service", values)["spec"]["ports"]
    return dict(port)


def test_keda_finds_every_replica_and_meshes_the_protocol() -> None:
    assert the("Service")["spec"]["clusterIP"] == "None"
    assert (port_of({})["name"], port_of({})["port"], port_of({})["appProtocol"]) == ("grpc-scaler", 6000, "grpc")


def test_with_tls_of_our_own_no_mesh_looks_inside() -> None:
    port = port_of(CERT_MANAGER)
    opaque = {"config.linkerd.io/opaque-ports": "6000"}

    assert (port["name"], port["appProtocol"]) == ("tls-grpc-scaler", "tls")
    assert the("Service", CERT_MANAGER)["metadata"]["annotations"] == opaque
    pod = the("Deployment", CERT_MANAGER)["spec"]["template"]
    assert opaque.items() <= pod["metadata"]["annotations"].items()


@pytest.mark.parametrize("values", [{}, CERT_MANAGER], ids=["plaintext", "tls"])
def test_port_names_are_short_enough_and_probes_find_theirs(values: dict[str, object]) -> None:
    (container,) = the("Deployment", values)["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}

    assert ports == {"grpc-scaler": 6000, "http": 8080}
    assert max(map(len, [*ports, port_of(values)["name"]])) <= 15
    assert {name: (get["path"], get["port"]) for name, get in probes.items()} == {
        "startup": ("/healthz", "http"),
        "liveness": ("/healthz", "http"),
        "readiness": ("/readyz", "http"),
    }


def test_a_certificate_names_what_keda_calls_the_agent_by() -> None:
    certificate = the("Certificate", CERT_MANAGER)["spec"]

    assert "foretide.foretide" in certificate["dnsNames"]
    assert certificate["secretName"] == "foretide-tls"
    assert certificate["issuerRef"] == {"name": "foretide", "kind": "Issuer", "group": "cert-manager.io"}
    assert len(of_kind("Issuer", CERT_MANAGER)) == 2


def test_an_issuer_of_the_company_is_asked_where_there_is_one() -> None:
    values = {**CERT_MANAGER, "tls.certManager.issuerRef.name": "company"}

    assert the("Certificate", values)["spec"]["issuerRef"]["kind"] == "ClusterIssuer"
    assert of_kind("Issuer", values) == []


def test_a_given_secret_is_mounted_and_nothing_is_asked_of_cert_manager() -> None:
    values: dict[str, object] = {"tls.source": "secret", "tls.secretName": "pair"}
    volumes = the("Deployment", values)["spec"]["template"]["spec"]["volumes"]

    assert {"name": "tls", "secret": {"secretName": "pair", "defaultMode": 0o440}} in volumes
    assert "Certificate" not in kinds(values)


def test_only_keda_the_agents_and_the_test_reach_grpc() -> None:
    grpc, http = the("NetworkPolicy")["spec"]["ingress"]
    own = {"app.kubernetes.io/name": "foretide", "app.kubernetes.io/instance": "foretide"}

    assert grpc["ports"] == [{"port": "grpc-scaler", "protocol": "TCP"}]
    assert [peer["podSelector"]["matchLabels"] for peer in grpc["from"]] == [
        {"app": "keda-operator"},
        own,
        {"foretide.dev/test-of": "foretide"},
    ]
    assert http["ports"] == [{"port": "http", "protocol": "TCP"}]
    assert "namespaceSelector" in http["from"][0]


def test_nobody_in_a_list_is_nobody_and_not_everybody() -> None:
    """A rule without `from` admits all."""
    values: dict[str, object] = {"networkPolicy.grpcFrom": [], "networkPolicy.httpFrom": []}
    rules = the("NetworkPolicy", values)["spec"]["ingress"]

    assert [len(rule["from"]) for rule in rules] == [2, 1]


def test_the_way_out_has_the_ports_of_the_sources() -> None:
    sources = {"a": {"url": "https://mimir.example.com/prometheus"}, "b": {"url": "http://plain"}}
    values: dict[str, object] = {"sources": sources, "networkPolicy.egress.extraPorts": [{"port": 9091}]}
    dns, api, out, peers = the("NetworkPolicy", values)["spec"]["egress"]

    assert {port["port"] for port in dns["ports"]} == {53}
    assert [port["port"] for port in api["ports"]] == [443, 6443]
    assert sorted(port["port"] for port in out["ports"]) == [80, 443, 9090, 9091]
    assert peers["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "foretide"


def test_a_changed_configuration_restarts_the_pods() -> None:
    def checksum(values: dict[str, object]) -> str:
        return str(the("Deployment", values)["spec"]["template"]["metadata"]["annotations"]["checksum/config"])

    assert checksum({}) != checksum({"logLevel": "debug"})


def test_helm_test_plays_keda_over_the_same_way() -> None:
    mutual = {**CERT_MANAGER, "tls.clientAuth.enabled": True}
    pod = the("Pod", name="foretide-doctor")
    (container,) = the("Pod", mutual, name="foretide-doctor")["spec"]["containers"]

    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert pod["spec"]["containers"][0]["args"] == [
        "doctor",
        "--keda",
        "--grpc-address=foretide.foretide:6000",
        "--http-address=foretide-http.foretide:8080",
    ]
    assert container["args"][-3:] == [
        "--ca-cert=/etc/foretide/tls/ca.crt",
        "--client-cert=/etc/foretide/tls/tls.crt",
        "--client-key=/etc/foretide/tls/tls.key",
    ]


def notes(*words: str) -> str:
    shown = helm(
        "install", "foretide", str(CHART), "-n=ml", "--dry-run=client", "--set=prometheus.url=http://p", *words
    )
    return shown.split("\nNOTES:\n")[1]


def test_the_notes_tell_the_next_step_and_what_is_not_safe() -> None:
    assert "scalerAddress: foretide.ml:6000" in notes()
    assert "A NetworkPolicy admits KEDA alone" in notes()
    assert "Nothing guards the port" in notes("--set=networkPolicy.enabled=false")
    assert "as caCert, and a client certificate" in notes("--set=tls.source=certManager,tls.clientAuth.enabled=true")
    assert "apply the CRD of this version" in notes("--set=crds.install=false")
    apart = "each of them reads and decides for itself"
    assert apart in notes("--set=tls.source=certManager")
    assert apart not in notes("--set=tls.source=certManager,tls.clientAuth.enabled=true")
    assert apart not in notes()


def test_the_policy_in_the_notes_is_a_policy() -> None:
    document = notes().split("<<END\n")[1].split("\nEND\n")[0]
    assert policy_of(yaml.safe_load(document), origin="NOTES").metadata.namespace == "ml"
