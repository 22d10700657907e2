"""What the HPA asks for, and how KEDA wakes and rests a target."""

from __future__ import annotations

import pytest

from tests.cluster.agent import DemandedAgent
from tests.cluster.scaled import METRIC, Scaled, external, push

pytestmark = pytest.mark.real


@pytest.mark.parametrize("trigger", [external, push])
def test_a_fractional_need_is_rounded_up_by_the_hpa_and_followed(
    agent: DemandedAgent, scaled: Scaled, trigger: object
) -> None:
    agent.demand(3.2)
    scaled.create(trigger(agent.address))  # type: ignore[operator]
    scaled.until(lambda: scaled.replicas == 4, "3.2 gives 4 replicas")
    scaled.until(lambda: scaled.hpa_value == "800m", "the HPA shows 3.2 over 4 replicas")
    assert scaled.condition("Ready") == ("True", "ScaledObjectReady")
    assert scaled.condition("Active") == ("True", "ScalerActive")
    assert scaled.condition("Fallback")[0] == "False"
    assert scaled.status["externalMetricNames"] == [METRIC]
    assert scaled.hpa["spec"]["metrics"][0]["external"]["target"] == {"type": "AverageValue", "averageValue": "1"}

    agent.demand(7.4)
    scaled.until(lambda: scaled.replicas == 8, "7.4 gives 8 replicas")
    agent.demand(2)
    scaled.until(lambda: scaled.replicas == 2, "2 gives 2 replicas")


def test_a_poll_wakes_the_target_and_idleness_returns_it_to_zero(agent: DemandedAgent, scaled: Scaled) -> None:
    scaled.create(external(agent.address), minReplicaCount=0)
    scaled.until(lambda: scaled.replicas == 0, "no demand for the cooldown period gives 0 replicas")
    scaled.until(lambda: scaled.condition("Active") == ("False", "ScalerNotActive"), "KEDA says that it rests")

    agent.demand(2.5)
    scaled.until(lambda: scaled.replicas == 3, "KEDA wakes the target and the HPA takes it to 3")
    assert any("from 0 to 1" in said and METRIC in said for said in scaled.events("KEDAScaleTargetActivated"))

    agent.demand(0)
    scaled.until(lambda: scaled.replicas == 0, "the target rests again")
    assert scaled.events("KEDAScaleTargetDeactivated")


def test_a_push_wakes_the_target_long_before_the_next_poll(agent: DemandedAgent, scaled: Scaled) -> None:
    scaled.create(push(agent.address), replicas=0, minReplicaCount=0, pollingInterval=600)
    scaled.until(lambda: agent.streams("StreamIsActive") == 1, "KEDA listens for activity")
    scaled.until(lambda: scaled.status.get("externalMetricNames") == [METRIC], "KEDA knows the metric")

    agent.demand(5)
    scaled.until(lambda: scaled.replicas >= 1, "a push wakes the target", within=15)
    scaled.until(lambda: scaled.replicas == 5, "the HPA takes it to 5")


def test_the_stream_of_specs_takes_the_place_of_asking_for_them(agent: DemandedAgent, scaled: Scaled) -> None:
    agent.demand(2)
    scaled.create(push(agent.address))
    scaled.until(lambda: scaled.replicas == 2, "2 gives 2 replicas")
    scaled.until(lambda: agent.streams("StreamMetricSpec") == 1, "KEDA 2.21 takes the specs from a stream")
    asked, answered = agent.rpcs("GetMetricSpec"), agent.rpcs("GetMetrics")
    scaled.until(lambda: agent.rpcs("GetMetrics") >= answered + 4, "KEDA goes on asking for the value")
    assert agent.rpcs("GetMetricSpec") <= asked + 1
