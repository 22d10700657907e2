"""A Deployment with its ScaledObject, and what KEDA, the HPA and their events say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.cluster.api import Api, Object
from tests.cluster.processes import eventually

LONGEST = 90.0  # seconds that a test waits for KEDA and the HPA, twice and more what it takes on a quiet machine

METRIC = "s0-foretide-replicas"


@dataclass(frozen=True, slots=True)
class Template:
    """What a pod has beside its container and its label."""

    annotations: dict[str, str] = field(default_factory=dict)
    spec: Object = field(default_factory=dict)


class Scaled:
    """A Deployment of a namespace, `chat` unless another name is given, scaled by KEDA."""

    def __init__(self, api: Api, namespace: str, logs: Callable[[str], str], *, name: str = "chat") -> None:
        self._api = api
        self._namespace = namespace
        self._logs = logs
        self.name = name
        self._deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        self._object = f"/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledobjects/{name}"

    def create(self, trigger: Object, *, replicas: int = 1, **spec: object) -> None:
        """Create both, with a poll every 2 s and an HPA that follows at once."""
        self.create_target(replicas=replicas)
        self.scale(trigger, **spec)

    def create_target(self, *, replicas: int, pods: Template | None = None) -> None:
        """Create the Deployment alone; its pods stay Pending unless their template leads them to a node."""
        self._api.create(_deployment(self._namespace, self.name, replicas, pods or Template()))

    def remove_target(self) -> None:
        """Delete the Deployment, and its pods with it."""
        self._api.delete(self._deployment)

    def scale(self, trigger: Object, **spec: object) -> None:
        """Create the ScaledObject alone."""
        self._api.create(_scaled_object(self._namespace, self.name, trigger, spec))

    def change(self, spec: Object) -> None:
        """Change the ScaledObject's spec, which makes KEDA begin anew."""
        self._api.patch(self._object, {"spec": spec})

    @property
    def replicas(self) -> int:
        """Replicas that the Deployment is told to have."""
        return int((self._api.get(self._deployment) or {})["spec"]["replicas"])

    @property
    def counts(self) -> tuple[int, int]:
        """Pods of the Deployment that exist, and those that are Ready."""
        status = (self._api.get(self._deployment) or {}).get("status") or {}
        return int(status.get("replicas", 0)), int(status.get("readyReplicas", 0))

    @property
    def triggers(self) -> list[Object]:
        """The ScaledObject's triggers."""
        return list((self._api.get(self._object) or {})["spec"]["triggers"])

    @property
    def status(self) -> Object:
        """What KEDA says of the ScaledObject."""
        return dict((self._api.get(self._object) or {}).get("status") or {})

    @property
    def hpa(self) -> Object:
        """The HPA that KEDA made; empty where there is none."""
        path = f"/apis/autoscaling/v2/namespaces/{self._namespace}/horizontalpodautoscalers/keda-hpa-{self.name}"
        return self._api.get(path) or {}

    @property
    def hpa_value(self) -> str | None:
        """The metric as `kubectl get hpa` shows it, per replica; None before the HPA has it."""
        metrics = (self.hpa.get("status") or {}).get("currentMetrics") or []
        return next(
            (str(each["external"]["current"]["averageValue"]) for each in metrics if each.get("external")), None
        )

    @property
    def failures(self) -> int:
        """How many evaluations in a row KEDA has counted as failed."""
        return int(self.status.get("health", {}).get(METRIC, {}).get("numberOfFailures", 0))

    def condition(self, name: str) -> tuple[str | None, str | None]:
        """Return a condition's status and reason."""
        found = next((each for each in self.status.get("conditions", []) if each["type"] == name), {})
        return found.get("status"), found.get("reason")

    def events(self, reason: str) -> list[str]:
        """Return the messages of the events with a reason."""
        listed = self._api.get(f"/api/v1/namespaces/{self._namespace}/events") or {"items": []}
        return [each["message"] for each in listed["items"] if each["reason"] == reason]

    def until(self, claim: Callable[[], object], what: str, *, within: float = LONGEST) -> None:
        """Wait until something is so; a failure shows all that KEDA and the HPA say."""
        eventually(lambda: bool(claim()) or None, what, within=within, told=self._told)

    def always(self, claim: Callable[[], object], what: str, *, seconds: float) -> None:
        """Look for some time, and fail if something is not so at any look."""
        broken = []
        try:
            eventually(lambda: None if claim() else broken.append(True) or True, what, within=seconds, told=str)
        except AssertionError:
            return
        raise AssertionError(f"not so for {seconds:g} s: {what}\n{self._told()}")

    def _told(self) -> str:
        events = self._api.get(f"/api/v1/namespaces/{self._namespace}/events") or {"items": []}
        lines = [f"{each['reason']}: {each['message']}" for each in events["items"]]
        said = [f"replicas {self.replicas}", f"KEDA {self.status}", f"HPA {self.hpa.get('status')}", *lines]
        return "\n".join([*said, self._logs(self._namespace)])


def external(address: str, *, kind: str = "external", **metadata: str) -> Object:
    """Return a trigger on the policy `chat`."""
    return {"type": kind, "metadata": {"scalerAddress": address, "policy": "chat", **metadata}}


def push(address: str, **metadata: str) -> Object:
    """Return a trigger that KEDA keeps its two streams open for."""
    return external(address, kind="external-push", **metadata)


def _deployment(namespace: str, name: str, replicas: int, pods: Template) -> Object:
    labels = {"app": name}
    container = {"name": name, "image": f"{name}.invalid/{name}"}
    template = {
        "metadata": {"labels": labels, "annotations": pods.annotations},
        "spec": {"containers": [container], **pods.spec},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _scaled_object(namespace: str, name: str, trigger: Object, spec: Object) -> Object:
    at_once = {"tolerance": "0", "stabilizationWindowSeconds": 0}
    behavior = {"scaleUp": at_once, "scaleDown": {"stabilizationWindowSeconds": 0}}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "scaleTargetRef": {"name": name},
            "pollingInterval": 2,
            "cooldownPeriod": 4,
            "minReplicaCount": 1,
            "maxReplicaCount": 40,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}},
            "triggers": [trigger],
            **spec,
        },
    }
