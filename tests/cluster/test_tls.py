"""KEDA and Foretide over TLS: what a renewed, a wrong and a changed certificate do to replicas."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.cluster.conftest import Agents
from tests.cluster.control_plane import ControlPlane
from tests.cluster.guarded import OPERATOR, Guarded, over_tls, shown
from tests.cluster.scaled import Scaled, external

pytestmark = [
    pytest.mark.real,
    pytest.mark.rig("certificates are for localhost, and KEDA is to trust the rig's authority"),
]

PLAIN_TLS = """
grpc:
  tls: {{certFile: {pair.certificate}, keyFile: {pair.key}}}
"""


@pytest.fixture
def guarded(cluster: ControlPlane, namespace: str, tmp_path: Path) -> Guarded:
    return Guarded(cluster.api, namespace, tmp_path)


def test_the_example_works_and_a_renewed_certificate_of_the_agent_costs_no_failure(
    guarded: Guarded, agents: Agents, namespace: str, scaled: Scaled
) -> None:
    agent = agents(namespace, config=guarded.config)
    agent.demand(3.2)
    agent.start()
    guarded.authenticate(guarded.client(OPERATOR))
    scaled.create(guarded.trigger(agent))
    scaled.until(lambda: scaled.replicas == 4, "3.2 gives 4 replicas")
    scaled.until(lambda: scaled.condition("Ready") == ("True", "ScaledObjectReady"), "KEDA is content")
    scaled.until(lambda: agent.streams("StreamIsActive") == agent.streams("StreamMetricSpec") == 1, "KEDA listens")

    ended = agent.ended("StreamIsActive") + agent.ended("StreamMetricSpec")
    guarded.renew("second")
    scaled.until(lambda: shown(agent) == "CN=second", "a new connection sees the renewed certificate")
    answered = agent.rpcs("GetMetrics")
    scaled.until(lambda: agent.rpcs("GetMetrics") >= answered + 4, "KEDA goes on asking")
    agent.demand(6)
    scaled.until(lambda: scaled.replicas == 6, "replicas follow")
    assert scaled.failures == 0
    assert scaled.condition("Ready") == ("True", "ScaledObjectReady")
    assert scaled.condition("Fallback")[0] == "False"
    assert scaled.events("KEDAScalerFailed") == []
    assert agent.streams("StreamIsActive") == agent.streams("StreamMetricSpec") == 1
    assert agent.ended("StreamIsActive") + agent.ended("StreamMetricSpec") == ended

    agent.terminate()
    agent.start()
    agent.demand(5)
    scaled.until(lambda: scaled.replicas == 5, "KEDA connects anew, and takes the certificate it has not seen before")
    scaled.until(lambda: scaled.condition("Ready")[0] == "True", "KEDA is content again")
    scaled.until(lambda: agent.streams("StreamIsActive") == agent.streams("StreamMetricSpec") == 1, "KEDA listens anew")


def test_enable_tls_trusts_the_authorities_of_keda_itself(
    cluster: ControlPlane, agents: Agents, namespace: str, scaled: Scaled
) -> None:
    agent = agents(namespace, config=PLAIN_TLS.format(pair=cluster.trusted.sign(namespace, namespace)))
    agent.demand(2)
    agent.start()
    scaled.create(external(over_tls(agent), enableTLS="true"))
    scaled.until(lambda: scaled.replicas == 2, "2 gives 2 replicas")
    assert scaled.condition("Ready") == ("True", "ScaledObjectReady")


def test_without_tls_on_kedas_side_replicas_are_held(
    cluster: ControlPlane, agents: Agents, namespace: str, scaled: Scaled
) -> None:
    agent = agents(namespace, config=PLAIN_TLS.format(pair=cluster.trusted.sign(namespace, namespace)))
    agent.demand(9)
    agent.start()
    scaled.create(external(over_tls(agent)), replicas=3)
    scaled.until(lambda: scaled.condition("Ready") == ("False", "ScaledObjectCheckFailed"), "KEDA gets no connection")
    scaled.always(lambda: scaled.replicas == 3, "nothing is scaled", seconds=8)
    assert agent.rpcs("GetMetricSpec") == 0


def test_a_client_that_is_not_listed_is_told_so_and_leads_to_the_fallback(
    guarded: Guarded, agents: Agents, namespace: str, scaled: Scaled
) -> None:
    agent = agents(namespace, config=guarded.config)
    agent.demand(5)
    agent.start()
    guarded.authenticate(guarded.client("prometheus.monitoring.svc"))
    scaled.create(guarded.trigger(agent), replicas=3)
    said = "PermissionDenied desc = the client certificate shows prometheus.monitoring.svc, and none is allowed to ask"
    scaled.until(lambda: any(said in each for each in scaled.events("KEDAScalerFailed")), "KEDA says why")
    scaled.until(lambda: scaled.condition("Ready") == ("False", "TriggerError"), "KEDA has no answer")
    scaled.always(lambda: scaled.replicas == 3, "nothing is scaled", seconds=8)

    scaled.change({"fallback": {"failureThreshold": 2, "replicas": 8}})
    scaled.until(lambda: scaled.replicas == 8, "the fallback's replicas: KEDA has the spec, and so an HPA")
    assert scaled.condition("Fallback")[0] == "True"

    guarded.authenticate_anew(guarded.client(OPERATOR))
    scaled.until(lambda: scaled.replicas == 5, "the right pair is read after the next error, and the answer counts")
    scaled.until(lambda: scaled.condition("Fallback")[0] == "False", "the fallback is over")


def test_a_client_of_another_authority_holds_the_replicas_until_keda_begins_anew_with_the_right_pair(
    guarded: Guarded, agents: Agents, namespace: str, scaled: Scaled, tmp_path: Path
) -> None:
    agent = agents(namespace, config=guarded.config)
    agent.demand(5)
    agent.start()
    guarded.authenticate(guarded.client(OPERATOR, authority=Authority(tmp_path / "other", name="other")))
    scaled.create(guarded.trigger(agent), replicas=3, minReplicaCount=0)
    scaled.until(lambda: scaled.condition("Ready") == ("False", "ScaledObjectCheckFailed"), "KEDA gets no connection")
    scaled.always(lambda: scaled.replicas == 3, "nothing is scaled", seconds=8)  # 2 cooldown periods
    assert scaled.hpa == {}

    guarded.authenticate_anew(guarded.client(OPERATOR))
    scaled.change({"pollingInterval": 3})  # a scaler that never answered is built again for nothing less
    scaled.until(lambda: scaled.replicas == 5, "KEDA takes the right pair")
    scaled.until(lambda: scaled.condition("Ready")[0] == "True", "KEDA is content")


def test_streams_do_not_come_back_after_a_change_of_kedas_pair_until_it_begins_anew(
    guarded: Guarded, agents: Agents, namespace: str, scaled: Scaled, tmp_path: Path
) -> None:
    agent = agents(namespace, config=guarded.config)
    agent.demand(5)
    agent.start()
    guarded.authenticate(guarded.client(OPERATOR))
    scaled.create(guarded.trigger(agent))
    scaled.until(lambda: scaled.replicas == 5, "5 gives 5 replicas")
    scaled.until(lambda: agent.streams("StreamIsActive") == 1, "KEDA listens")

    guarded.authenticate_anew(guarded.client(OPERATOR))
    agent.kill()
    scaled.until(lambda: scaled.condition("Ready")[0] != "True", "an error, after which KEDA reads the Secret")
    agent.start()
    agent.demand(7)
    scaled.until(lambda: scaled.replicas == 7, "polls and the HPA use the new pair")
    scaled.always(lambda: agent.streams("StreamIsActive") == 0, "streams hold on to the old one", seconds=40)

    scaled.change({"pollingInterval": 3})
    scaled.until(lambda: agent.streams("StreamIsActive") == 1, "KEDA begins anew, streams too")
