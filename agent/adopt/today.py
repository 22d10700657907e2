"""What an HPA or a ScaledObject says of its target: bounds and behavior, whichever of the two it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent.adopt.cannot import CannotAdopt
from agent.adopt.finding import Found, Kind
from agent.cluster.others import HPA_TOLERANCE
from agent.policy.quantities import parse_quantity
from scalers.keda.metadata import INLINE_NEEDS, POLICY

# Where nothing is said: Kubernetes pkg/apis/autoscaling/v2/defaults.go, and kedacore/keda apis/keda/v1alpha1.
_HPA_LEAST, _KEDA_LEAST, _KEDA_MOST = 1, 0, 100
_STABILIZATION = timedelta(minutes=5)
_DEFAULT_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment"}
_TARGET_KEYS = ("apiVersion", "kind", "name")


@dataclass(frozen=True, slots=True)
class Today:
    """Who scales what, and within which bounds."""

    found: Found
    target: Mapping[str, str]  # apiVersion, kind and name
    minimum: int
    maximum: int
    behavior: Mapping[str, Any]  # an HPA's `behavior`; empty where it has none

    @property
    def tolerance(self) -> float:
        """The HPA's tolerance of scaling out, a ratio."""
        return parse_quantity((self.behavior.get("scaleUp") or {}).get("tolerance", HPA_TOLERANCE))

    @property
    def tolerance_down(self) -> float:
        """The HPA's tolerance of scaling in, a ratio."""
        return parse_quantity((self.behavior.get("scaleDown") or {}).get("tolerance", HPA_TOLERANCE))

    @property
    def stabilization(self) -> timedelta:
        """The HPA's stabilization window of scaling in."""
        seconds = (self.behavior.get("scaleDown") or {}).get("stabilizationWindowSeconds")
        return _STABILIZATION if seconds is None else timedelta(seconds=seconds)


def today_of(found: Found) -> Today:
    """Return what an object says.

    Raises:
        CannotAdopt: it cannot be handed over as it is.
    """
    return _of_hpa(found) if found.kind is Kind.HPA else _of_scaled_object(found)


def _of_hpa(found: Found) -> Today:
    metadata, spec = found.document["metadata"], found.document["spec"]
    if owner := next((each for each in metadata.get("ownerReferences") or () if each.get("controller")), None):
        raise CannotAdopt(
            f"{found.shown}: metadata.ownerReferences names {owner['kind']} {owner['name']}, which would set it back;"
            " let that one make no HPA first"
        )
    return Today(
        found=found,
        target=_target(spec["scaleTargetRef"]),
        minimum=spec.get("minReplicas", _HPA_LEAST),
        maximum=spec["maxReplicas"],
        behavior=spec.get("behavior") or {},
    )


def _of_scaled_object(found: Found) -> Today:
    spec = found.document["spec"]
    advanced = spec.get("advanced") or {}
    if formula := (advanced.get("scalingModifiers") or {}).get("formula"):
        raise CannotAdopt(
            f"{found.shown}: spec.advanced.scalingModifiers.formula {formula!r} names its triggers, so none of them can"
            " be exchanged alone; write demand as one query, take the formula out, and give --query and --capacity"
        )
    for place, trigger in enumerate(spec.get("triggers") or ()):
        metadata = trigger.get("metadata") or {}
        if trigger.get("type") in ("external", "external-push") and (
            POLICY in metadata or metadata.keys() >= INLINE_NEEDS
        ):
            raise CannotAdopt(
                f"{found.shown}: spec.triggers[{place}] asks Foretide already; `foretide explain"
                f" {metadata.get(POLICY, found.name)} -n {found.namespace}` shows what it answers"
            )
    return Today(
        found=found,
        target=_target(spec["scaleTargetRef"]),
        minimum=spec.get("minReplicaCount", _KEDA_LEAST),
        maximum=spec.get("maxReplicaCount", _KEDA_MOST),
        behavior=(advanced.get("horizontalPodAutoscalerConfig") or {}).get("behavior") or {},
    )


def _target(reference: Mapping[str, Any]) -> dict[str, str]:
    whole = {**_DEFAULT_TARGET, **{key: value for key, value in reference.items() if value}}
    return {key: str(whole[key]) for key in _TARGET_KEYS}
