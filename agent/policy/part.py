"""What all parts of the policy document have in common, and rules across fields for files and for the API server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

BROKEN_RULES = "broken_rules"  # the pydantic error type under which all broken rules of one part come together
UNKNOWN_NAME = "unknown_name"  # that of a name which is none of many


def unknown_name(known: Sequence[str], *, rule: str) -> PydanticCustomError:
    """Return the error of a text that names none of what is known to a library; the API server takes it."""
    return PydanticCustomError(UNKNOWN_NAME, "{rule}", {"rule": rule, "known": known})


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule across the fields of one part: the same claim for a file (`holds`) and for the API server (`cel`).

    A test keeps the two in step by asking both about the same documents.
    """

    holds: Callable[[Part], bool]
    at: str  # the field a fault is shown at, as the document spells it; empty for the part itself
    message: str  # what must be, read after the field's path
    cel: str | None  # None where the structural schema says it already, as for unique list keys

    def as_validation(self) -> dict[str, str]:
        """Return the entry of `x-kubernetes-validations`."""
        entry = {"rule": self.cel or ""}
        if self.at and "." not in self.at:
            return {**entry, "message": self.message, "fieldPath": f".{self.at}"}
        return {**entry, "message": f"{self.at} {self.message}".strip()}


PartT = TypeVar("PartT", bound="Part")


def rule(*, at: str, message: str, cel: str | None) -> Callable[[Callable[[PartT], bool]], Rule]:
    """Make a method that says whether a part keeps a rule into that `Rule`."""

    def make(holds: Callable[[PartT], bool]) -> Rule:
        return Rule(holds=holds, at=at, message=message, cel=cel)  # type: ignore[arg-type]  # asked of its own part only

    return make


class Part(BaseModel):
    """A part of the document: frozen, camelCase outside, nothing unknown in it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, ignored_types=(Rule,), allow_inf_nan=False
    )

    @classmethod
    def rules(cls) -> Iterator[Rule]:
        """Return the rules of this part, inherited ones first."""
        for owner in reversed(cls.__mro__):
            yield from (value for value in vars(owner).values() if isinstance(value, Rule))

    @model_validator(mode="after")
    def _keeps_rules(self) -> Self:
        broken = [(rule.at, rule.message) for rule in self.rules() if not rule.holds(self)]
        if broken:
            raise PydanticCustomError(BROKEN_RULES, "breaks {count} rules", {"count": len(broken), "broken": broken})
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the rules to the schema that pydantic makes of the fields, and write defaults as people do."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        validations = [rule.as_validation() for rule in cls.rules() if rule.cel is not None]
        if validations:
            schema["x-kubernetes-validations"] = validations
        defaults = cls.model_construct().model_dump(mode="json", by_alias=True, exclude_none=True, warnings="none")
        for name, field in schema.get("properties", {}).items():
            field.pop("default", None)
            if (default := _without_empties(defaults.get(name))) not in (None, [], {}):
                field["default"] = default
        return schema


def _without_empties(value: object) -> object:
    """Return a part's default without what is empty anyway, but whole else: the API server checks it by the rules."""
    if not isinstance(value, dict):
        return value
    return {name: entry for name, entry in value.items() if entry not in ([], {})}
