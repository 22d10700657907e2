"""The API server's checks of a custom resource: defaults, pruning, schema, list keys and CEL rules of the CRD."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from functools import cache
from typing import Any

import cel
from jsonschema import Draft7Validator


class FakeApiServer:
    """Says about a document what an API server with this CRD says.

    The extensions of CEL that the CRD uses (`find`, `replace`) are written here, after Kubernetes' regex library.
    """

    def __init__(self, definition: dict[str, Any]) -> None:
        (version,) = definition["spec"]["versions"]
        self._spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]

    def fill_in(self, document: dict[str, Any]) -> None:
        """Default and prune a document's spec in place."""
        _default_and_prune(document["spec"], self._spec)

    def refusals(self, document: dict[str, Any]) -> list[str]:
        """Return what is wrong with a document's spec; empty where it is taken."""
        spec = deepcopy(document["spec"])
        _default_and_prune(spec, self._spec)
        wrong = [error.message for error in Draft7Validator(_json_schema(self._spec)).iter_errors(spec)]
        return wrong or list(broken(spec, self._spec, "spec"))


def _default_and_prune(value: Any, schema: dict[str, Any]) -> None:
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    if isinstance(value, list):
        for entry in value:
            _default_and_prune(entry, schema["items"])
    if not isinstance(value, dict) or "properties" not in schema:
        return
    for name in value.keys() - schema["properties"].keys():
        del value[name]
    for name, field in schema["properties"].items():
        if name not in value and "default" in field:
            value[name] = deepcopy(field["default"])
        if name in value:
            _default_and_prune(value[name], field)


def _json_schema(schema: Any) -> Any:
    """Return the schema with int-or-string said as JSON schema says it."""
    if isinstance(schema, list):
        return [_json_schema(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    said = {name: _json_schema(entry) for name, entry in schema.items()}
    return {**said, "type": ["integer", "string"]} if schema.get("x-kubernetes-int-or-string") is True else said


def broken(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    """Return the rules and list keys that a value breaks, itself and below."""
    for rule in schema.get("x-kubernetes-validations", []):
        if not _holds(rule["rule"], _typed(value, schema)):
            yield f"{path}: {rule['message']}"
    for keys in schema.get("x-kubernetes-list-map-keys", []):
        names = [entry[keys] for entry in value]
        if len(names) != len(set(names)):
            yield f"{path}: duplicate {keys}"
    for where, entry, below in _parts(value, schema):
        yield from broken(entry, below, f"{path}{where}")


def _parts(value: Any, schema: dict[str, Any]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    if isinstance(value, list):
        yield from ((f"[{index}]", entry, schema["items"]) for index, entry in enumerate(value))
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        yield from ((f".{name}", value[name], field) for name, field in fields.items() if name in value)
        if isinstance(entries := schema.get("additionalProperties"), dict):
            yield from ((f"[{name}]", entry, entries) for name, entry in value.items())


def _typed(value: Any, schema: dict[str, Any]) -> Any:
    if schema.get("format") == "date-time":
        return datetime.fromisoformat(value)
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        return {name: _typed(entry, fields.get(name, {})) for name, entry in value.items()}
    if isinstance(value, list):
        return [_typed(entry, schema.get("items", {})) for entry in value]
    return value


def _holds(rule: str, value: Any) -> bool:
    context = cel.Context()
    context.add_variable("self", value)
    context.add_function("find", _find)
    context.add_function("replace", str.replace)
    context.add_function("getMilliseconds", lambda span: round(span.total_seconds() * 1000))
    return _compiled(rule).execute(context) is True


@cache
def _compiled(rule: str) -> Any:
    return cel.compile(rule)


def _find(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    return match.group(0) if match else ""
