"""Which HPA or ScaledObject a name means, among those of its namespace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.adopt.cannot import CannotAdopt
from agent.cluster.documents import Document


class Kind(StrEnum):
    """What scales a workload."""

    HPA = "hpa"
    SCALED_OBJECT = "scaledobject"


SHOWN = {Kind.HPA: "HPA", Kind.SCALED_OBJECT: "ScaledObject"}
_SCALED_OBJECT = "ScaledObject"


@dataclass(frozen=True, slots=True)
class Found:
    """One of them, as the API server shows it."""

    kind: Kind
    document: Document

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.document["metadata"]["namespace"])

    @property
    def shown(self) -> str:
        """Kind, namespace and name, for messages."""
        return f"{SHOWN[self.kind]} {self.namespace}/{self.name}"

    @property
    def target(self) -> str:
        """The name of what it scales."""
        return str(self.document["spec"]["scaleTargetRef"].get("name", ""))


def find(
    name: str, *, namespace: str, kind: Kind | None, hpas: Sequence[Document], scaled_objects: Sequence[Document]
) -> Found:
    """Return what a name means: an object of that name, or else the one that scales a target of that name.

    An HPA that KEDA made of a ScaledObject stands for that ScaledObject.

    Args:
        name: of an HPA, of a ScaledObject, or of what one of them scales.
        namespace: whose objects these are, for messages.
        kind: which kind is meant; None where it does not matter.
        hpas: all of the namespace.
        scaled_objects: all of the namespace.

    Raises:
        CannotAdopt: there is none, or there are several.
    """
    known = [Found(Kind.SCALED_OBJECT, each) for each in scaled_objects]
    known += [Found(Kind.HPA, each) for each in hpas if _maker(each) is None]
    asked = [each for each in known if kind in (None, each.kind)]
    made = {_maker(each) for each in hpas if each["metadata"]["name"] == name} - {None}
    named = [each for each in asked if each.name == name or (each.kind is Kind.SCALED_OBJECT and each.name in made)]
    meant = named or [each for each in asked if each.target == name]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise CannotAdopt(f"{name!r} in namespace {namespace} means {_listed(meant)}: name one of them, with --kind")
    there = f"it has {_listed(known)}" if known else "it has neither"
    what = SHOWN[kind] if kind else "HPA or ScaledObject"
    raise CannotAdopt(
        f"namespace {namespace} has no {what} named {name!r}, nor one that scales a target of that name: {there};"
        " look with `kubectl get hpa,scaledobjects -A`, and give NAME and -n NAMESPACE"
    )


def others(found: Found, hpas: Iterable[Document]) -> list[str]:
    """Return the names of further HPAs on the same target, but for those that KEDA makes of the ScaledObject found."""
    return [
        str(each["metadata"]["name"])
        for each in hpas
        if each["spec"]["scaleTargetRef"].get("name") == found.target
        and not (found.kind is Kind.HPA and each["metadata"]["name"] == found.name)
        and not (found.kind is Kind.SCALED_OBJECT and _maker(each) == found.name)
    ]


def _maker(hpa: Document) -> str | None:
    """Return the ScaledObject that an HPA was made of; None where KEDA has not made it."""
    owners = hpa["metadata"].get("ownerReferences") or ()
    return next((str(each["name"]) for each in owners if each["kind"] == _SCALED_OBJECT), None)


def _listed(found: Iterable[Found]) -> str:
    return ", ".join(f"{SHOWN[each.kind]} {each.name} (of {each.target})" for each in found)
