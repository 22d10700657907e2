"""A real server on a loopback port over a board that the test holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
from scalers.keda.server import ServerSettings
from scalers.keda.streams import StreamSettings
from tests.keda_server import PATIENT, SOON, Serving, served

__all__ = ["PATIENT", "SOON", "Serving", "served"]

QUICK = ServerSettings(
    drain_delay=timedelta(0),
    streams=StreamSettings(
        repeat=timedelta(milliseconds=20), respec=timedelta(milliseconds=20), age=timedelta(milliseconds=250)
    ),
)


@pytest.fixture
def serving() -> Iterator[Serving]:
    """Streams that live for minutes, as in a cluster."""
    with served(PATIENT) as running:
        yield running


@pytest.fixture
def quick() -> Iterator[Serving]:
    """Streams that repeat every 10 to 20 ms and end after a quarter of a second."""
    with served(QUICK) as running:
        yield running


@pytest.fixture
def trigger() -> ScaledObjectRef:
    """A trigger as KEDA sends it: our key among its own."""
    return ScaledObjectRef(
        name="chat", namespace="ml", scalerMetadata={"policy": "chat", "scalerAddress": "foretide.foretide:6000"}
    )
