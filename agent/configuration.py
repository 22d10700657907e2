"""The agent's own configuration: where the sources are, how to log in to them, where to listen and to keep things.

Policies name a source of this file and never carry an address or a credential themselves. Secrets stand in files that
this one points to, so that it can be shown to anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from agent.policy.quantities import parse_duration

DEFAULT_SOURCE = "default"
LARGEST_FILE_BYTES = 1 << 20
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
PROMETHEUS_URL_VARIABLE = "FORETIDE_PROMETHEUS_URL"


@dataclass(frozen=True, slots=True)
class ConfigurationFault:
    """One thing that is wrong: where it stands and the rule. The value given is left out: it may be a secret."""

    file: str  # a path, or the name of the flag or variable
    path: str  # such as `sources.default.prometheus.url`; empty for the whole file
    rule: str

    def __str__(self) -> str:
        return f"{self.file}: {self.path}: {self.rule}" if self.path else f"{self.file}: {self.rule}"


class InvalidConfiguration(ValueError):
    """The configuration cannot be used; all faults are listed, one a line."""

    def __init__(self, faults: Sequence[ConfigurationFault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    # as Prometheus does it: a relative path starts at the folder of the file that names it
    directory = (info.context or {}).get("directory")
    return directory / path if directory else path


def _plain_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("a URL starts with http:// or https:// and names a host")
    if "@" in parts.netloc:
        raise ValueError("a URL holds no user or password: use basicAuth with username and passwordFile")
    if parts.query or parts.fragment:
        raise ValueError("a URL ends before /api/v1 and has no ? or #: put a tenant or key into headers")
    return url.rstrip("/")


def _source_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        raise ValueError("a source's name is 1 to 63 lower case letters, digits and inner dashes")
    return name


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name):
        raise ValueError("a header's name is 1 to 64 letters, digits and dashes")
    if name.lower() == "authorization":
        raise ValueError("Authorization is set by bearerTokenFile or basicAuth, not by headers")
    return name


def _header_text(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[\t\x20-\x7e]{0,4096}", text):
        raise ValueError("a header's value is one line of ASCII, at most 4,096 characters")
    return text


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
FilePath = Annotated[Path, AfterValidator(_beside_the_file)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
SourceName = Annotated[str, AfterValidator(_source_name)]


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, hide_input_in_errors=True
    )


class BasicAuth(_Section):
    """User name and password."""

    username: str = Field(description="User name")
    password_file: FilePath = Field(description="File that holds the password")


class Tls(_Section):
    """How to check the server and how to be known to it."""

    ca_file: FilePath | None = Field(None, description="PEM file of the authorities to trust; the system's otherwise")
    cert_file: FilePath | None = Field(None, description="PEM file of the client certificate (mTLS)")
    key_file: FilePath | None = Field(None, description="PEM file of the client key (mTLS)")
    server_name: str | None = Field(None, description="Name the certificate must carry, where the URL has another")
    insecure_skip_verify: bool = Field(False, description="Accept any certificate; `doctor` warns")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("certFile and keyFile belong together: give both or none")
        return self


class HeaderValue(_Section):
    """A header's value: written as plain text, or `file` for a secret."""

    text: Annotated[str | None, AfterValidator(_header_text)] = Field(None, repr=False, description="The value itself")
    file: FilePath | None = Field(None, description="File that holds the value")

    @model_validator(mode="before")
    @classmethod
    def _plain_text(cls, given: object) -> object:
        return {"text": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.text is None) == (self.file is None):
            raise ValueError("a header's value is either text or file")
        return self


class PrometheusAddress(_Section):
    """A server that speaks Prometheus's query API: Prometheus, Thanos, Mimir, VictoriaMetrics."""

    url: Annotated[str, AfterValidator(_plain_url)] = Field(description="Address up to, not with, `/api/v1`")
    timeout: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(minutes=2))] = Field(
        timedelta(seconds=10), description="Longest wait for one reading, its retries within, 100ms to 2m"
    )
    bearer_token_file: FilePath | None = Field(None, description="File that holds a bearer token")
    basic_auth: BasicAuth | None = Field(None, description="User name and password instead of a token")
    tls: Tls = Field(default_factory=Tls, description="Certificates")
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description="Headers of every request, such as `X-Scope-OrgID`: text, or `file`"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.bearer_token_file and self.basic_auth:
            raise ValueError("bearerTokenFile and basicAuth exclude each other")
        return self


