"""The reference page of the policy document, made from the models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

from agent.policy import quantities
from agent.policy.document import API_VERSION, KIND, ForecastPolicy
from agent.policy.fields import FILES_ONLY, LABEL_PATTERN, RESERVED, SUBDOMAIN_PATTERN
from agent.policy.schema import Schema, inlined_schema, properties

_TYPES_BY_PATTERN: Final = {
    quantities.DURATION_PATTERN: "duration",
    quantities.SHARE_PATTERN: "share",
    quantities.QUANTITY_PATTERN: "quantity",
    quantities.POSITIVE_PATTERN: "quantity",
    LABEL_PATTERN: "DNS label",
    SUBDOMAIN_PATTERN: "DNS name",
}
_TYPES: Final = {"string": "text", "integer": "whole number", "object": "mapping", "array": "list"}
_HEAD: Final = f"""# {KIND} reference

Made by `foretide render policy-reference` from the models that validate the document; not edited by hand.

A document is a custom resource in a cluster and a file for `foretide run --policies`; both have
`apiVersion: {API_VERSION}` and `kind: {KIND}`. A file with a wrong or unknown field is refused with its path and rule.

- **duration**: as Prometheus writes it: `90s`, `1h30m`, `14d`; units `y w d h m s ms`, each once at most, in this
  order.
- **share**: a number with a percent sign: `1%`, `0.05%`.
- **quantity**: a number, or as Kubernetes writes it: `12`, `0.5`, `250m`, `2k`. The API server takes whole numbers and
  text only, so a fraction is quoted there: `"0.5"`.
- **instant**: with its time zone: `2026-01-31T18:00:00Z`.
- *reserved*: accepted and checked, but not acted on by this version; the policy's condition names it.
- *files only*: not part of the custom resource.

| path | type | default | rule | meaning |
|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class _Row:
    path: str
    schema: Schema
    is_required: bool

    def __str__(self) -> str:
        cells = (f"`{self.path}`", self._type(), self._default(), self._rule(), self._meaning())
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"

    def _type(self) -> str:
        if "enum" in self.schema or "const" in self.schema:
            return "one of"
        if self.schema.get("format") == "date-time":
            return "instant"
        pattern = str(self.schema.get("pattern"))
        return _TYPES_BY_PATTERN.get(pattern) or _TYPES[str(self.schema["type"])]

    def _default(self) -> str:
        if self.is_required:
            return "required"
        default = self.schema.get("default")
        if default is None or isinstance(default, dict):
            return ""
        written = default if not isinstance(default, list) else f"[{', '.join(map(str, default))}]"
        return f"`{written}`"

    def _rule(self) -> str:
        choices = cast("list[str]", self.schema.get("enum") or [self.schema.get("const", "")])
        said = [", ".join(f"`{choice}`" for choice in choices if choice)]
        if "maximum" in self.schema:
            said.append(f"{self.schema['minimum']} to {self.schema['maximum']}")
        if "maxItems" in self.schema:
            said.append(f"{self.schema.get('minItems', 0)} to {self.schema['maxItems']} entries")
        if "x-kubernetes-list-map-keys" in self.schema:
            said.append("names are unique")
        for validation in cast("list[dict[str, str]]", self.schema.get("x-kubernetes-validations", [])):
            field = validation.get("fieldPath", "").removeprefix(".")
            said.append(f"{field} {validation['message']}".strip())
        return "; ".join(filter(None, said))

    def _meaning(self) -> str:
        marks = [
            name for word, name in ((RESERVED, "*Reserved.*"), (FILES_ONLY, "*Files only.*")) if word in self.schema
        ]
        return " ".join([str(self.schema.get("description", "")), *marks])


def policy_reference() -> str:
    """Return the page as Markdown."""
    return _HEAD + "".join(f"{row}\n" for row in _rows(inlined_schema(ForecastPolicy), ""))


def _rows(schema: Schema, path: str) -> Iterator[_Row]:
    required = cast("list[str]", schema.get("required", []))
    for name, field in properties(schema).items():
        where = f"{path}.{name}".removeprefix(".")
        yield _Row(where, field, is_required=name in required)
        yield from _rows(field, where)
        if isinstance(entry := field.get("items"), dict):
            yield from _rows(cast("Schema", entry), f"{where}[]")
