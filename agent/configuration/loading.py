"""File, environment and flags to one configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from agent.configuration.limits import GrpcLimits
from agent.configuration.model import (
    BasicAuth,
    Configuration,
    Grpc,
    HeaderValue,
    PrometheusAddress,
    ServerTls,
    SourceAddress,
    Tls,
)
from agent.configuration.overriding import ENVIRONMENT, Given, flag_of, given_fields, overridden
from agent.policy.faults import Fault, InvalidDocument, nearest, written_path
from agent.policy.text import Document, Unreadable, read_documents

DEFAULT_SOURCE = "default"
PROMETHEUS_URL_VARIABLE = "FORETIDE_PROMETHEUS_URL"


class InvalidConfiguration(InvalidDocument):
    """The configuration cannot be used; all faults are listed, one a line. Values are left out: they may be secrets."""


def load_configuration(
    file: Path | None,
    *,
    environment: Mapping[str, str],
    prometheus_url: str | None = None,
    flags: Mapping[str, object] | None = None,
) -> Configuration:
    """Return the configuration from a file, the FORETIDE_ variables, flags and the short way to one Prometheus.

    Args:
        file: YAML or JSON; None for an empty one.
        environment: such as `os.environ`; its entries win over the file's.
        prometheus_url: value of `--prometheus-url`; wins over FORETIDE_PROMETHEUS_URL. Replaces the URL of the source
            named `default` and keeps its other settings, or makes that source.
        flags: values of flags, by the path of their field such as `grpc.insecure`; they win over all. None is no value.

    Raises:
        InvalidConfiguration: the file cannot be read, or a field is unknown or wrong.
    """
    origin = str(file) if file else "configuration"
    given = given_fields(environment, flags or {})
    document = overridden(_read(file) if file else Document({}, {}), given)
    try:
        context = {"directory": file.parent if file else None}
        configuration = Configuration.model_validate(document.value, context=context)
    except ValidationError as error:
        faults = [_fault(details, origin, document, given) for details in error.errors()]
        raise InvalidConfiguration(faults) from None  # pydantic's own error shows the value, a password perhaps
    url = prometheus_url or environment.get(PROMETHEUS_URL_VARIABLE)
    return _with_default_source(configuration, url) if url else configuration


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


def _fault(details: ErrorDetails, origin: str, document: Document, given: Mapping[str, Given]) -> Fault:
    path = tuple(part for part in details["loc"] if part != "[key]")
    field, rule = written_path(path), _rule(details)
    if field in given:
        return Fault(given[field].origin, None, field, None, rule)
    if details["type"] == "missing" and field in ENVIRONMENT.values():
        rule = f"{rule} ({flag_of(field)})"
    suggestion = nearest(str(path[-1]), _field_names()) if details["type"] == "extra_forbidden" else None
    return Fault(origin, document.line_of(path), field, None, rule, suggestion)


def _rule(details: ErrorDetails) -> str:
    match details["type"]:
        case "extra_forbidden":
            return "is no field of the configuration"
        case "missing":
            return "is required"
        case "model_type":
            return "must be a mapping of fields"
        case _:
            return details["msg"].removeprefix("Value error, ").replace("Input should be", "must be")


def _field_names() -> list[str]:
    sections = (
        Configuration,
        Grpc,
        GrpcLimits,
        ServerTls,
        SourceAddress,
        PrometheusAddress,
        BasicAuth,
        Tls,
        HeaderValue,
    )
    return [info.alias or name for section in sections for name, info in section.model_fields.items()]
