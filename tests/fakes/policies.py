"""Policy documents for tests: one that is valid, and that one with changes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

VALID_TEXT = """\
apiVersion: foretide.dev/v1alpha1
kind: ForecastPolicy
metadata: {name: workload, namespace: default}
spec:
  mode: Active
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: workload}
  demand: {prometheus: {query: demand}, step: 15s}
  capacity: {perReplica: 404.33}
  replicas: {min: 1, max: 1000}
  risk: 0.05%
  leadTime: {declared: 120s}
"""

_VALID: dict[str, Any] = {
    "apiVersion": "foretide.dev/v1alpha1",
    "kind": "ForecastPolicy",
    "metadata": {"name": "workload", "namespace": "default"},
    "spec": {
        "mode": "Active",
        "scaleTargetRef": {"name": "workload"},
        "demand": {"prometheus": {"query": "demand"}},
        "capacity": {"perReplica": 12},
        "replicas": {"min": 1, "max": 40},
        "risk": "1%",
        "leadTime": {"declared": "2m"},
    },
}

# Every field of DESIGN 3.2 that the short form of demand allows, the reserved ones among them.
_FULL_SPEC: dict[str, Any] = {
    "forecast": {
        "history": "14d",
        "horizon": "1h",
        "models": ["auto"],
        "timeZone": "Europe/Berlin",
        "calendar": ["de"],
    },
    "scaling": {
        "actuator": "HPA",
        "tolerance": "10%",
        "sync": "15s",
        "stabilization": "300s",
        "activation": 0,
        "whenUnknown": "Wake",
    },
    "staleness": {"forecast": "5m", "data": "10m"},
    "objectives": [
        {"name": "latency", "good": "good", "total": "total", "target": "99%", "window": "30d"},
        {"name": "ttft", "query": "ttft", "below": "2s"},
        {"name": "wait", "below": "60s"},
    ],
    "drain": {"within": "5m"},
    "hints": {"nodes": "Hint", "vertical": "Off", "budget": {"nvidia.com/gpu": 8}},
    "overrides": [
        {
            "replicas": 10,
            "from": "2026-03-02T08:00:00Z",
            "until": "2026-03-02T20:00:00Z",
            "owner": "ml",
            "reason": "launch",
        }
    ],
    "alerts": {"receiver": "team"},
}


def document(**spec: object) -> dict[str, Any]:
    """Return a valid document with changes; `replicas__min=3` reaches into `spec.replicas`, None takes a field out."""
    changed = deepcopy(_VALID)
    for name, value in spec.items():
        *parents, field = name.split("__")
        part = changed["spec"]
        for parent in parents:
            part = part.setdefault(parent, {})
        if value is None:
            part.pop(field, None)
        else:
            part[field] = value
    return changed


def full_document() -> dict[str, Any]:
    """Return a valid document with every field but `signals`."""
    full = deepcopy(_VALID)
    full["spec"] |= deepcopy(_FULL_SPEC)
    return full
