from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.configuration import Grpc, ServerTls
from agent.doctor.finding import Level
from agent.doctor.serving import check_serving
from tests.certificates import Authority, Pair

ANYWHERE = "0.0.0.0:6000"


def guarded(pair: Pair) -> Grpc:
    return Grpc(tls=ServerTls(cert_file=pair.certificate, key_file=pair.key))


def test_a_good_certificate_is_told_with_its_names_and_end(tmp_path: Path) -> None:
    pair = Authority(tmp_path).sign("server", "server")
    (finding,) = check_serving(guarded(pair), ANYWHERE, now=datetime.now(UTC))
    assert finding.level is Level.OK
    assert finding.what.startswith("certificate for localhost, 127.0.0.1, valid until 2")


@pytest.mark.parametrize("days", [-1, 10])
def test_one_that_is_not_valid_now_fails(tmp_path: Path, days: int) -> None:
    pair = Authority(tmp_path).sign("server", "server")
    (finding,) = check_serving(guarded(pair), ANYWHERE, now=datetime.now(UTC) + timedelta(days=days))
    assert finding.level is Level.FAIL
    assert finding.what.endswith("UTC: not valid now")


def test_one_without_a_name_fails(tmp_path: Path) -> None:
    pair = Authority(tmp_path).sign("server", "server", names=[])
    (finding,) = check_serving(guarded(pair), ANYWHERE, now=datetime.now(UTC))
    assert (finding.level, finding.what) == (Level.FAIL, "the certificate has no subject alternative name")


def test_files_that_cannot_be_used_fail_with_the_mend(tmp_path: Path) -> None:
    pair = Pair(tmp_path / "tls.crt", tmp_path / "tls.key")
    (finding,) = check_serving(guarded(pair), ANYWHERE, now=datetime.now(UTC))
    assert finding.level is Level.FAIL
    assert finding.what == f"{tmp_path / 'tls.crt'} cannot be read (No such file or directory)"
    assert finding.mend == "put the file there, readable by the agent's user"


def test_plaintext_that_others_reach_fails_and_asked_for_is_a_warning() -> None:
    (finding,) = check_serving(Grpc(), ANYWHERE, now=datetime.now(UTC))
    assert (finding.level, finding.mend[:21]) == (Level.FAIL, "give --grpc-cert-file")
    (finding,) = check_serving(Grpc(insecure=True), ANYWHERE, now=datetime.now(UTC))
    assert finding.level is Level.WARN


def test_plaintext_on_a_loopback_address_is_nothing_to_tell() -> None:
    assert check_serving(Grpc(), "127.0.0.1:6000", now=datetime.now(UTC)) == []
    assert check_serving(Grpc(insecure=True), "localhost:6000", now=datetime.now(UTC)) == []
