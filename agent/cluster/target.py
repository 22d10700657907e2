"""What a policy's `scaleTargetRef` names, and which kinds can be scaled at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What has no /scale, or whose replicas its own controller sets back: only hints could reach it.
_HINTS_ONLY = {
    ("serving.knative.dev", "Service"): "Knative's own autoscaler sets its replicas",
    ("serving.knative.dev", "Revision"): "Knative's own autoscaler sets its replicas",
    ("serving.knative.dev", "Configuration"): "Knative's own autoscaler sets its replicas",
    ("autoscaling.internal.knative.dev", "PodAutoscaler"): "it is Knative's own autoscaler",
    ("serving.kserve.io", "ServingRuntime"): "ModelMesh sets its replicas back",
    ("serving.kserve.io", "ClusterServingRuntime"): "ModelMesh sets its replicas back",
    ("serving.kserve.io", "Predictor"): "ModelMesh sets its replicas back",
}
_MAKES_JOBS = frozenset({("keda.sh", "ScaledJob"), ("batch", "Job")})
_INSTEAD = {
    ("serving.kserve.io", "InferenceService"): (
        "it has no /scale: use deploymentMode Standard with the annotation serving.kserve.io/autoscalerClass: "
        "external, and name Deployment {name}-predictor"
    ),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A scale target."""

    namespace: str
    group: str  # empty for the core group
    version: str
    kind: str
    name: str

    @property
    def api(self) -> str:
        """The path of its group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def shown(self) -> str:
        """Kind and name, as people write them."""
        return f"{self.kind}/{self.name}"

    @property
    def makes_jobs(self) -> bool:
        """Whether it starts jobs, of which nobody asks how many replicas there are."""
        return (self.group, self.kind) in _MAKES_JOBS

    @property
    def out_of_reach(self) -> str | None:
        """Why it can only be given hints; None where that is not known beforehand."""
        if (instead := _INSTEAD.get((self.group, self.kind))) is not None:
            return instead.format(name=self.name)
        because = _HINTS_ONLY.get((self.group, self.kind))
        return None if because is None else f"{because}: hints and conditions are all that this policy comes to"


def target_of(namespace: str, reference: Mapping[str, str]) -> Target:
    """Return what a `scaleTargetRef` with its defaults filled in names."""
    group, _, version = reference["apiVersion"].rpartition("/")
    return Target(namespace, group, version, reference["kind"], reference["name"])


def selector_text(selector: Mapping[str, Any]) -> str | None:
    """Return a label selector as the API takes it in a query; None where it selects nothing or has an unknown operator.

    Its form is that of k8s.io/apimachinery pkg/apis/meta/v1/helpers.go.
    """
    parts = [f"{name}={value}" for name, value in sorted((selector.get("matchLabels") or {}).items())]
    for each in selector.get("matchExpressions") or ():
        values = ",".join(each.get("values") or ())
        written = {
            "In": f"{each['key']} in ({values})",
            "NotIn": f"{each['key']} notin ({values})",
            "Exists": each["key"],
            "DoesNotExist": f"!{each['key']}",
        }.get(each["operator"])
        if written is None:
            return None
        parts.append(written)
    return ",".join(parts) or None
