"""Which query and capacity follow from what scales a workload today."""

from __future__ import annotations

import pytest

from agent.adopt.cannot import CannotAdopt
from agent.adopt.demand import Demand, demand_of
from agent.adopt.finding import Found
from agent.adopt.today import today_of
from tests.fakes.adopted import QUERY, external_metric, hpa, pods_metric, prometheus_trigger, scaled_object
from tests.fakes.scaler_documents import CPU_TRIGGER, utilization


def demand(found: Found, *, query: str | None = None, capacity: float | None = None) -> Demand:
    return demand_of(today_of(found), query=query, capacity=capacity)


def test_a_prometheus_trigger_gives_query_and_capacity() -> None:
    known = demand(scaled_object(prometheus_trigger("12", activationThreshold="0.5")))
    assert (known.query, known.capacity, known.target, known.activation) == (QUERY, 12.0, 1.0, 0.5)


def test_a_capacity_above_todays_target_says_how_full_replicas_are_today() -> None:
    assert demand(scaled_object(prometheus_trigger("12")), capacity=16).target == 0.75


def test_the_server_that_keda_asks_is_told_without_its_login() -> None:
    (told,) = [note for note in demand(scaled_object(prometheus_trigger())).notes if "KEDA asks" in note]
    assert "http://prometheus:9090" in told
    assert "secret" not in told


def test_a_metric_of_pods_becomes_a_query_that_is_called_a_guess() -> None:
    known = demand(hpa(pods_metric(value="1500m")))
    assert known.query == 'sum(http_requests{namespace="ml",pod=~"chat-.+"})'
    assert known.capacity == 1.5
    assert any("a guess from the metric's name" in note for note in known.notes)


def test_an_external_metric_keeps_its_labels() -> None:
    assert demand(hpa(external_metric("queue_depth", "30", queue="chat"))).query == 'sum(queue_depth{queue="chat"})'


def test_utilization_of_cpu_is_no_demand_and_what_to_give_is_shown() -> None:
    with pytest.raises(CannotAdopt) as refused:
        demand(hpa(utilization("cpu")))
    told = str(refused.value)
    assert "HPA ml/chat-hpa: spec.metrics[0] is cpu at 70 % of the pods' requests, which is no demand" in told
    assert """Give --query and --capacity, such as --query 'sum(rate(http_requests_total{app="chat"}[1m]))'""" in told


def test_of_utilization_the_target_is_kept_for_the_comparison() -> None:
    known = demand(hpa(utilization("cpu")), query=f" {QUERY}\n", capacity=16)
    assert (known.query, known.capacity, known.target) == (QUERY, 16.0, 0.7)
    with pytest.raises(CannotAdopt, match="Give --capacity"):
        demand(hpa(utilization("cpu")), query=QUERY)


@pytest.mark.parametrize(
    "found",
    [
        hpa(external_metric("pubsub.googleapis.com|subscription|num_undelivered_messages", "30")),
        scaled_object({**prometheus_trigger(), "metricType": "Value"}),
        scaled_object({"type": "kafka", "metadata": {"lagThreshold": "10"}}),
    ],
    ids=["no series has such a name", "a value in all", "no query at all"],
)
def test_what_holds_no_query_for_one_replicas_load_needs_one(found: Found) -> None:
    with pytest.raises(CannotAdopt, match="Give --query"):
        demand(found)


def test_the_demand_and_utilizations_are_replaced_and_the_rest_stays() -> None:
    cron = {"type": "cron", "metadata": {"desiredReplicas": "10"}}
    known = demand(scaled_object(CPU_TRIGGER, cron, prometheus_trigger()))
    assert known.replaced == (0, 2)
    assert any("spec.triggers[1], trigger cron, stays beside Foretide's trigger" in note for note in known.notes)
    assert any("spec.triggers[0], cpu at 70 % of the pods' requests, no longer scales" in note for note in known.notes)


def test_a_threshold_that_is_no_number_is_told_with_field_and_value() -> None:
    with pytest.raises(CannotAdopt, match=r"ScaledObject ml/chat: spec\.triggers\[0\]\.metadata\.threshold is 'many'"):
        demand(scaled_object(prometheus_trigger("many")))


def test_what_nothing_scales_is_refused() -> None:
    with pytest.raises(CannotAdopt, match=r"spec\.metrics is empty"):
        demand(Found(hpa().kind, {**hpa().document, "spec": {**hpa().document["spec"], "metrics": []}}))
