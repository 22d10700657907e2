"""What a ScaledObject asks of KEDA beside our answer is kept: a pause, and a formula."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.agent import DemandedAgent
from tests.cluster.control_plane import ControlPlane
from tests.cluster.scaled import Scaled, external

pytestmark = pytest.mark.real

PAUSED_AT = "autoscaling.keda.sh/paused-replicas"


Annotate = Callable[[str, str | None], None]


@pytest.fixture
def annotate(cluster: ControlPlane, namespace: str) -> Annotate:
    """Sets an annotation of the ScaledObject; None takes it away."""
    path = f"/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledobjects/chat"

    def set_to(name: str, value: str | None) -> None:
        cluster.api.patch(path, {"metadata": {"annotations": {name: value}}})

    return set_to


def test_a_pause_holds_the_replicas_it_names_and_its_end_brings_the_answer_back(
    agent: DemandedAgent, scaled: Scaled, annotate: Annotate
) -> None:
    agent.demand(4)
    scaled.create(external(agent.address))
    scaled.until(lambda: scaled.replicas == 4, "4 gives 4 replicas")

    annotate(PAUSED_AT, "2")
    scaled.until(lambda: scaled.replicas == 2, "the pause's replicas")
    agent.demand(7)
    scaled.always(lambda: scaled.replicas == 2, "demand changes nothing while it lasts", seconds=8)
    annotate(PAUSED_AT, None)
    scaled.until(lambda: scaled.replicas == 7, "replicas follow again")


def test_a_formula_goes_by_our_answer_and_without_one_the_replicas_are_held(
    agent: DemandedAgent, scaled: Scaled
) -> None:
    agent.demand(3)
    trigger = {**external(agent.address), "name": "foretide"}
    behavior = {
        "scaleUp": {"tolerance": "0", "stabilizationWindowSeconds": 0},
        "scaleDown": {"stabilizationWindowSeconds": 0},
    }
    advanced = {
        "scalingModifiers": {"formula": "foretide + 2", "target": "1"},
        "horizontalPodAutoscalerConfig": {"behavior": behavior},
    }
    scaled.create(trigger, advanced=advanced)
    scaled.until(lambda: scaled.replicas == 5, "3 and 2 give 5 replicas")

    agent.lose_demand()
    scaled.until(lambda: scaled.condition("Ready")[0] != "True", "KEDA sees that there is no answer")
    scaled.always(lambda: scaled.replicas == 5, "without an answer nothing is scaled in", seconds=8)
    agent.demand(6)
    scaled.until(lambda: scaled.replicas == 8, "6 and 2 give 8 replicas")
