from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from agent.certificates import CertificateWatch
from agent.clock import SimulatedClock
from agent.telemetry import Metrics, ServerTelemetry
from scalers.keda.certificates import TlsFiles
from scalers.keda.tls import ServingTls
from tests.certificates import Authority, MountedSecret, Pair

FAILURES = "foretide_grpc_certificate_reload_failures_total"
EXPIRY = "foretide_grpc_certificate_not_after_timestamp_seconds"


@dataclass
class Rig:
    """A watch over a mounted Secret that a test changes; time moves by the test's word."""

    authority: Authority
    mounted: MountedSecret
    tls: ServingTls
    clock: SimulatedClock
    logged: list[EventDict]
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.watch = CertificateWatch(self.tls, telemetry=ServerTelemetry(self.metrics), clock=self.clock)
        self.watch.begin()

    def events(self) -> list[str]:
        return [each["event"] for each in self.logged]

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    authority, mounted = Authority(tmp_path / "issued"), MountedSecret(tmp_path / "mounted")
    mounted.write(authority.sign("first", "first"), authority.file)
    tls = ServingTls(TlsFiles(mounted.certificate, mounted.key, mounted.authority))
    with capture_logs() as logged:
        yield Rig(authority, mounted, tls, SimulatedClock(datetime.now(UTC)), logged)


async def test_it_is_shown_until_when_certificate_and_authorities_are_valid(rig: Rig) -> None:
    material = rig.tls.material
    assert material.authorities_expire_at is not None
    assert rig.value(EXPIRY, certificate="server") == material.expires_at.timestamp()
    assert rig.value(EXPIRY, certificate="client_ca") == material.authorities_expire_at.timestamp()
    assert rig.value(FAILURES) == 0
    assert rig.events() == ["grpc_certificate_served"]


async def test_a_renewed_certificate_is_logged_and_its_end_shown(rig: Rig) -> None:
    rig.mounted.write(rig.authority.sign("second", "second", ends=timedelta(days=90)), rig.authority.file)
    await rig.watch.look()
    await rig.watch.look()
    shown = rig.value(EXPIRY, certificate="server")
    assert shown is not None
    assert shown > (rig.clock.now() + timedelta(days=89)).timestamp()
    assert rig.events() == ["grpc_certificate_served", "grpc_certificate_served"]


async def test_a_bad_pair_is_logged_once_and_counted_as_long_as_it_is_there(rig: Rig) -> None:
    first, second = rig.authority.sign("one", "one"), rig.authority.sign("two", "two")
    rig.mounted.write(Pair(second.certificate, first.key), rig.authority.file)
    for _ in range(3):
        await rig.watch.look()
    assert rig.value(FAILURES) == 3
    assert rig.events() == ["grpc_certificate_served", "grpc_certificate_refused"]
    assert "tls.key is not the key of" in rig.logged[-1]["reason"]
    assert rig.logged[-1]["kept_until"] == rig.tls.material.expires_at.isoformat()
    rig.mounted.write(second, rig.authority.file)
    await rig.watch.look()
    assert rig.value(FAILURES) == 3
    assert rig.events()[2:] == ["grpc_certificate_served"]


async def test_a_certificate_that_runs_out_is_told_once(rig: Rig) -> None:
    await rig.clock.sleep_until(rig.tls.material.expires_at + timedelta(seconds=1))
    await rig.watch.look()
    await rig.watch.look()
    assert rig.events() == ["grpc_certificate_served", "grpc_certificate_not_valid_now"]
