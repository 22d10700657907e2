"""What becomes of replicas while Foretide refuses, is gone or hangs."""

from __future__ import annotations

import pytest

from tests.cluster.agent import DemandedAgent
from tests.cluster.scaled import Scaled, external, push

pytestmark = pytest.mark.real


def test_lost_data_hold_the_replicas_and_keda_says_why(agent: DemandedAgent, scaled: Scaled) -> None:
    agent.demand(6)
    scaled.create(external(agent.address), minReplicaCount=0)
    scaled.until(lambda: scaled.replicas == 6, "6 gives 6 replicas")

    agent.lose_demand()
    scaled.until(lambda: scaled.condition("Ready")[0] == "False", "KEDA sees that there is no answer")
    scaled.always(lambda: scaled.replicas == 6, "without data nothing is scaled in", seconds=12)  # 3 cooldown periods
    scaled.until(
        lambda: any("has no answer" in said for said in scaled.events("KEDAScalerFailed")), "the reason is told"
    )

    agent.demand(2)
    scaled.until(lambda: scaled.replicas == 2, "replicas follow as soon as there are data")
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
