"""The ForecastPolicy that a backtest plays, and the documents that it suggests at its end."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import timedelta

from agent.policy import ForecastPolicy, parse_policy
from agent.policy.quantities import format_duration, format_quantity, format_share

_LEAST_RISK, _MOST_RISK = 0.0005, 0.2  # beyond them a risk cannot be told apart, or is no service
_DIGITS = 2  # of a suggested risk: more would be noise


@dataclass(frozen=True, slots=True)
class PolicyFields:
    """What of a policy a backtest sets; everything else has its default."""

    name: str
    namespace: str
    query: str | None  # None where the past came from a file
    capacity: float
    minimum: int
    maximum: int
    risk: float
    start_up: timedelta
    tolerance: float
    stabilization: timedelta


def policy_text(fields: PolicyFields, *, is_active: bool) -> str:
    """Return the policy as YAML."""
    query = json.dumps(fields.query or "demand", ensure_ascii=False)  # double-quoted, which YAML shares with JSON
    hint = "" if fields.query else " # the query of what the file holds"
    mode = "Active" if is_active else "Shadow # recommends only; set Active once its answers look right"
    return f"""apiVersion: foretide.dev/v1alpha1
kind: ForecastPolicy
metadata:
  name: {json.dumps(fields.name)}
  namespace: {json.dumps(fields.namespace)}
spec:
  mode: {mode}
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {json.dumps(fields.name)}
  demand:
    prometheus:
      query: {query}{hint}
    step: 15s
  capacity:
    perReplica: {json.dumps(format_quantity(fields.capacity))} # demand that one replica serves within its objective
  replicas:
    min: {fields.minimum}
    max: {fields.maximum}
  risk: {format_share(fields.risk)} # share of time that demand may exceed what is ready
  leadTime:
    declared: {format_duration(fields.start_up)} # created to Ready
  scaling:
    tolerance: {format_share(fields.tolerance)} # the HPA's
    stabilization: {format_duration(fields.stabilization)} # the HPA's, of scaling in
"""


def policy_of_fields(fields: PolicyFields) -> ForecastPolicy:
    """Return the policy that is played: Active, so that KEDA gets its answer.

    Raises:
        InvalidPolicy: a field breaks the policy's rules.
    """
    (policy,) = parse_policy(policy_text(fields, is_active=True), file="the backtest's policy")
    return policy


def suggested_risk(short_pct: float) -> float:
    """Return the risk, a ratio, that is what the user lives with: the share of time short under their HPA."""
    risk = min(max(short_pct / 100, _LEAST_RISK), _MOST_RISK)
    return round(risk, _DIGITS - 1 - math.floor(math.log10(risk)))


def manifest_text(fields: PolicyFields) -> str:
    """Return what to apply: the policy in Shadow, and the ScaledObject for when it is Active."""
    name, namespace = json.dumps(fields.name), json.dumps(fields.namespace)
    return f"""{policy_text(fields, is_active=False)}---
# Apply this once the policy is Active, in the place of the HPA that the workload has now.
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {name}
  namespace: {namespace}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {name}
  pollingInterval: 15
  minReplicaCount: {fields.minimum}
  maxReplicaCount: {fields.maximum}
  fallback: # while Foretide answers with an error
    failureThreshold: 3
    replicas: {max(fields.minimum, min(fields.maximum, 10))}
    behavior: currentReplicasIfHigher
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          stabilizationWindowSeconds: {fields.stabilization // timedelta(seconds=1)}
  triggers:
    - type: external-push
      metricType: AverageValue
      metadata:
        scalerAddress: foretide.foretide:6000 # Service and namespace of the agent
        policy: {name}
"""
