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
        self._properties = version["schema"]["openAPIV3Schema"]["properties"]

    def fill_in(self, document: dict[str, Any]) -> None:
        """Default and prune a document's spec, and its status where it has one, in place."""
        for part in self._parts_of(document):
            _default_and_prune(document[part], self._properties[part])

    def refusals(self, document: dict[str, Any]) -> list[str]:
        """Return what is wrong with a document's spec and status; empty where it is taken."""
        filled = deepcopy(document)
        self.fill_in(filled)
        return [fault for part in self._parts_of(document) for fault in _faults(filled, part, self._properties[part])]

    def _parts_of(self, document: dict[str, Any]) -> list[str]:
        return [part for part in ("spec", "status") if part in document]


def _faults(document: dict[str, Any], part: str, schema: dict[str, Any]) -> list[str]:
    wrong = [error.message for error in Draft7Validator(_json_schema(schema)).iter_errors(document[part])]
    return wrong or list(broken(document[part], schema, part))


def _default_and_prune(value: Any, schema: dict[str, Any]) -> None:
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
