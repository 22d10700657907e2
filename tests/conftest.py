"""What holds for every test."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

# Hypothesis times each example by the wall; on a machine that does other work too, that fails tests that are right.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def unconfigured_log() -> Iterator[None]:
    """Start each test with the log as it is before anybody configures it: that is one state for the whole process."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
