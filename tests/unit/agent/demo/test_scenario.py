"""The demo's policy is a document like any user's, and the workload follows from it."""

from datetime import timedelta

from agent.demo import scenario
from agent.policy import parse_policy, to_scaling_policy
from scalers.policy import Mode, PolicyKey

(DOCUMENT,) = parse_policy(scenario.POLICY, file="the demo's policy")
POLICY = to_scaling_policy(DOCUMENT)


def test_the_policy_is_active_and_forecasts_by_statsmodels_too() -> None:
    assert POLICY.key == PolicyKey("demo", "chat")
    assert POLICY.mode is Mode.ACTIVE
    assert {"holt-winters", "arima", "harmonic"} <= set(POLICY.models)


def test_the_workload_starts_as_slowly_as_the_policy_declares() -> None:
    service = scenario.service(POLICY)

    assert (service.capacity, service.minimum, service.maximum) == (12.0, 1, 40)
    assert service.start_up == POLICY.lead_time == timedelta(minutes=2)


def test_the_hpas_are_set_as_the_policy_believes() -> None:
    assert POLICY.tolerance == 0.1
    assert POLICY.stabilization == timedelta(seconds=300)


def test_live_days_begin_on_a_monday_at_midnight() -> None:
    assert scenario.LIVE_SINCE.weekday() == 0
    assert scenario.LIVE_SINCE.timestamp() % 86400 == 0


def test_the_agent_gets_the_source_of_the_load_that_is_played() -> None:
    scene = scenario.scene(seed=3)

    assert set(scene.assignment.sources.values()) == {scene.source}
    assert scene.clock.now() == scenario.LIVE_SINCE
    assert scene.simulation.observed(scene.assignment.policy.key) is not None
