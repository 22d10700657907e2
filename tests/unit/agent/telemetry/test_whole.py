"""All exported metrics together: named by the rules, gone with their policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import Metric

from agent.snapshot import PolicySnapshot
from agent.telemetry import Telemetry
from scalers.decision import Decision
from scalers.keda.limits import Limit
from scalers.policy import PolicyKey
from tests.fakes.telemetry import CHAT, NOW, fitted, value

LABELS = {
    "namespace", "policy", "signal", "model", "basis", "state", "reason", "outcome",
    "operation", "rpc", "code", "limit", "condition", "status", "version", "certificate", "role",
}  # fmt: skip
UNITS = (
    "_seconds", "_bytes", "_ratio", "_replicas", "_total", "_info",
    "_basis", "_demand", "_peak", "_policies", "_streams", "_role", "_followers",
)  # fmt: skip
OWN_OF_A_FORMAT = {"le"}  # a histogram's bucket


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(version="0.1.0")


def fill(telemetry: Telemetry, decision: Decision, snapshot: PolicySnapshot) -> None:
    """Give every metric at least one series, so that a rule over all of them sees all of them."""
    telemetry.policies.decision_published(decision, NOW)
    telemetry.snapshots_taken([snapshot])
    telemetry.work.source_read(CHAT, seconds=0.02, warnings=1)
    telemetry.work.sample_dropped(CHAT, "NotANumber")
    telemetry.work.fit_finished(CHAT, fitted())
    telemetry.work.store_failed("append_samples")
    telemetry.server.rpc_handled("GetMetrics", "OK", 0.001)
    telemetry.server.stream_opened("StreamIsActive")
    telemetry.server.certificate_served(expires_at=NOW, authorities_expire_at=NOW)
    telemetry.server.limit_exceeded(Limit.CALLS)
    telemetry.server.answered(3.0)
    telemetry.server.pushed(0.02)
    telemetry.peers.standing_seen("following", silence_seconds=1.5)
    telemetry.peers.followers(2)


def ours(telemetry: Telemetry) -> list[Metric]:
    return [metric for metric in telemetry.metrics.registry.collect() if not metric.name.startswith("process_")]


def test_every_metric_has_the_prefix_a_unit_and_a_sentence(
    telemetry: Telemetry, decision: Decision, snapshot: PolicySnapshot
) -> None:
    fill(telemetry, decision, snapshot)
    for metric in ours(telemetry):
        name = metric.name + ("_total" if metric.type == "counter" else "")
        assert name.startswith("foretide_")
        assert name.endswith(UNITS), name
        assert metric.documentation.endswith("."), name


def test_every_label_is_one_of_the_bounded_ones(
    telemetry: Telemetry, decision: Decision, snapshot: PolicySnapshot
) -> None:
    fill(telemetry, decision, snapshot)
    for metric in ours(telemetry):
        assert metric.samples, f"{metric.name} is not filled by this test"
        for sample in metric.samples:
            assert set(sample.labels) - OWN_OF_A_FORMAT <= LABELS, metric.name


def test_a_forgotten_policy_leaves_no_series_and_others_stay(
    telemetry: Telemetry, decision: Decision, snapshot: PolicySnapshot
) -> None:
    fill(telemetry, decision, snapshot)
    telemetry.policies.decision_published(replace(decision, key=PolicyKey("ml", "chat-2")), NOW)
    telemetry.forget(CHAT)

    text = telemetry.exposition().decode()
    assert 'policy="chat"' not in text
    assert 'foretide_answer_replicas{namespace="ml",policy="chat-2"} 12.3' in text


def test_what_a_namespace_uses_is_counted_over_its_policies(telemetry: Telemetry, snapshot: PolicySnapshot) -> None:
    rank, shop = PolicyKey("ml", "rank"), PolicyKey("web", "shop")
    telemetry.snapshots_taken([replace(snapshot, key=key) for key in (CHAT, rank, shop)])
    for key in (CHAT, rank, shop):
        telemetry.work.source_read(key, seconds=0.2)
    for key in (CHAT, rank):
        telemetry.work.fit_finished(key, fitted())

    used = ("namespace_policies", "namespace_samples_read_total", "namespace_fit_cpu_seconds_total")
    assert [value(telemetry.metrics, name, namespace="ml") for name in used] == [2, 2, 0.5]
    assert [value(telemetry.metrics, name, namespace="web") for name in used] == [1, 1, None]


def test_a_namespace_without_policies_has_no_series_of_its_usage(
    telemetry: Telemetry, snapshot: PolicySnapshot
) -> None:
    telemetry.snapshots_taken([snapshot])
    telemetry.forget(CHAT)
    telemetry.work.source_read(CHAT, seconds=0.2)  # under way when the policy went
    telemetry.work.fit_finished(CHAT, fitted())
    telemetry.snapshots_taken([])

    used = ("namespace_policies", "namespace_samples_read_total", "namespace_fit_cpu_seconds_total")
    assert [value(telemetry.metrics, name, namespace="ml") for name in used] == [None, None, None]


def test_a_failure_of_a_loop_can_be_alerted_on_from_the_first(telemetry: Telemetry) -> None:
    before = value(telemetry.metrics, "loop_failures_total")
    telemetry.loop_failed()

    assert (before, value(telemetry.metrics, "loop_failures_total")) == (0, 1)
