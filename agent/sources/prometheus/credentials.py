"""What a request needs to be let in. Secrets are read from files, again whenever a file has changed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.configuration import PrometheusAddress
from agent.sources.source import SignalState, SourceError

Stamp = tuple[tuple[int, int, int] | None, ...]  # modification time, size and inode of every file
SHORTEST_SECRET = 4  # shorter ones would blank out half of every message


@dataclass(frozen=True, slots=True)
class Credentials:
    """Secrets as they stand in the files now; none shows in repr."""

    authorization: str | None = field(repr=False)  # value of the Authorization header
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def hide(self, text: str) -> str:
        """Return a text from outside, such as a server's error, without any secret that it repeats."""
        for secret in self.secrets:
            text = text.replace(secret, "[hidden]")
        return text


def stamp_files(address: PrometheusAddress) -> Stamp:
    """Return what changes when any file of the credentials or certificates is replaced."""
    return tuple(_stamp(file) for file in _files(address))


def read_credentials(source: str, address: PrometheusAddress) -> Credentials:
    """Read the credentials of a named source.

    Raises:
        SourceError: a file is missing, empty or cannot be read.
    """
    headers = {
        name: _read(source, value.file) if value.file else value.text or "" for name, value in address.headers.items()
    }
    secrets = list(headers.values())
    authorization = None
    if address.bearer_token_file:
        secrets.append(_read(source, address.bearer_token_file))
        authorization = f"Bearer {secrets[-1]}"
    if address.basic_auth:
        secrets.append(_read(source, address.basic_auth.password_file))
        pair = f"{address.basic_auth.username}:{secrets[-1]}".encode()
        secrets.append(b64encode(pair).decode())
        authorization = f"Basic {secrets[-1]}"
    hidden = tuple(sorted((secret for secret in secrets if len(secret) >= SHORTEST_SECRET), key=len, reverse=True))
    return Credentials(authorization, headers, hidden)


def _files(address: PrometheusAddress) -> Iterator[Path]:
    tls = address.tls
    password = address.basic_auth.password_file if address.basic_auth else None
    values = (value.file for value in address.headers.values())
    candidates = (address.bearer_token_file, password, tls.ca_file, tls.cert_file, tls.key_file, *values)
    yield from (file for file in candidates if file)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None  # told when it is read
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(source: str, file: Path) -> str:
    mend = f"put the secret into {file}, one line, readable by the agent"
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SourceError(
            SignalState.NOT_CONFIGURED, f"source {source}: {file}: {reason}", mend=mend, is_retriable=False
        ) from error
    if not text or not text.isprintable():
        raise SourceError(
            SignalState.NOT_CONFIGURED,
            f"source {source}: {file} {'has more than one line' if text else 'is empty'}",
            mend=mend,
            is_retriable=False,
        )
    return text
