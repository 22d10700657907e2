"""Who an agent is to the cluster: the chart's service account, with the rights that the chart renders and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.chart import rendered
from tests.cluster.api import Api, Object
from tests.cluster.cable import Cable
from tests.cluster.control_plane import ControlPlane
from tests.cluster.given import GivenCluster
from tests.cluster.kubectl import MISSING, printed

NAME = "foretide"  # of the release, and so of its account and of the one Lease that it may update
Rights = frozenset[tuple[str, str]]  # verbs by resource, such as ("deployments", "watch")

_RIGHTS = {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
_OF_NO_NAMESPACE = ("ClusterRole", "ClusterRoleBinding")


@dataclass(frozen=True, slots=True)
class Account:
    """The service account of one release: all that an agent has of its pod."""

    namespace: str
    kubeconfig: Path

    @property
    def lease(self) -> str:
        """The path of the one Lease that it may update."""
        return f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases/{NAME}"

    def behind(self, cable: Cable, folder: Path) -> Account:
        """Return the same whose way to the API server leads through a cable."""
        return replace(self, kubeconfig=cable.kubeconfig(self.kubeconfig, folder))


def grant(api: Api, namespace: str, values: Object | None = None, *, without: Rights = frozenset()) -> None:
    """Apply a release's account, roles and bindings as they are rendered, but for some verbs on some resources."""
    for each in _rights(namespace, values):
        api.apply({**each, "rules": [*_split(each, without)]} if without and "rules" in each else each)


def revoke(api: Api, namespace: str) -> None:
    """Take away what would outlive the namespace."""
    for each in _rights(namespace):
        if each["kind"] in _OF_NO_NAMESPACE:
            api.delete(f"/apis/{each['apiVersion']}/{each['kind'].lower()}s/{each['metadata']['name']}")


@contextmanager
def release(
    cluster: ControlPlane | GivenCluster, namespace: str, folder: Path, values: Object | None = None
) -> Iterator[Account]:
    """Install the account with its rights into a namespace that is there; in the end nothing of it outlives that."""
    try:
        grant(cluster.api, namespace, values)
        yield account(cluster, namespace, folder)
    finally:
        revoke(cluster.api, namespace)


def account(cluster: ControlPlane | GivenCluster, namespace: str, folder: Path) -> Account:
    """Return the account of a release, with a token such as its pod would get."""
    user = {"token": cluster.api.token(namespace, NAME)}
    shown = printed(cluster.kubeconfig, "config", "view", "--raw", "--minify", "--flatten", "-o", "json")
    if shown is None:
        pytest.skip(MISSING)
    document = json.loads(shown)
    (context,) = document["contexts"]
    document["users"] = [{"name": context["context"]["user"], "user": user}]
    kubeconfig = folder / f"kubeconfig-of-{namespace}"
    kubeconfig.write_text(json.dumps(document))  # JSON is YAML
    return Account(namespace, kubeconfig)


def _rights(namespace: str, values: Object | None = None) -> Iterator[Object]:
    return (each for each in rendered(values, f"--namespace={namespace}") if each["kind"] in _RIGHTS)


def _split(role: Object, without: Rights) -> Iterator[Object]:
    """Return one rule for each resource, so that a verb can be taken from one alone."""
    for rule in role["rules"]:
        for resource in rule["resources"]:
            verbs = [verb for verb in rule["verbs"] if (resource, verb) not in without]
            if verbs:
                yield {**rule, "resources": [resource], "verbs": verbs}
