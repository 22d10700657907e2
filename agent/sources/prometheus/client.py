"""Blocking questions to one Prometheus server, each within a deadline, each failure a SourceError."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec
import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException

from agent.configuration import PrometheusAddress
from agent.sources.prometheus import failures
from agent.sources.prometheus.credentials import Credentials, Stamp, read_credentials, stamp_files
from agent.sources.prometheus.session import BodyTooLarge, PrometheusSession
from agent.sources.source import SignalState, SourceError

CONNECT_SECONDS = 3.0  # a SYN that is not answered within two retransmissions will not be answered
LEAST_SECONDS = 0.05  # requests takes a timeout of 0 for an error
SERVER_SHARE = 0.9  # of our time
LONGEST_QUERY = 160  # characters of a query that a message repeats


@dataclass(frozen=True, slots=True)
class Answer:
    """A result of the query API, its values still text."""

    subject: str  # what was asked of whom, for messages
    kind: str  # vector, matrix, scalar or string
    result: list[object]
    warnings: tuple[str, ...]  # of data that may be incomplete


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What a server says of itself."""

    version: str
    time: datetime  # of its answer, whole seconds


class PrometheusClient:
    """A connection of one thread. Credentials and certificates are read again when their files change."""

    def __init__(self, name: str, address: PrometheusAddress) -> None:
        self._name = name
        self._address = address
        self._connection: _Connection | None = None

    def instant(self, query: str, at: datetime, *, deadline: float, shown: str | None = None) -> Answer:
        """Evaluate a query at one instant.

        Args:
            query: PromQL.
            at: evaluation time.
            deadline: monotonic seconds.
            shown: what messages call it, where it is not what a person wrote.

        Raises:
            SourceError: there is no whole answer; the state says why.
        """

        def send(connect: PrometheusConnect, timeout: _Timeout) -> list[object]:
            params = {"time": _seconds(at), "timeout": timeout.for_server}
            return connect.custom_query(query, params=params, timeout=timeout.for_socket)  # type: ignore[no-any-return]

        return self._ask(shown or query, send, deadline)

    def matrix(self, query: str, start: datetime, end: datetime, step: timedelta, *, deadline: float) -> Answer:
        """Evaluate a query at every step in [start, end], at most 11,000 steps.

        Raises:
            SourceError: there is no whole answer; the state says why.
        """

        def send(connect: PrometheusConnect, timeout: _Timeout) -> list[object]:
            # the client rounds start and end to whole seconds, which these replace
            params = {"start": _seconds(start), "end": _seconds(end), "timeout": timeout.for_server}
            width = f"{step.total_seconds():g}"
            return connect.custom_query_range(  # type: ignore[no-any-return]
                query, start, end, width, params=params, timeout=timeout.for_socket
            )

        return self._ask(query, send, deadline)

    def identity(self, *, deadline: float) -> ServerIdentity:
        """Ask who the server is and what time it has.

        Raises:
            SourceError: it does not answer, or not as the query API.
        """
        subject = f"source {self._name}: {self._address.url}"
        connection = self._connect()
        connection.session.deadline = deadline
        timeout = _Timeout(deadline - time.monotonic()).for_socket
        try:
            response = connection.session.get(f"{self._address.url}/api/v1/status/buildinfo", timeout=timeout)
            if not response.ok:
                raise self._refusal(connection, subject)
            version = msgspec.json.decode(response.content, type=_BuildInfo).data.version
            return ServerIdentity(version, parsedate_to_datetime(response.headers.get("Date", "")))
        except (OSError, ValueError) as error:
            raise _failure(subject, error) from error

    def close(self) -> None:
        """Release the connection."""
        if self._connection:
            self._connection.session.close()
            self._connection = None

    def _ask(self, query: str, send: Callable[[PrometheusConnect, _Timeout], list[object]], deadline: float) -> Answer:
        shown = " ".join(query.split())
        subject = f"source {self._name}: query {shown[:LONGEST_QUERY]}{'…' * (len(shown) > LONGEST_QUERY)}"
        left = deadline - time.monotonic()
        if left <= 0:
            raise failures.timed_out(subject)
        connection = self._connect()
        connection.session.deadline = deadline
        try:
            result = send(connection.connect, _Timeout(left))
        except PrometheusApiClientException:
            # its text is the whole answer, which may repeat a secret: what it says is told without
            raise self._refusal(connection, subject) from None
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise _failure(subject, error) from error
        return _answer(subject, connection.session, result)

    def _connect(self) -> _Connection:
        stamp = stamp_files(self._address)
        if self._connection is None or self._connection.stamp != stamp:
            self.close()
            credentials = read_credentials(self._name, self._address)
            session = PrometheusSession(self._address, credentials)
            connect = PrometheusConnect(self._address.url, session=session, method="POST")
            session.mount_bounded(self._address.url)
            self._connection = _Connection(stamp, credentials, session, connect)
        return self._connection

    def _refusal(self, connection: _Connection, subject: str) -> SourceError:
        refusal = connection.session.refusal
        if refusal is None:
            return failures.malformed(subject, "the answer could not be read")
        return failures.from_refusal(subject, replace(refusal, reason=connection.credentials.hide(refusal.reason)))


class _Version(msgspec.Struct):
    version: str


class _BuildInfo(msgspec.Struct):
    data: _Version


@dataclass(frozen=True, slots=True)
class _Connection:
    stamp: Stamp
    credentials: Credentials
    session: PrometheusSession
    connect: PrometheusConnect


@dataclass(frozen=True, slots=True)
class _Timeout:
    left: float  # seconds

    @property
    def for_socket(self) -> tuple[float, float]:
        """Connect and read."""
        left = max(self.left, LEAST_SECONDS)
        return min(left, CONNECT_SECONDS), left

    @property
    def for_server(self) -> str:
        """When the server gives up: a little before us, so that it says so itself."""
        return f"{max(self.left, LEAST_SECONDS) * SERVER_SHARE:.3f}"


def _seconds(instant: datetime) -> str:
    return f"{instant.timestamp():.3f}"


def _answer(subject: str, session: PrometheusSession, result: list[object]) -> Answer:
    envelope = session.envelope
    if envelope is None or envelope.data is None or not isinstance(result, list):
        raise failures.malformed(subject, "the answer is not the query API's JSON")
    # annotations about the query itself do not make its data incomplete
    warnings = tuple(text for text in envelope.warnings if not text.startswith("PromQL "))
    return Answer(subject, envelope.data.kind, result, warnings)


def _failure(subject: str, error: Exception) -> SourceError:
    if isinstance(error, BodyTooLarge):
        mend = "the query returns far too many series: wrap it in sum()"
        return SourceError(SignalState.SEVERAL_SERIES, f"{subject}: {error}", mend=mend, is_retriable=False)
    if isinstance(error, ValueError | LookupError | TypeError):
        return failures.malformed(subject, "the answer is not the query API's JSON")
    if isinstance(error, requests.RequestException):
        return failures.from_exception(subject, error)
    # requests tells of a certificate file that it cannot load by a plain OSError
    mend = "check that the files under the source's tls exist, are PEM and belong together"
    return SourceError(SignalState.NOT_CONFIGURED, f"{subject}: TLS: {error}", mend=mend, is_retriable=False)
