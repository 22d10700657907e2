"""What the agent may do in a cluster, as the chart's roles grant it, and what is missing without each part."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_READ = ("get", "list", "watch")


class Scope(StrEnum):
    """Where something must be allowed."""

    POLICIES = "policies"  # in the namespaces whose policies are acted on
    OWN = "own"  # in the agent's namespace
    CLUSTER = "cluster"  # of what lies in no namespace


@dataclass(frozen=True, slots=True)
class Permission:
    """Verbs on one kind of objects."""

    group: str  # empty for the core group
    resource: str  # with its subresource, as RBAC writes it
    verbs: tuple[str, ...]
    without: str  # what is not done without it
    is_needed: bool = False  # whether no policy is worth much without it
    scope: Scope = Scope.POLICIES
    name: str = ""  # of the one object that it is about

    @property
    def shown(self) -> str:
        """Its kind, and its name where it has one, as kubectl writes them."""
        plain = f"{self.resource}.{self.group}".removesuffix(".")
        return f"{plain}/{self.name}".removesuffix("/")


_POLICIES = "forecastpolicies"


def permissions(*, namespace: str, lease: str) -> tuple[Permission, ...]:
    """Return all that the agent of a namespace needs, with the Lease of this name.

    The chart's roles and this are compared by a test.
    """
    return (
        Permission("foretide.dev", _POLICIES, _READ, "no policy is acted on", is_needed=True),
        Permission("foretide.dev", f"{_POLICIES}/status", ("patch",), "no status is written", is_needed=True),
        Permission(
            "foretide.dev",
            _POLICIES,
            ("create", "patch", "delete"),
            "policies in triggers are not made (inlinePolicies)",
        ),
        Permission("keda.sh", "scaledobjects", _READ, "triggers and conflicts are not seen", is_needed=True),
        Permission("autoscaling", "horizontalpodautoscalers", _READ, "conflicts are not seen", is_needed=True),
        Permission("autoscaling.k8s.io", "verticalpodautoscalers", _READ, "conflicts with VPAs are not seen"),
        Permission("apps", "deployments", _READ, "replicas of Deployments are not known", is_needed=True),
        Permission("apps", "statefulsets", _READ, "replicas of StatefulSets are not known", is_needed=True),
        Permission("apps", "replicasets/scale", ("get",), "replicas of ReplicaSets are not known"),
        Permission("", "pods", ("list",), "lead times are not measured"),
        Permission("", "resourcequotas", ("list",), "quotas that are too small are not told"),
        Permission("", "limitranges", ("list",), "limit ranges that refuse pods are not told"),
        Permission("policy", "poddisruptionbudgets", ("list",), "budgets that block evictions are not told"),
        Permission("events.k8s.io", "events", ("create",), "no Event is told"),
        Permission(
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            ("get",),
            "whether the CRD is of this version is not known",
            scope=Scope.CLUSTER,
            name="forecastpolicies.foretide.dev",
        ),
        Permission("", "nodes", ("get",), "lead times by kind of node are not told apart", scope=Scope.CLUSTER),
        Permission(
            "coordination.k8s.io", "leases", ("create",), "no agent leads at first", is_needed=True, scope=Scope.OWN
        ),
        Permission(
            "coordination.k8s.io",
            "leases",
            ("get", "update"),
            "no agent leads, and each decides for itself",
            is_needed=True,
            scope=Scope.OWN,
            name=lease,
        ),
        Permission("", "namespaces", ("get",), "its kill switch is not seen", scope=Scope.OWN, name=namespace),
    )
