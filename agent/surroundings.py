"""What else acts on a policy's scale target, and which triggers name the policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scalers.policy import ScalingPolicy

# Reasons of conflicts in which two would set the same replicas: the raw need is answered meanwhile.
FIGHTS = frozenset({"TwoScalers", "TwoPolicies"})


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that keeps the target from what the policy answers."""

    reason: str  # CamelCase
    what: str  # the object, its field and value
    mend: str

    @property
    def message(self) -> str:
        """All of it, for a condition."""
        return f"{self.what}: {self.mend}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was found around a policy."""

    conflicts: tuple[Conflict, ...]  # the gravest first
    named_by: tuple[str, ...]  # ScaledObjects with a trigger that names the policy, as namespace/name
    unseen: str | None = None  # what could not be looked at, and the mend; None where all was

    @property
    def is_fight(self) -> bool:
        """Whether two would set the same replicas."""
        return any(conflict.reason in FIGHTS for conflict in self.conflicts)


class Onlooker(Protocol):
    """Who looks at what else acts on scale targets."""

    def around(self, policy: ScalingPolicy, need: float | None) -> Surroundings | None:
        """Return what was found around a policy that needs so many replicas now; None where nobody looks."""
        ...


class NoOnlooker:
    """Policies of files: nobody looks at a cluster."""

    def around(self, policy: ScalingPolicy, need: float | None) -> Surroundings | None:  # noqa: ARG002 - the port's
        """Return None: nothing is known."""
        return None
