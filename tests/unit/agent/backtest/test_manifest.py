"""The manifest: what our own parser and KEDA's object make of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import yaml

from agent.backtest.manifest import PolicyFields, manifest_text, policy_of_fields, suggested_risk
from agent.policy import InvalidPolicy, parse_policy
from scalers.policy import Mode

QUERY = 'sum(rate(http_requests_total{app="chat", path!~"a\\\\.b"}[1m]))\n  # one'


def fields(**changes: object) -> PolicyFields:
    given: dict[str, object] = {
        "name": "chat",
        "namespace": "ml",
        "query": QUERY,
        "capacity": 0.25,
        "minimum": 2,
        "maximum": 40,
        "risk": 0.0045,
        "start_up": timedelta(seconds=90),
        "tolerance": 0.0,
        "stabilization": timedelta(minutes=10),
    }
    return PolicyFields(**(given | changes))  # type: ignore[arg-type]


def test_our_own_parser_reads_the_suggested_policy_as_it_was_meant() -> None:
    (policy,) = parse_policy(manifest_text(fields()), file="manifest", note=lambda _: None)
    spec = policy.spec

    assert (str(policy.key), spec.mode, spec.risk) == ("ml/chat", Mode.SHADOW, 0.0045)
    assert spec.demand is not None
    assert spec.demand.prometheus is not None
    assert spec.demand.prometheus.query == QUERY
    assert spec.capacity is not None
    assert spec.capacity.per_replica == 0.25
    assert (spec.replicas.min, spec.replicas.max) == (2, 40)
    assert spec.lead_time.declared == timedelta(seconds=90)
    assert (spec.scaling.tolerance, spec.scaling.stabilization) == (0.0, timedelta(minutes=10))


def test_what_is_played_is_active() -> None:
    assert policy_of_fields(fields()).spec.mode is Mode.ACTIVE


def test_the_scaled_object_points_at_the_policy_with_its_bounds() -> None:
    policy, scaled = yaml.safe_load_all(manifest_text(fields()))

    assert scaled["kind"] == "ScaledObject"
    assert scaled["metadata"] == policy["metadata"]
    assert (scaled["spec"]["minReplicaCount"], scaled["spec"]["maxReplicaCount"]) == (2, 40)
    assert scaled["spec"]["triggers"][0]["metadata"]["policy"] == "chat"
    behavior = scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 600


def test_a_file_s_policy_has_a_query_to_be_replaced() -> None:
    assert 'query: "demand" # the query of what the file holds' in manifest_text(fields(query=None))


@pytest.mark.parametrize(
    ("short_pct", "risk"), [(0.448, 0.0045), (1.0, 0.01), (12.34, 0.12), (0.0, 0.0005), (80.0, 0.2)]
)
def test_the_suggested_risk_is_the_share_of_time_that_the_hpa_is_short(short_pct: float, risk: float) -> None:
    assert suggested_risk(short_pct) == risk


def test_a_name_that_kubernetes_refuses_is_told_with_its_field() -> None:
    with pytest.raises(InvalidPolicy, match=r"metadata\.name.*Chat Service"):
        policy_of_fields(fields(name="Chat Service"))
