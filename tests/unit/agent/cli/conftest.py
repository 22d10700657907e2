from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import WallClock
from agent.history.opening import open_store


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A loopback port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.fixture
def used_directory(tmp_path: Path) -> Iterator[Path]:
    """A data directory that another agent holds."""
    directory = tmp_path / "data"
    store = open_store(directory, clock=WallClock())
    yield directory
    store.close()
