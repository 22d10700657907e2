"""ScaledObjects, HPAs and VPAs as an API server shows them, with more than is read of them."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

_CHAT = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"}


def _metadata(name: str, **more: object) -> Object:
    return {
        "name": name,
        "namespace": "ml",
        "uid": f"uid-{name}",
        "resourceVersion": "812",
        "generation": 1,
        "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
        **more,
    }


def a_scaled_object(
    name: str = "chat",
    *,
    triggers: tuple[Object, ...] | None = None,
    annotations: dict[str, str] | None = None,
    target: Object | None = None,
    **spec: object,
) -> Object:
    """One that scales Deployment/chat to 1 to 40 replicas, by the policy `chat` unless other triggers are given."""
    ours = {
        "type": "external-push",
        "metadata": {"scalerAddress": "foretide.foretide:6000", "policy": "chat", "apiKey": "kept by nobody"},
    }
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": _metadata(name, annotations=annotations or {}, finalizers=["finalizer.keda.sh"]),
        "spec": {
            "scaleTargetRef": target or {"name": "chat"},
            "minReplicaCount": 1,
            "maxReplicaCount": 40,
            "triggers": [ours] if triggers is None else list(triggers),
            **spec,
        },
        "status": {"hpaName": f"keda-hpa-{name}", "externalMetricNames": ["s0-foretide-replicas"]},
    }


def polled(policy: str = "chat") -> Object:
    """A trigger without a stream."""
    return {"type": "external", "metadata": {"scalerAddress": "foretide.foretide:6000", "policy": policy}}


CPU_TRIGGER = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}}


def utilization(resource: str) -> Object:
    """A metric of an HPA: a share of the requests."""
    return {
        "type": "Resource",
        "resource": {"name": resource, "target": {"type": "Utilization", "averageUtilization": 70}},
    }


def an_hpa(name: str = "chat-cpu", *, metrics: tuple[Object, ...] = (utilization("cpu"),), **spec: object) -> Object:
    """One that a person made for Deployment/chat."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(name),
        "spec": {"scaleTargetRef": _CHAT, "minReplicas": 1, "maxReplicas": 20, "metrics": list(metrics), **spec},
        "status": {"currentReplicas": 3, "desiredReplicas": 3},
    }


def a_keda_hpa(scaled_object: str = "chat", *, metrics: tuple[Object, ...] = (), **spec: object) -> Object:
    """The one that KEDA makes of a ScaledObject."""
    target = {"type": "AverageValue", "averageValue": "1"}
    selector = {"matchLabels": {"scaledobject.keda.sh/name": scaled_object}}
    external = {"metric": {"name": "s0-foretide-replicas", "selector": selector}, "target": target}
    made = an_hpa(f"keda-hpa-{scaled_object}", metrics=({"type": "External", "external": external}, *metrics), **spec)
    owner = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "name": scaled_object,
        "uid": f"uid-{scaled_object}",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    made["metadata"] |= {"ownerReferences": [owner], "labels": {"scaledobject.keda.sh/name": scaled_object}}
    return made


def a_vpa(mode: str | None = "Auto", *containers: Object) -> Object:
    """One for Deployment/chat; without a mode it is VPA's default, without containers it acts on all of them."""
    spec: Object = {"targetRef": _CHAT}
    if mode is not None:
        spec["updatePolicy"] = {"updateMode": mode}
    if containers:
        spec["resourcePolicy"] = {"containerPolicies": list(containers)}
    return {
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscaler",
        "metadata": _metadata("chat-vpa"),
        "spec": spec,
        "status": {"recommendation": {"containerRecommendations": [{"containerName": "main"}]}},
    }
