"""A JSON schema to the structural schema that a CustomResourceDefinition may hold.

The rules are those of Kubernetes' "specifying a structural schema": no references, no `additionalProperties: false`
(unknown fields are pruned instead), no null types, no alternatives of types but int-or-string.
"""

from __future__ import annotations

from typing import Final, cast

from agent.policy.fields import FILES_ONLY, RESERVED
from agent.policy.schema import Schema, properties

_ORDER: Final = (
    "description",
    "type",
    "format",
    "x-kubernetes-int-or-string",
    "enum",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "maxProperties",
    "required",
    "properties",
    "items",
    "additionalProperties",
    "x-kubernetes-validations",
)


class NotStructural(ValueError):
    """A model uses a word that the structural schema has no place for; the message names path and word."""


def structural(schema: Schema, *, path: str = "") -> Schema:
    """Return the structural form of an inlined schema, its words in a fixed order.

    Raises:
        NotStructural: it holds a word that this page does not know how to say.
    """
    words = _reworded(schema)
    fields = {name: field for name, field in properties(words).items() if not field.get(FILES_ONLY)}
    if fields:
        words["properties"] = {name: structural(field, path=f"{path}.{name}") for name, field in fields.items()}
    else:
        words.pop("properties", None)
    for inner in ("items", "additionalProperties"):
        if isinstance(below := words.get(inner), dict):
            words[inner] = structural(cast("Schema", below), path=f"{path}[]")
    unknown = words.keys() - set(_ORDER)
    if unknown:
        raise NotStructural(f"{path or 'the schema'} has {', '.join(sorted(unknown))}: teach agent.policy.crd about it")
    return {word: words[word] for word in _ORDER if word in words}


def _reworded(schema: Schema) -> Schema:
    words = {word: value for word, value in schema.items() if word not in (FILES_ONLY, RESERVED)}
    if schema.get(RESERVED):
        words["description"] = (
            f"{words.get('description', '')} Reserved: accepted, not acted on by this version.".strip()
        )
    if "const" in words:
        words["enum"] = [words.pop("const")]
    if isinstance(choices := words.get("enum"), list):
        words["maxLength"] = max(map(len, choices))
    if not isinstance(words.get("additionalProperties"), dict) or not words["additionalProperties"]:
        words.pop("additionalProperties", None)
    # Keys of maps cannot be constrained, so the constraint on keys goes and its values' schema stays.
    words.pop("propertyNames", None)
    if isinstance(by_pattern := words.pop("patternProperties", None), dict):
        words["additionalProperties"] = next(iter(by_pattern.values()))
    return words
