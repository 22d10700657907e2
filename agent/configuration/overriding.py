"""Fields that flags and variables set over those of the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.policy.text import Document

# variables that stand for a field of the file, by its path; FORETIDE_PROMETHEUS_URL stands for a whole source
ENVIRONMENT = {
    "FORETIDE_POLICIES": "policies",
    "FORETIDE_NAMESPACES": "namespaces",
    "FORETIDE_LEASE": "lease",
    "FORETIDE_DATA_DIR": "dataDir",
    "FORETIDE_GRPC_ADDRESS": "grpcAddress",
    "FORETIDE_GRPC_CERT_FILE": "grpc.tls.certFile",
    "FORETIDE_GRPC_KEY_FILE": "grpc.tls.keyFile",
    "FORETIDE_GRPC_CLIENT_CA_FILE": "grpc.tls.clientCaFile",
    "FORETIDE_GRPC_ALLOWED_CLIENT_SANS": "grpc.tls.allowedClientSans",
    "FORETIDE_GRPC_INSECURE": "grpc.insecure",
    "FORETIDE_HTTP_ADDRESS": "httpAddress",
    "FORETIDE_LOG_LEVEL": "logLevel",
    "FORETIDE_LOG_FORMAT": "logFormat",
    "FORETIDE_REACTIVE_ONLY": "reactiveOnly",
}
_PATHS = {"policies", "dataDir", "grpc.tls.certFile", "grpc.tls.keyFile", "grpc.tls.clientCaFile"}
_LISTS = {"namespaces", "grpc.tls.allowedClientSans"}  # with commas


@dataclass(frozen=True, slots=True)
class Given:
    """A field's value from elsewhere than the file."""

    value: object
    origin: str  # the flag or variable, for messages


def given_fields(environment: Mapping[str, str], flags: Mapping[str, object]) -> dict[str, Given]:
    """Return what is set by variables and, above them, by flags.

    Args:
        environment: such as `os.environ`.
        flags: by the path of the field; None where a flag is not there.
    """
    given = {
        field: Given(_meant(field, environment[variable]), variable)
        for variable, field in ENVIRONMENT.items()
        if variable in environment
    }
    for field, value in flags.items():
        if value is not None:
            given[field] = Given(_meant(field, value), flag_of(field))
    return given


def overridden(document: Document, given: Mapping[str, Given]) -> Document:
    """Return a document with fields set; what is set has no line of the file any more."""
    value = document.value if isinstance(document.value, dict) else {}
    for field, each in given.items():
        value = _with(value, field.split("."), each.value)
    lines = {path: line for path, line in document.lines.items() if ".".join(map(str, path)) not in given}
    return Document(value, lines)


def flag_of(field: str) -> str:
    """Return the flag that sets a field; flags are spelled as the variables are."""
    variable = next(variable for variable, each in ENVIRONMENT.items() if each == field)
    return "--" + variable.removeprefix("FORETIDE_").lower().replace("_", "-")


def _with(section: Mapping[str, object], path: list[str], value: object) -> dict[str, object]:
    name, *rest = path
    if not rest:
        return {**section, name: value}
    inner = section.get(name, {})
    if not isinstance(inner, dict):
        return dict(section)  # wrong in the file, which is told from there
    return {**section, name: _with(inner, rest, value)}


def _meant(field: str, value: object) -> object:
    if field in _LISTS and isinstance(value, str):
        return [name.strip() for name in value.split(",")]
    # where the command was called, not where the file is
    return str(Path(value).absolute()) if field in _PATHS and isinstance(value, str) else value
