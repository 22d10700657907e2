"""The stand-in for KEDA asks as KEDA does and makes of the replies what KEDA makes of them."""

import grpc
import pytest

from agent.demo.keda import ExternalMetric, KedaStandIn, MetricUnavailable
from scalers.keda.proto import externalscaler_pb2 as messages
from scalers.policy import PolicyKey
from tests.fakes.demo import ScriptedScaler

KEY = PolicyKey("demo", "chat")


async def ask(scaler: ScriptedScaler) -> ExternalMetric:
    async with scaler.serve() as channel:
        return await KedaStandIn(channel, scaled_object="chat", policy=KEY).metric()


def values(*each: messages.MetricValue) -> messages.GetMetricsResponse:
    return messages.GetMetricsResponse(metricValues=each)


async def test_one_sync_asks_for_the_spec_then_the_value_then_the_activity() -> None:
    scaler = ScriptedScaler()

    assert await ask(scaler) == ExternalMetric(value=4.2, target=1.0)
    assert scaler.names == ["GetMetricSpec", "GetMetrics", "IsActive"]


async def test_the_trigger_names_the_policy_and_the_metric_of_the_spec() -> None:
    scaler = ScriptedScaler()

    await ask(scaler)

    ref = messages.ScaledObjectRef(name="chat", namespace="demo", scalerMetadata={"policy": "chat"})
    assert scaler.calls[0][1] == ref
    assert scaler.calls[1][1] == messages.GetMetricsRequest(scaledObjectRef=ref, metricName="foretide-replicas")


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        (values(messages.MetricValue(metricValueFloat=10.20049, metricValue=10)), 10.2),
        (values(messages.MetricValue(metricValueFloat=0.0004, metricValue=7)), 0.0),
        (values(messages.MetricValue(metricValueFloat=0.0, metricValue=7)), 7.0),
        (values(messages.MetricValue(metricValueFloat=float("nan"), metricValue=7)), 7.0),
        (values(messages.MetricValue(metricValueFloat=float("inf"), metricValue=7)), 0.0),
        (values(messages.MetricValue(metricValueFloat=-3.0, metricValue=-3)), 0.0),
        (values(messages.MetricValue(metricValueFloat=2.0), messages.MetricValue(metricValueFloat=3.0)), 5.0),
    ],
)
async def test_odd_values_become_what_keda_makes_of_them(reply: messages.GetMetricsResponse, value: float) -> None:
    scaler = ScriptedScaler()
    scaler.replies["GetMetrics"] = [reply]

    assert (await ask(scaler)).value == value


@pytest.mark.parametrize("procedure", ["GetMetricSpec", "GetMetrics", "IsActive"])
async def test_a_failure_is_tried_once_more_at_once(procedure: str) -> None:
    scaler = ScriptedScaler()
    scaler.replies[procedure].insert(0, grpc.StatusCode.UNAVAILABLE)

    assert (await ask(scaler)).value == 4.2
    assert scaler.names.count(procedure) == 2


@pytest.mark.parametrize("procedure", ["GetMetricSpec", "GetMetrics", "IsActive"])
async def test_a_second_failure_leaves_no_value_and_tells_the_reason(procedure: str) -> None:
    scaler = ScriptedScaler()
    scaler.replies[procedure] = [grpc.StatusCode.UNAVAILABLE]

    with pytest.raises(MetricUnavailable, match="UNAVAILABLE: no fresh data for 12 min"):
        await ask(scaler)
    assert scaler.names.count(procedure) == 2


async def test_no_value_or_no_spec_is_no_zero() -> None:
    silent, unspecified = ScriptedScaler(), ScriptedScaler()
    silent.replies["GetMetrics"] = [values()]
    unspecified.replies["GetMetricSpec"] = [messages.GetMetricSpecResponse()]

    with pytest.raises(MetricUnavailable, match="no matching metrics found for foretide-replicas"):
        await ask(silent)
    with pytest.raises(MetricUnavailable, match="got empty metric spec"):
        await ask(unspecified)
