"""The CustomResourceDefinition around the schema: names, versions, printer columns."""

from __future__ import annotations

from typing import Final

import yaml

from agent.policy.crd.structural import structural
from agent.policy.document import GROUP, KIND, VERSION, ForecastPolicy, Spec
from agent.policy.schema import Schema, inlined_schema
from agent.policy.status import PolicyStatus

PLURAL: Final = "forecastpolicies"
_READY: Final = '.status.conditions[?(@.type=="Ready")]'
# What `kubectl get fcp` shows, in reading order; `-o wide` shows those below too.
_COLUMNS: Final = (
    ("Mode", "string", ".spec.mode", "Shadow recommends only; Active answers KEDA."),
    ("Ready", "string", f"{_READY}.status", "Whether the policy answers."),
    ("Replicas", "integer", ".status.recommendation.replicas.existing", "Pods that exist."),
    ("Needed", "number", ".status.recommendation.need", "Replicas that the risk asks for."),
    ("Risk", "string", ".spec.risk", "Share of time demand may exceed ready capacity."),
    ("Achieved", "string", ".status.risk.achieved", "Share of time it did."),
    ("Expert", "string", ".status.trust.expert", "Trusted model or rule."),
    ("Lead Time", "string", ".status.leadTime.used", "Start-up of a replica."),
    ("Saving", "string", ".status.savings.share", "Replica-hours saved against reactive scaling."),
    ("Age", "date", ".metadata.creationTimestamp", "Age of the policy."),
    ("Why Not", "string", ".status.whyNot", "What keeps it from answering by a trusted forecast."),
)
_WIDE_COLUMNS: Final = (
    ("KEDA Gets", "number", ".status.recommendation.forKeda", "Replicas that KEDA is told."),
    ("Reason", "string", f"{_READY}.reason", "In a word, why it is ready or not."),
    ("Target", "string", ".spec.scaleTargetRef.name", "Name of the scale target."),
)


def custom_resource_definition() -> Schema:
    """Return the CustomResourceDefinition as plain values."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["fcp"],
            },
            "scope": "Namespaced",
            "versions": [_version()],
        },
    }


def custom_resource_definition_yaml() -> str:
    """Return the CustomResourceDefinition as a file for `kubectl apply`."""
    head = f"# {KIND}: made by `foretide render crd` from agent/policy; not edited by hand.\n"
    return head + yaml.dump(custom_resource_definition(), Dumper=_PlainDumper, sort_keys=False, width=120)


def _version() -> Schema:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            *(_column(*column, priority=0) for column in _COLUMNS),
            *(_column(*column, priority=1) for column in _WIDE_COLUMNS),
        ],
        "schema": {"openAPIV3Schema": _document()},
    }


def _column(name: str, kind: str, path: str, meaning: str, *, priority: int) -> Schema:
    column: Schema = {"name": name, "type": kind, "jsonPath": path, "description": meaning}
    return {**column, "priority": priority} if priority else column


def _document() -> Schema:
    return {
        "description": inlined_schema(ForecastPolicy)["description"],
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(inlined_schema(Spec), path="spec"),
            "status": structural(inlined_schema(PolicyStatus), path="status"),
        },
    }


class _PlainDumper(yaml.SafeDumper):
    """Writes equal parts twice rather than by an alias, which readers of a CRD do not expect."""

    def ignore_aliases(self, data: object) -> bool:
        """Return that nothing is written as an alias."""
        del data
        return True
