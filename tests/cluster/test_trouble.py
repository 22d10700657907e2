"""What becomes of replicas while Foretide refuses, is gone or hangs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.agent import DemandedAgent
from tests.cluster.conftest import Agents
from tests.cluster.scaled import Scaled, external, push
from tests.real.agent.held_source import QUERY, HeldSource
from tests.real.prometheus import rig

pytestmark = pytest.mark.real


@pytest.fixture
def demanded() -> Iterator[rig.Exporter]:
    """What a Prometheus scrapes: a demand of 6."""
    if reason := rig.missing_binary():
        pytest.skip(reason)
    exporter = rig.Exporter()
    exporter.value = 6.0
    yield exporter
    exporter.stop()


def test_a_prometheus_that_is_down_past_staleness_data_scales_nothing_in_and_keda_says_why(
    agents: Agents, namespace: str, scaled: Scaled, demanded: rig.Exporter, tmp_path: Path
) -> None:
    folder = tmp_path / "prometheus"
    folder.mkdir()
    server = rig.PrometheusServer(folder, targets=[demanded.target])
    with rig.running(server):
        agent = agents(namespace, "--prometheus-url", server.url)
        agent.read("prometheus: {query: max(demand)}")
        agent.start()
        scaled.create(push(agent.address), minReplicaCount=0)
        scaled.until(lambda: scaled.replicas == 6, "6 gives 6 replicas")

        server.stop()
        demanded.value = 2.0
        scaled.until(lambda: scaled.condition("Ready")[0] == "False", "KEDA sees that there is no answer")
        scaled.always(lambda: scaled.replicas == 6, "nothing is scaled in", seconds=12)  # 3 cooldown periods
        scaled.until(
            lambda: any("has no answer" in said for said in scaled.events("KEDAScalerFailed")), "the reason is told"
        )

        server.start()
        scaled.until(lambda: scaled.replicas == 2, "replicas follow as soon as it answers")
        scaled.until(lambda: scaled.condition("Ready") == ("True", "ScaledObjectReady"), "KEDA is content again")


def test_lost_data_lead_to_the_fallback_where_there_is_one(agent: DemandedAgent, scaled: Scaled) -> None:
    agent.demand(3)
    scaled.create(external(agent.address), fallback={"failureThreshold": 2, "replicas": 9})
    scaled.until(lambda: scaled.replicas == 3, "3 gives 3 replicas")

    agent.lose_demand()
    scaled.until(lambda: scaled.replicas == 9, "the fallback's replicas")
    scaled.until(lambda: scaled.condition("Fallback")[0] == "True", "KEDA says that it uses the fallback")
    assert scaled.failures > 2

    agent.demand(3)
    scaled.until(lambda: scaled.replicas == 3, "the answer counts again")
    scaled.until(lambda: scaled.condition("Fallback")[0] == "False", "the fallback is over")


def test_a_restart_costs_no_replicas_and_the_streams_come_back(agent: DemandedAgent, scaled: Scaled) -> None:
    agent.demand(4)
    scaled.create(push(agent.address), minReplicaCount=0)
    scaled.until(lambda: scaled.replicas == 4, "4 gives 4 replicas")
    scaled.until(lambda: agent.streams("StreamIsActive") == 1, "KEDA listens")

    agent.kill()
    scaled.until(lambda: scaled.condition("Ready")[0] != "True", "KEDA sees that nobody answers")
    scaled.always(
        lambda: scaled.replicas == 4, "without a server nothing is scaled in", seconds=8
    )  # 2 cooldown periods
    agent.start()
    agent.demand(5)
    scaled.until(lambda: scaled.replicas == 5, "replicas follow the new process")
    scaled.until(lambda: scaled.condition("Ready")[0] == "True", "KEDA is content again")
    scaled.until(lambda: agent.streams("StreamIsActive") == 1, "KEDA listens again")
    scaled.until(lambda: agent.streams("StreamMetricSpec") == 1, "KEDA takes the specs from a stream again")


def test_a_hung_process_scales_nothing_in_and_is_followed_once_it_answers(agent: DemandedAgent, scaled: Scaled) -> None:
    agent.demand(4)
    scaled.create(external(agent.address), minReplicaCount=0)
    scaled.until(lambda: scaled.replicas == 4, "4 gives 4 replicas")

    agent.freeze()
    scaled.always(lambda: scaled.replicas == 4, "while it hangs nothing is scaled in", seconds=12)  # 3 cooldown periods
    agent.thaw()
    agent.demand(7)
    scaled.until(lambda: scaled.replicas == 7, "replicas follow once it answers again")
    assert scaled.condition("Ready") == ("True", "ScaledObjectReady")


def test_a_scaled_object_that_was_there_before_the_agent_hears_a_push(
    agents: Agents, namespace: str, scaled: Scaled
) -> None:
    agent = agents(namespace)
    scaled.create(push(agent.address), replicas=0, minReplicaCount=0, pollingInterval=600)
    scaled.until(lambda: scaled.condition("Ready")[0] == "False", "KEDA sees that nobody answers")

    agent.start()
    scaled.until(lambda: agent.streams("StreamIsActive") == 1, "KEDA listens")
    agent.demand(5)
    scaled.until(lambda: scaled.replicas == 5, "a push wakes the target, long before the next poll")


def test_a_poll_before_the_first_decision_waits_for_it_and_pushes_stay_heard(
    agents: Agents, namespace: str, scaled: Scaled
) -> None:
    with HeldSource() as source:
        agent = agents(namespace, "--prometheus-url", source.url)
        agent.read(f"prometheus: {{query: '{QUERY}'}}")
        agent.start()
        scaled.create(push(agent.address), replicas=0, minReplicaCount=0, pollingInterval=600)
        scaled.until(lambda: scaled.hpa, "KEDA has the spec, and polls")
        source.is_released.set()
        scaled.until(lambda: scaled.condition("Active") == ("False", "ScalerNotActive"), "KEDA has the first answer")
        assert scaled.events("KEDAScalerFailed") == []

        source.value = 5
        scaled.until(lambda: scaled.replicas == 5, "a push wakes the target, long before the next poll")


def test_after_an_error_at_zero_keda_hears_pushes_again_from_its_next_poll_on(
    agent: DemandedAgent, scaled: Scaled
) -> None:
    scaled.create(push(agent.address), replicas=0, minReplicaCount=0, pollingInterval=20)
    scaled.until(lambda: agent.streams("StreamIsActive") == 1, "KEDA listens")

    agent.lose_demand()
    scaled.until(lambda: scaled.condition("Ready")[0] == "False", "a poll is refused")
    scaled.until(lambda: agent.streams("StreamIsActive") == 0, "KEDA closes the connection, streams and all")
    agent.demand(0)
    scaled.until(lambda: scaled.condition("Ready")[0] == "True", "the next poll is answered")
    scaled.until(lambda: agent.streams("StreamIsActive") == 1, "KEDA listens again")
    scaled.until(lambda: agent.streams("StreamMetricSpec") == 1, "to specs, too")
