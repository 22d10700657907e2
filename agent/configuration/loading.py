"""File, environment and flags to one configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from agent.configuration.model import (
    BasicAuth,
    Configuration,
    HeaderValue,
    PrometheusAddress,
    SourceAddress,
    Tls,
)
from agent.policy.faults import Fault, InvalidDocument, nearest, written_path
from agent.policy.text import Document, Unreadable, read_documents

DEFAULT_SOURCE = "default"
# environment variables that stand for a field of the file; FORETIDE_PROMETHEUS_URL stands for a whole source
ENVIRONMENT = {
    "FORETIDE_POLICIES": "policies",
    "FORETIDE_DATA_DIR": "dataDir",
    "FORETIDE_GRPC_ADDRESS": "grpcAddress",
    "FORETIDE_HTTP_ADDRESS": "httpAddress",
    "FORETIDE_LOG_LEVEL": "logLevel",
    "FORETIDE_LOG_FORMAT": "logFormat",
    "FORETIDE_REACTIVE_ONLY": "reactiveOnly",
}
PATHS = {"policies", "dataDir"}
PROMETHEUS_URL_VARIABLE = "FORETIDE_PROMETHEUS_URL"


class InvalidConfiguration(InvalidDocument):
    """The configuration cannot be used; all faults are listed, one a line. Values are left out: they may be secrets."""


def load_configuration(
    file: Path | None, *, environment: Mapping[str, str], prometheus_url: str | None = None
) -> Configuration:
    """Return the configuration from a file, the FORETIDE_ variables and the short way to one Prometheus.

    Args:
        file: YAML or JSON; None for an empty one.
        environment: such as `os.environ`; its entries win over the file's.
        prometheus_url: value of `--prometheus-url`; wins over FORETIDE_PROMETHEUS_URL. Replaces the URL of the source
            named `default` and keeps its other settings, or makes that source.

    Raises:
        InvalidConfiguration: the file cannot be read, or a field is unknown or wrong.
    """
    origin = str(file) if file else "configuration"
    document = _with_environment(_read(file) if file else Document({}, {}), environment)
    try:
        context = {"directory": file.parent if file else None}
        configuration = Configuration.model_validate(document.value, context=context)
    except ValidationError as error:
        faults = [_fault(details, origin, document) for details in error.errors()]
        raise InvalidConfiguration(faults) from None  # pydantic's own error shows the value, a password perhaps
    url = prometheus_url or environment.get(PROMETHEUS_URL_VARIABLE)
    return _with_default_source(configuration, url) if url else configuration


def _with_environment(document: Document, environment: Mapping[str, str]) -> Document:
    given = {field: environment[variable] for variable, field in ENVIRONMENT.items() if variable in environment}
    for field in given.keys() & PATHS:
        given[field] = str(Path(given[field]).absolute())  # where the command was called, not where the file is
    fields = document.value if isinstance(document.value, dict) else {}
    lines = {path: line for path, line in document.lines.items() if not given.keys() & {*path[:1]}}
    return Document({**fields, **given}, lines)


def _with_default_source(configuration: Configuration, url: str) -> Configuration:
    sources = dict(configuration.sources)
    kept = sources[DEFAULT_SOURCE].prometheus.model_dump(by_alias=True) if DEFAULT_SOURCE in sources else {}
    try:
        address = PrometheusAddress.model_validate({**kept, "url": url})
    except ValidationError as error:
        origin = f"--prometheus-url or {PROMETHEUS_URL_VARIABLE}"
        faults = [Fault(origin, None, "", None, _rule(details)) for details in error.errors()]
        raise InvalidConfiguration(faults) from None  # pydantic's own error shows the value, a password perhaps
    sources[DEFAULT_SOURCE] = SourceAddress(prometheus=address)
    return configuration.model_copy(update={"sources": sources})


def _read(file: Path) -> Document:
    try:
        documents = read_documents(file.read_text("utf-8-sig"))
    except OSError as error:
        raise _unreadable(file, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _unreadable(file, "must be UTF-8 text") from error
    except Unreadable as error:
        raise InvalidConfiguration([error.fault(str(file))]) from error
    if not documents:
        return Document({}, {})
    if len(documents) > 1 or not isinstance(documents[0].value, dict):
        raise _unreadable(file, "must be one mapping of fields, such as `sources:`")
    return documents[0]


def _unreadable(file: Path, rule: str) -> InvalidConfiguration:
    return InvalidConfiguration([Fault(str(file), None, "", None, rule)])


def _fault(details: ErrorDetails, origin: str, document: Document) -> Fault:
    path = tuple(part for part in details["loc"] if part != "[key]")
    variable = next((name for name, field in ENVIRONMENT.items() if path == (field,)), None)
    line = document.line_of(path)
    suggestion = nearest(str(path[-1]), _field_names()) if details["type"] == "extra_forbidden" else None
    if variable and path not in document.lines:
        return Fault(variable, None, written_path(path), None, _rule(details))
    return Fault(origin, line, written_path(path), None, _rule(details), suggestion)


def _rule(details: ErrorDetails) -> str:
    match details["type"]:
        case "extra_forbidden":
            return "is no field of the configuration"
        case "missing":
            return "is required"
        case _:
            return details["msg"].removeprefix("Value error, ").replace("Input should be", "must be")


def _field_names() -> list[str]:
    sections = (Configuration, SourceAddress, PrometheusAddress, BasicAuth, Tls, HeaderValue)
    return [info.alias or name for section in sections for name, info in section.model_fields.items()]
