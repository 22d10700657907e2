"""KEDA's operator and metrics adapter beside a control plane, and the aggregated API that leads the HPA to them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.binaries import KEDA
from tests.cluster.control_plane import ControlPlane
from tests.cluster.processes import eventually, free_port

_START_SECONDS = 90.0
EXTERNAL_METRICS = "/apis/external.metrics.k8s.io/v1beta1"


def install(cluster: ControlPlane) -> None:
    """Create KEDA's definitions, start both processes, and return when the HPA can ask them."""
    definitions = _definitions(cluster)
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "keda"}})
    eventually(lambda: _are_served(cluster, definitions), "KEDA's kinds are served", within=60, told=cluster.logs)
    certificates = _certificates(cluster)
    metrics, adapter = free_port(), free_port()
    _operator(cluster, certificates, metrics=metrics)
    _adapter(cluster, certificates, metrics=metrics, port=adapter)
    _aggregate(cluster, adapter)
    eventually(
        lambda: cluster.api.get(EXTERNAL_METRICS),
        "KEDA's adapter answers through the API server",
        within=_START_SECONDS,
        told=cluster.logs,
    )


def _definitions(cluster: ControlPlane) -> list[dict[str, Any]]:
    documents = [yaml.load(file.read_text(), yaml.CSafeLoader) for file in sorted(KEDA.built().glob("*.yaml"))]
    for document in documents:
        cluster.api.create(document)
    return documents


def _are_served(cluster: ControlPlane, definitions: list[dict[str, Any]]) -> bool:
    specs = [each["spec"] for each in definitions]
    versions = {(spec["group"], spec["versions"][0]["name"]) for spec in specs}
    found = [cluster.api.get(f"/apis/{group}/{version}") or {"resources": []} for group, version in versions]
    served = {resource["name"] for each in found for resource in each["resources"]}
    return served >= {spec["names"]["plural"] for spec in specs}


def _certificates(cluster: ControlPlane) -> Path:
    folder = cluster.folder / "keda"
    folder.mkdir()
    pair = cluster.authority.sign("keda", "keda")
    for source, name in ((cluster.authority.file, "ca.crt"), (pair.certificate, "tls.crt"), (pair.key, "tls.key")):
        shutil.copy(source, folder / name)
    return folder


def _trusted(cluster: ControlPlane) -> Path:
    """Return a folder with the authorities that KEDA trusts beside the system's: what /custom/ca is in its image."""
    folder = cluster.folder / "trusted-by-keda"
    folder.mkdir()
    shutil.copy(cluster.trusted.file, folder)
    return folder


def _environment(cluster: ControlPlane, name: str) -> dict[str, str]:
    return {
        "KUBECONFIG": str(cluster.kubeconfig),  # the adapter reads its flag in one place and this in another
        "WATCH_NAMESPACE": "",
        "KEDA_CLUSTER_OBJECT_NAMESPACE": "keda",
        "POD_NAMESPACE": "keda",
        "POD_NAME": name,
        "OPERATOR_NAME": name,
    }


def _operator(cluster: ControlPlane, certificates: Path, *, metrics: int) -> None:
    cluster.start(
        str(KEDA.built() / "keda-operator"),
        f"--kubeconfig={cluster.kubeconfig}",
        f"--cert-dir={certificates}",
        f"--ca-dir={_trusted(cluster)}",
        f"--metrics-service-bind-address=127.0.0.1:{metrics}",
        f"--metrics-bind-address=127.0.0.1:{free_port()}",
        f"--health-probe-bind-address=127.0.0.1:{free_port()}",
        environment=_environment(cluster, "keda-operator"),
    )


def _adapter(cluster: ControlPlane, certificates: Path, *, metrics: int, port: int) -> None:
    cluster.start(
        str(KEDA.built() / "keda-adapter"),
        f"--lister-kubeconfig={cluster.kubeconfig}",
        f"--authentication-kubeconfig={cluster.kubeconfig}",
        f"--authorization-kubeconfig={cluster.kubeconfig}",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        f"--tls-cert-file={certificates / 'tls.crt'}",
        f"--tls-private-key-file={certificates / 'tls.key'}",
        f"--client-ca-file={certificates / 'ca.crt'}",
        f"--cert-dir={certificates}",
        f"--metrics-service-address=localhost:{metrics}",
        f"--port={free_port()}",
        environment=_environment(cluster, "keda-adapter"),
    )


def _aggregate(cluster: ControlPlane, port: int) -> None:
    name = {"name": "keda-adapter", "namespace": "keda"}
    service = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}
    cluster.api.create({"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": service})
    spec = {
        "group": "external.metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {**name, "port": port},
    }
    cluster.api.create(
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
            "spec": spec,
        }
    )
