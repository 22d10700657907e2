from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.configuration import BasicAuth, HeaderValue, PrometheusAddress
from agent.sources.prometheus.credentials import read_credentials, stamp_files
from agent.sources.source import SignalState, SourceError

URL = "http://prometheus:9090"


def _file(folder: Path, text: str) -> Path:
    file = folder / "secret"
    file.write_text(text)
    return file


def test_a_token_is_read_without_its_line_end(tmp_path: Path) -> None:
    address = PrometheusAddress(url=URL, bearer_token_file=_file(tmp_path, "abcdef\n"))

    assert read_credentials("default", address).authorization == "Bearer abcdef"


def test_a_password_beyond_ascii_is_sent_as_utf8(tmp_path: Path) -> None:
    basic = BasicAuth(username="agent", password_file=_file(tmp_path, "flüt"))

    credentials = read_credentials("default", PrometheusAddress(url=URL, basic_auth=basic))
    assert credentials.authorization == "Basic YWdlbnQ6ZmzDvHQ="


def test_headers_come_from_text_and_from_files(tmp_path: Path) -> None:
    headers = {"X-Scope-OrgID": HeaderValue(text="team-7"), "X-Key": HeaderValue(file=_file(tmp_path, "k3y"))}

    credentials = read_credentials("default", PrometheusAddress(url=URL, headers=headers))
    assert credentials.headers == {"X-Scope-OrgID": "team-7", "X-Key": "k3y"}
    assert credentials.authorization is None


def test_no_secret_shows_in_repr_or_in_what_a_server_repeats(tmp_path: Path) -> None:
    address = PrometheusAddress(url=URL, bearer_token_file=_file(tmp_path, "t0psecret"))
    credentials = read_credentials("default", address)

    assert "t0psecret" not in repr(credentials)
    assert credentials.hide("token t0psecret refused") == "token [hidden] refused"


@pytest.mark.parametrize(
    ("text", "reason"), [("", "is empty"), ("two\nlines", "has more than one line"), (None, "No such file")]
)
def test_a_secret_that_is_not_there_is_named_by_its_file(tmp_path: Path, text: str | None, reason: str) -> None:
    file = tmp_path / "secret"
    if text is not None:
        file.write_text(text)

    with pytest.raises(SourceError, match=reason) as caught:
        read_credentials("mimir", PrometheusAddress(url=URL, bearer_token_file=file))
    assert caught.value.state is SignalState.NOT_CONFIGURED
    assert str(caught.value).startswith(f"source mimir: {file}")


def test_a_file_that_is_replaced_is_noticed_even_at_equal_size_and_time(tmp_path: Path) -> None:
    file = _file(tmp_path, "old")
    address = PrometheusAddress(url=URL, bearer_token_file=file)
    before = stamp_files(address)
    kept = file.stat()
    other = tmp_path / "other"
    other.write_text("new")
    os.utime(other, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    other.replace(file)

    assert stamp_files(address) != before
