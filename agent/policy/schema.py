"""The JSON schema of the document with nothing referred to: what the CRD and the reference page are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from agent.policy.part import Part

Schema = dict[str, object]


def inlined_schema(part: type[Part]) -> Schema:
    """Return a part's schema: `$ref` replaced by what it names, "or null" dropped, defaults as people write them."""
    whole = cast("Schema", part.model_json_schema(by_alias=True))
    definitions = cast("Mapping[str, Schema]", whole.pop("$defs", {}))
    return _inlined(whole, definitions)


def properties(schema: Schema) -> dict[str, Schema]:
    """Return the schemas of an object's fields by name."""
    return cast("dict[str, Schema]", schema.get("properties", {}))


def _inlined(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Words beside a reference (a field's description, default) win over those of what it refers to."""
    schema = dict(schema)
    for choice in cast("list[Schema]", schema.pop("anyOf", [])):
        if choice.get("type") != "null":
            schema = {**choice, **schema}
    if isinstance(name := schema.pop("$ref", None), str):
        schema = {**definitions[name.removeprefix("#/$defs/")], **schema}
    schema.pop("title", None)
    if "properties" in schema:
        schema["properties"] = {name: _inlined(field, definitions) for name, field in properties(schema).items()}
    for inner in ("items", "additionalProperties"):
        if isinstance(below := schema.get(inner), dict):
            schema[inner] = _inlined(below, definitions)
    return schema
