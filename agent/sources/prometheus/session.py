"""The HTTP session that the Prometheus client is given: what requests does not do of itself, and the client drops.

Queries are posted as a form (the client would put them into the URL, which proxies cut at 8 KiB), redirects are not
followed (they would carry tenant headers elsewhere), a body is bounded in size and time, and the parts of an answer
that the client throws away (warnings, errors, the result's type) are kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from agent.configuration import PrometheusAddress
from agent.sources.prometheus.credentials import Credentials
from agent.sources.prometheus.failures import Refusal

LARGEST_BODY_BYTES = 32 << 20  # a chunk of one series is under 1 MiB; a query over 100,000 series is a mistake


class BodyTooLarge(requests.RequestException):
    """An answer was larger than any sane one."""


class Result(msgspec.Struct):
    """The `data` of an answer; the client parses the result itself."""

    kind: str = msgspec.field(name="resultType")  # vector, matrix, scalar or string
    body: msgspec.Raw = msgspec.field(name="result")


class Envelope(msgspec.Struct):
    """An answer of the query API without its values."""

    status: str
    data: Result | None = None
    error_kind: str = msgspec.field(name="errorType", default="")
    error: str = ""
    warnings: tuple[str, ...] = ()


class PrometheusSession(requests.Session):
    """One connection of one thread to one server. Not to be shared: it keeps what the last answer said.

    Attributes:
        envelope: the last answer but for its values; None where it was none of the query API's.
        refusal: the last answer where it was not 200.
        deadline: monotonic seconds after which a body is no longer read.
    """

    def __init__(self, address: PrometheusAddress, credentials: Credentials) -> None:
        super().__init__()
        self.envelope: Envelope | None = None
        self.refusal: Refusal | None = None
        self.deadline = 0.0
        self._from_environment: Any = None  # what it says of this server
        self.auth = _Authorization(credentials.authorization)
        self.headers.update({"User-Agent": "foretide", **credentials.headers})
        tls = address.tls
        self.verify = not tls.insecure_skip_verify and (str(tls.ca_file) if tls.ca_file else True)
        self.cert = (str(tls.cert_file), str(tls.key_file)) if tls.cert_file and tls.key_file else None
        self.hooks["response"] = [self._note]
        self._server_name = tls.server_name
        if tls.insecure_skip_verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # asked for, and `doctor` warns

    def mount_bounded(self, url: str) -> None:
        """Read from a URL through the bounded adapter, in place of one that the client has mounted."""
        self.mount(url, _BoundedAdapter(self, self._server_name))

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request; the parameters of a POST go into its body."""
        self.envelope, self.refusal = None, None
        if method == "POST":
            kwargs["data"] = kwargs.pop("params")
        kwargs["allow_redirects"] = False
        return super().request(method, url, *args, **kwargs)

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return the proxy for the one server: the environment is looked into once, not for each request."""
        if self._from_environment is None:
            self._from_environment = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return dict(self._from_environment)

    def _note(self, response: requests.Response, **_: object) -> None:
        try:
            body = response.content
        except requests.RequestException:
            response.close()  # half read, its connection is of no more use
            raise
        try:
            self.envelope = msgspec.json.decode(body, type=Envelope)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.envelope = None
        if response.status_code != requests.codes.ok:
            kind = self.envelope.error_kind if self.envelope else ""
            reason = self.envelope.error if self.envelope else response.text[:1000]
            self.refusal = Refusal(response.status_code, kind, reason or response.reason)


class _Authorization(AuthBase):
    """Sets the header, or nothing; being there keeps requests from a password in some ~/.netrc."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._value:
            request.headers["Authorization"] = self._value
        return request


class _BoundedAdapter(HTTPAdapter):
    """Never retries by itself (the caller knows the deadline), checks another name where told, bounds the body."""

    def __init__(self, session: PrometheusSession, server_name: str | None) -> None:
        self._session = session
        self._server_name = server_name
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: Any) -> None:
        if self._server_name:
            pool |= {"server_hostname": self._server_name, "assert_hostname": self._server_name}
        super().init_poolmanager(connections, maxsize, block, **pool)

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        response = super().build_response(req, resp)
        response.raw = _BoundedBody(resp, self._session.deadline)
        return response


class _BoundedBody:
    """An urllib3 response that ends with an error when too much comes, or for too long."""

    def __init__(self, body: urllib3.BaseHTTPResponse, deadline: float) -> None:
        self._body = body
        self._deadline = deadline

    def stream(self, size: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """Yield the body in pieces."""
        received = 0
        for piece in self._body.stream(size, decode_content=decode_content):
            received += len(piece)
            if received > LARGEST_BODY_BYTES:
                raise BodyTooLarge(f"the answer is larger than {LARGEST_BODY_BYTES >> 20} MiB")
            if time.monotonic() > self._deadline:
                raise requests.ReadTimeout("the answer did not end in time")
            yield piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)
