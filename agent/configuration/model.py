"""The fields of the configuration and their rules."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    model_validator,
)

from agent.configuration.limits import GrpcLimits, NamespaceLimits
from agent.configuration.section import Section
from agent.policy.quantities import parse_duration, parse_share
from scalers.keda.identity import AllowedClients


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    # as Prometheus does it: a relative path starts at the folder of the file that names it
    directory = (info.context or {}).get("directory")
    return directory / path if directory else path


def _plain_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must start with http:// or https:// and name a host")
    if "@" in parts.netloc:
        raise ValueError("must hold no user or password: use basicAuth with username and passwordFile")
    if parts.query or parts.fragment:
        raise ValueError("must end before /api/v1 and have no ? or #: put a tenant or key into headers")
    return url.rstrip("/")


def _source_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        raise ValueError("must be 1 to 63 lower case letters, digits and inner dashes")
    return name


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name):
        raise ValueError("must be 1 to 64 letters, digits and dashes")
    if name.lower() == "authorization":
        raise ValueError("must not be given: bearerTokenFile and basicAuth set it")
    return name


def _header_text(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[\t\x20-\x7e]{0,4096}", text):
        raise ValueError("must be one line of ASCII, at most 4,096 characters")
    return text


def _namespace_pattern(pattern: str) -> str:
    if not re.fullmatch(r"[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?", pattern):
        raise ValueError("must be a namespace, or one with * for any characters, such as team-*")
    return pattern


def _some(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if not patterns:
        raise ValueError("must name a namespace: nobody could read it otherwise")
    return patterns


def _label_name(name: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) or name == "__name__":
        raise ValueError("must be a label's name, such as namespace")
    return name


def _matcher_value(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank: an empty value matches what has no such label")
    if re.search(r"[{}]", value.replace("{namespace}", "")):
        raise ValueError("must have no braces but those of {namespace}")
    return value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Share = Annotated[float, BeforeValidator(parse_share), Field(ge=0, le=1)]
FilePath = Annotated[Path, AfterValidator(_beside_the_file)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
Namespace = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
NamespacePattern = Annotated[str, AfterValidator(_namespace_pattern)]
LabelName = Annotated[str, AfterValidator(_label_name)]
MatcherValue = Annotated[str, AfterValidator(_matcher_value)]
Subdomain = Annotated[str, Field(pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$", max_length=253)]
SourceName = Annotated[str, AfterValidator(_source_name)]


class BasicAuth(Section):
    """User name and password."""

    username: str = Field(description="User name")
    password_file: FilePath = Field(description="File that holds the password")


class Tls(Section):
    """How to check the server and how to be known to it."""

    ca_file: FilePath | None = Field(None, description="PEM file of the authorities to trust; the system's otherwise")
    cert_file: FilePath | None = Field(None, description="PEM file of the client certificate (mTLS)")
    key_file: FilePath | None = Field(None, description="PEM file of the client key (mTLS)")
    server_name: str | None = Field(None, description="Name the certificate must carry, where the URL has another")
    insecure_skip_verify: bool = Field(False, description="Accept any certificate; `doctor` warns")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("must have both certFile and keyFile, or none")
        return self


class HeaderValue(Section):
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
            raise ValueError("must be either text or file")
        return self


class PrometheusAddress(Section):
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
            raise ValueError("must not have both bearerTokenFile and basicAuth")
        return self


class SourceAddress(Section):
    """One named source: exactly one kind, and who may read what of it."""

    prometheus: PrometheusAddress = Field(description="A Prometheus-like server")
    namespaces: Annotated[tuple[NamespacePattern, ...], AfterValidator(_some)] | None = Field(
        None,
        description="Namespaces whose policies may read it, `*` for any characters, such as `team-a` or `team-a-*`; "
        "all where not set",
    )
    require_matcher: dict[LabelName, MatcherValue] = Field(
        default_factory=dict,
        description="Label and value that every selector of every query must have as a matcher, such as "
        '`namespace: "{namespace}"`; `{namespace}` is the policy\'s. Other queries are refused, and not asked',
    )


def _address(text: str) -> str:
    if not re.fullmatch(r".+:\d{1,5}", text):
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:8080")
    return text


Address = Annotated[str, AfterValidator(_address)]


def _client_names(names: tuple[str, ...]) -> tuple[str, ...]:
    AllowedClients.parse(names)
    return names


class ServerTls(Section):
    """What the gRPC server shows and asks for; the files are read again when they change."""

    cert_file: FilePath = Field(description="PEM file of the server's certificate, with what leads to its authority")
    key_file: FilePath = Field(description="PEM file of its key")
    client_ca_file: FilePath | None = Field(
        None, description="PEM file of the authorities of clients; each client must then show a certificate (mTLS)"
    )
    allowed_client_sans: Annotated[tuple[str, ...], AfterValidator(_client_names)] = Field(
        (),
        description="DNS names and URIs (SPIFFE ids): a client must show one in its certificate; all may ask, if empty",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.allowed_client_sans and self.client_ca_file is None:
            raise ValueError("must have clientCaFile with allowedClientSans: no client shows a certificate without it")
        return self


class Grpc(Section):
    """The port that KEDA asks: how safe it is, and what it takes."""

    tls: ServerTls | None = Field(None, description="TLS; without it the port is plaintext, on a loopback address only")
    insecure: bool = Field(
        False, description="Plaintext on other addresses too, where a mesh or a NetworkPolicy guards the port"
    )
    limits: GrpcLimits = Field(default_factory=GrpcLimits, description="The most that it takes")
    access_log: Share = Field(
        0.001,
        description="Share of the answered calls that is logged, drawn at random. KEDA asks 300 times a second for "
        "1,000 ScaledObjects: a line every 3 s or so",
    )
    access_log_refusals: Annotated[int, Field(ge=0, le=6000)] = Field(
        12, description="Refused calls that are logged a minute, at most; the next line says how many were left out"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.tls is not None and self.insecure:
            raise ValueError("must not have both tls and insecure")
        return self


class Fits(Section):
    """Where models are fitted."""

    processes: Annotated[int, Field(ge=1, le=64)] = Field(
        1,
        description="Processes that fit at once, niced, each of up to one core and 150 MiB, which count against the "
        "container's limits. A policy's first fits over two weeks take some 4 s of a core: one process has those of "
        "1,000 new ones after an hour or two, and who waits for them is answered by the raw need",
    )


class Configuration(Section):
    """What `foretide run --config FILE` reads. A flag wins over the environment, the environment over the file."""

    sources: dict[SourceName, SourceAddress] = Field(
        default_factory=dict,
        description="Sources by the name that policies use; `default` is meant where they give none",
    )
    policies: FilePath | None = Field(
        None, description="File or folder of ForecastPolicy documents; without one those of the cluster are acted on"
    )
    namespaces: tuple[Namespace, ...] = Field(
        (), description="Namespaces of the cluster whose policies are acted on; all where none is named"
    )
    namespace_limits: NamespaceLimits = Field(
        default_factory=NamespaceLimits, description="The most that each namespace gets"
    )
    lease: Subdomain | None = Field(
        None,
        description="Name of the Lease whose holder decides and writes, where several agents are at work; the others "
        "answer as it does",
    )
    data_dir: FilePath | None = Field(None, description="Folder for history and decisions; in memory without one")
    fits: Fits = Field(default_factory=Fits, description="Where models are fitted")
    grpc_address: Address | None = Field(None, description="Where KEDA asks, `host:port`")
    grpc: Grpc = Field(default_factory=Grpc, description="How safe that port is, and what it takes")
    http_address: Address | None = Field(None, description="Where page, API and metrics are, `host:port`")
    log_level: Literal["debug", "info", "warning", "error"] | None = Field(
        None, description="Least level that is logged"
    )
    log_format: Literal["auto", "json", "console"] | None = Field(None, description="`auto`: console on a terminal")
    reactive_only: bool = Field(False, description="Kill switch: every answer is the raw need")
