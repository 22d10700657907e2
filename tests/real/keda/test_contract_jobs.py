"""KEDA's contract, section 5: what becomes of a ScaledJob."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.keda_client import KedaClient, ScalerFailed, Trigger, created_jobs
from tests.real.keda.conftest import Server

pytestmark = pytest.mark.real


def asking(server: Server, counts: str) -> KedaClient:
    return KedaClient([server.endpoint], Trigger("ml", "render", {"policy": "chat", "queueCounts": counts}))


@pytest.fixture
def keda(server: Server) -> Iterator[KedaClient]:
    with asking(server, "waiting") as client:
        yield client


def jobs(keda: KedaClient, *, running: int, strategy: str, most: int = 20) -> int:
    """Return how many Jobs KEDA would create after one poll, by the value and the target of the first spec."""
    polled = keda.poll()
    ((name, value),) = polled.metrics.items()
    queue = value if polled.is_active else 0.0
    return created_jobs(queue, polled.targets[name], most=most, running=running, strategy=strategy)


def test_what_waits_is_started_once_by_the_accurate_strategy(server: Server, keda: KedaClient) -> None:
    server.publish(30.0, jobs=5.0)
    assert jobs(keda, running=3, strategy="accurate") == 5


def test_what_waits_and_what_runs_are_started_once_by_the_default_strategy(server: Server) -> None:
    server.publish(30.0, jobs=8.0)
    with asking(server, "waiting+running") as keda:
        assert jobs(keda, running=3, strategy="default") == 5


@pytest.mark.parametrize("strategy", ["default", "accurate", "eager"])
def test_an_empty_queue_starts_no_job_whatever_is_foretold(server: Server, keda: KedaClient, strategy: str) -> None:
    server.publish(30.0, jobs=0.0)
    assert jobs(keda, running=0, strategy=strategy) == 0


def test_a_part_of_a_jobs_items_starts_a_whole_job(server: Server, keda: KedaClient) -> None:
    server.publish(0.0, jobs=0.25)
    assert jobs(keda, running=0, strategy="default") == 1


def test_a_queue_that_is_not_known_is_an_error_and_starts_no_job(server: Server, keda: KedaClient) -> None:
    server.publish(30.0)
    with pytest.raises(ScalerFailed, match="UNAVAILABLE: policy ml/chat has no fresh count of items"):
        keda.poll()


def test_the_spec_that_keda_divides_by_is_never_missing(keda: KedaClient) -> None:
    (spec,) = keda.specs()  # without one KEDA starts no job, and says so nowhere
    assert (spec.targetSizeFloat, spec.targetSize) == (1.0, 1)
