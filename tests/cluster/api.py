"""Kubernetes over its REST API, as one user: what the tests need of a client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests
import yaml

from tests.certificates import Pair

Object = dict[str, Any]

_CORE = {
    "ConfigMap",
    "Event",
    "LimitRange",
    "Namespace",
    "Node",
    "Pod",
    "ResourceQuota",
    "Secret",
    "Service",
    "ServiceAccount",
}
_ASK_SECONDS = 15.0
_DAY = 86_400  # seconds


class Api:
    """One API server. Objects are plain dictionaries, as in YAML."""

    def __init__(self, url: str, *, authority: Path, user: Pair) -> None:
        self.url = url
        self.authority = authority
        self.user = user
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(authority)
        self._session.cert = (str(user.certificate), str(user.key))

    def kubeconfig(self, folder: Path) -> Path:
        """Write a kubeconfig for this user."""
        files = {"client-certificate": str(self.user.certificate), "client-key": str(self.user.key)}
        cluster = {"server": self.url, "certificate-authority": str(self.authority)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "rig", "cluster": cluster}],
            "users": [{"name": "rig", "user": files}],
            "contexts": [{"name": "rig", "context": {"cluster": "rig", "user": "rig"}}],
            "current-context": "rig",
        }
        file = folder / "kubeconfig.yaml"
        file.write_text(yaml.safe_dump(document))
        return file

    def is_ready(self) -> bool:
        try:
            return self._session.get(f"{self.url}/readyz", timeout=_ASK_SECONDS).ok
        except requests.ConnectionError:
            return False

    def get(self, path: str) -> Object | None:
        """Return what a path shows, such as /api/v1/namespaces/ml/events; None where it is not there (yet)."""
        reply = self._session.get(f"{self.url}{path}", timeout=_ASK_SECONDS)
        if reply.status_code in {404, 429, 503}:  # 429: the storage of a new kind is being made
            return None
        reply.raise_for_status()
        return dict(reply.json())

    def text(self, path: str) -> str:
        """Return what a path shows that is no JSON, such as /metrics."""
        reply = self._session.get(f"{self.url}{path}", timeout=_ASK_SECONDS)
        reply.raise_for_status()
        return reply.text

    def create(self, document: Object) -> Object:
        """Create an object in its namespace."""
        return self._send("POST", collection(document), document)

    def apply(self, document: Object) -> Object:
        """Create an object or change it into this, as `kubectl apply --server-side`; an unknown field is refused."""
        path = f"{collection(document)}/{document['metadata']['name']}?fieldManager=tests&fieldValidation=Strict"
        return self._send("PATCH", path, document, {"Content-Type": "application/apply-patch+yaml"})

    def table(self, path: str) -> Object:
        """Return what `kubectl get` prints of a path."""
        accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
        reply = self._session.get(f"{self.url}{path}", headers=accept, timeout=_ASK_SECONDS)
        reply.raise_for_status()
        return dict(reply.json())

    def patch(self, path: str, change: Object) -> Object:
        """Merge a change into an object."""
        return self._send("PATCH", path, change, {"Content-Type": "application/merge-patch+json"})

    def delete(self, path: str) -> None:
        self._session.delete(f"{self.url}{path}", timeout=_ASK_SECONDS)

    def allows(self, user: str, verb: str, resource: str, *, namespace: str = "", name: str = "") -> bool:
        """Return whether a user's roles let it do this to a resource: `group/plural`, or `group/plural/subresource`."""
        group, plural, *below = resource.split("/")
        asked = {"group": group, "resource": plural, "subresource": "/".join(below), "verb": verb}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "metadata": {},
            "spec": {"user": user, "resourceAttributes": {**asked, "namespace": namespace, "name": name}},
        }
        return bool(self.create(review)["status"]["allowed"])

    def token(self, namespace: str, account: str) -> str:
        """Return a token of a service account, good for longer than all tests take."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        about = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        return str(self._send("POST", path, {**about, "spec": {"expirationSeconds": _DAY}})["status"]["token"])

    def close(self) -> None:
        self._session.close()

    def _send(self, method: str, path: str, body: Object, headers: dict[str, str] | None = None) -> Object:
        reply = self._session.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=_ASK_SECONDS)
        if not reply.ok:
            raise AssertionError(f"{method} {path}: {reply.status_code} {reply.text[:1000]}")
        return dict(reply.json())


def collection(document: Object) -> str:
    """Return the path under which objects like this one are created."""
    version = document["apiVersion"]
    root = "/api/v1" if document["kind"] in _CORE else f"/apis/{version}"
    namespace = document["metadata"].get("namespace")
    kind = document["kind"].lower()
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"
