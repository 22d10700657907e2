from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.configuration import BasicAuth, PrometheusAddress, Tls
from agent.sources.prometheus import PrometheusServer, PrometheusSource
from agent.sources.source import SignalState, SourceError
from tests.real.prometheus import rig
from tests.real.prometheus.certificates import write_self_signed

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.PrometheusServer]:
    """A server with a self-signed certificate that asks `agent` for a password."""
    if reason := rig.missing_binary():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("guarded")
    certificate, key = write_self_signed(folder)
    web = (
        f"tls_server_config: {{cert_file: {certificate}, key_file: {key}}}\n"
        f'basic_auth_users: {{agent: "{rig.PASSWORD_HASH}"}}\n'
    )
    with rig.running(rig.PrometheusServer(folder, web_config=web)) as server:
        yield server


def _address(guarded: rig.PrometheusServer, folder: Path, password: str, tls: Tls | None = None) -> PrometheusAddress:
    file = folder / "password"
    file.write_text(f"{password}\n")
    trusting = Tls(ca_file=guarded.folder / "server.crt")
    return PrometheusAddress(
        url=guarded.url,
        timeout=timedelta(seconds=2),
        basic_auth=BasicAuth(username="agent", password_file=file),
        tls=tls or trusting,
    )


async def _read(server: PrometheusServer) -> float:
    source = PrometheusSource(server, "vector(7)", step=timedelta(seconds=15), delay=timedelta(0))
    return (await source.latest(datetime.now(UTC))).sample.value


async def test_the_right_password_and_authority_are_let_in(guarded: rig.PrometheusServer, tmp_path: Path) -> None:
    with closing(PrometheusServer("default", _address(guarded, tmp_path, rig.PASSWORD))) as server:
        assert await _read(server) == 7.0


async def test_a_wrong_password_is_named_and_not_shown(guarded: rig.PrometheusServer, tmp_path: Path) -> None:
    server = PrometheusServer("default", _address(guarded, tmp_path, "not-the-tide"))
    with closing(server), pytest.raises(SourceError) as caught:
        await _read(server)

    assert caught.value.state is SignalState.UNAUTHORIZED
    assert "HTTP 401: Unauthorized" in str(caught.value)
    assert "not-the-tide" not in f"{caught.value!r}{caught.value.__cause__!r}{server.address!r}"


async def test_a_password_that_is_replaced_is_read_again(guarded: rig.PrometheusServer, tmp_path: Path) -> None:
    with closing(PrometheusServer("default", _address(guarded, tmp_path, "old"))) as server:
        with pytest.raises(SourceError):
            await _read(server)
        (tmp_path / "password").write_text(rig.PASSWORD)

        assert await _read(server) == 7.0


async def test_a_self_signed_certificate_is_refused_with_the_mend(
    guarded: rig.PrometheusServer, tmp_path: Path
) -> None:
    server = PrometheusServer("default", _address(guarded, tmp_path, rig.PASSWORD, Tls()))
    with closing(server), pytest.raises(SourceError) as caught:
        await _read(server)

    assert caught.value.state is SignalState.UNAVAILABLE
    assert "self-signed certificate" in str(caught.value)
    assert "tls.caFile" in caught.value.mend
    assert not caught.value.is_retriable


async def test_any_certificate_is_taken_only_when_told_to(guarded: rig.PrometheusServer, tmp_path: Path) -> None:
    tls = Tls(insecure_skip_verify=True)
    with closing(PrometheusServer("default", _address(guarded, tmp_path, rig.PASSWORD, tls))) as server:
        assert await _read(server) == 7.0


@pytest.mark.parametrize(("name", "is_let_in"), [("prometheus.test", True), ("elsewhere.test", False)])
async def test_the_certificate_must_carry_the_name_that_is_asked_for(
    guarded: rig.PrometheusServer, tmp_path: Path, name: str, is_let_in: bool
) -> None:
    tls = Tls(ca_file=guarded.folder / "server.crt", server_name=name)
    with closing(PrometheusServer("default", _address(guarded, tmp_path, rig.PASSWORD, tls))) as server:
        if is_let_in:
            assert await _read(server) == 7.0
        else:
            with pytest.raises(SourceError, match=r"elsewhere\.test"):
                await _read(server)


async def test_a_missing_authority_file_is_named(guarded: rig.PrometheusServer, tmp_path: Path) -> None:
    tls = Tls(ca_file=tmp_path / "absent.crt")
    server = PrometheusServer("default", _address(guarded, tmp_path, rig.PASSWORD, tls))
    with closing(server), pytest.raises(SourceError, match=r"absent\.crt") as caught:
        await _read(server)

    assert caught.value.state is SignalState.NOT_CONFIGURED