class SourceAddress(_Section):
    """One named source: exactly one kind."""

    prometheus: PrometheusAddress = Field(description="A Prometheus-like server")


class Configuration(_Section):
    """What `foretide run --config FILE` reads. A flag wins over the environment, the environment over the file."""

    sources: dict[SourceName, SourceAddress] = Field(
        default_factory=dict,
        description="Sources by the name that policies use; `default` is meant where they give none",
    )
    policies: FilePath | None = Field(None, description="File or folder of ForecastPolicy documents")
    data_dir: FilePath | None = Field(None, description="Folder for history and decisions; in memory without one")
    grpc_address: str | None = Field(None, description="Where KEDA asks, `host:port`")
    http_address: str | None = Field(None, description="Where page, API and metrics are, `host:port`")
    log_level: Literal["debug", "info", "warning", "error"] | None = Field(
        None, description="Least level that is logged"
    )
    log_format: Literal["auto", "json", "console"] | None = Field(None, description="`auto`: console on a terminal")
    reactive_only: bool = Field(False, description="Kill switch: every answer is the raw need")


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
    document = _read(file) if file else {}
    for variable, field in ENVIRONMENT.items():
        if variable in environment:
            document[field] = environment[variable]
    configuration = _validated(document, origin=origin, directory=file.parent if file else None)
    url = prometheus_url or environment.get(PROMETHEUS_URL_VARIABLE)
    return _with_default_source(configuration, url) if url else configuration


def nearest(name: str, known: Sequence[str]) -> str:
    """Return ` (did you mean NAME?)` for a misspelled name, or nothing."""
    close = get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _with_default_source(configuration: Configuration, url: str) -> Configuration:
    sources = dict(configuration.sources)
    kept = sources[DEFAULT_SOURCE].prometheus.model_dump(by_alias=True) if DEFAULT_SOURCE in sources else {}
    try:
        address = PrometheusAddress.model_validate({**kept, "url": url})
    except ValidationError as error:
        faults = [ConfigurationFault("--prometheus-url", "", _rule(fault, "")) for fault in error.errors()]
        raise InvalidConfiguration(faults) from None  # pydantic's own error shows the value, a password perhaps
    sources[DEFAULT_SOURCE] = SourceAddress(prometheus=address)
    return configuration.model_copy(update={"sources": sources})


def _read(file: Path) -> dict[str, object]:
    try:
        if file.stat().st_size > LARGEST_FILE_BYTES:
            raise InvalidConfiguration([ConfigurationFault(str(file), "", "a configuration is at most 1 MiB")])
        document = yaml.safe_load(file.read_text("utf-8"))
    except OSError as error:
        rule = f"cannot be read: {error.strerror}"
        raise InvalidConfiguration([ConfigurationFault(str(file), "", rule)]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        rule = f"is not YAML: {' '.join(str(error).split())}"
        raise InvalidConfiguration([ConfigurationFault(str(file), "", rule)]) from error
    if not isinstance(document, dict):
        rule = "a configuration is a mapping of fields, such as `sources:`"
        raise InvalidConfiguration([ConfigurationFault(str(file), "", rule)])
    return document


def _validated(document: dict[str, object], *, origin: str, directory: Path | None) -> Configuration:
    try:
        return Configuration.model_validate(document, context={"directory": directory})
    except ValidationError as error:
        faults = [_fault(details, origin) for details in error.errors(include_url=False, include_context=True)]
        raise InvalidConfiguration(faults) from None  # pydantic's own error shows the value, a password perhaps


def _fault(details: ErrorDetails, origin: str) -> ConfigurationFault:
    path = ".".join(str(part) for part in details["loc"] if part != "[key]")
    variable = next((name for name, field in ENVIRONMENT.items() if field == path), None)
    field = str(details["loc"][-1]) if details["loc"] else ""
    return ConfigurationFault(f"{origin} or {variable}" if variable else origin, path, _rule(details, field))


def _rule(details: ErrorDetails, field: str) -> str:
    if details["type"] == "extra_forbidden":
        return f"there is no such field{nearest(field, _field_names())}"
    if details["type"] == "missing":
        return "this field is required"
    message = details["msg"].removeprefix("Value error, ")
    return message[0].lower() + message[1:]


def _field_names() -> list[str]:
    sections = (Configuration, SourceAddress, PrometheusAddress, BasicAuth, Tls, HeaderValue)
    return [info.alias or name for section in sections for name, info in section.model_fields.items()]
