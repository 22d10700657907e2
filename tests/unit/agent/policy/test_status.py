"""A status is short, stays within its schema, and says first what a person should see first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.policy.crd import custom_resource_definition
from agent.policy.status import (
    ForecastStatus,
    LeadTimeOrigin,
    LeadTimeStages,
    LeadTimeStatus,
    PolicyStatus,
    RecommendationStatus,
    RiskStatus,
    StatusCondition,
    Truth,
    status_json,
    why_not,
)
from tests.fakes.api_server import FakeApiServer
from tests.fakes.policies import document

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def condition(name: str, status: Truth, reason: str = "Because", message: str = "of this") -> StatusCondition:
    return StatusCondition(type=name, status=status, reason=reason, message=message, lastTransitionTime=NOON)


def recommendation(**changes: Any) -> RecommendationStatus:
    return RecommendationStatus(**{"at": NOON, "basis": "forecast", "sentence": "as it is"} | changes)


def test_an_api_server_takes_a_status_as_the_models_write_it() -> None:
    status = PolicyStatus(
        observedGeneration=2,
        whyNot="Learning: needs 31 h more history",
        conditions=(condition("Ready", Truth.TRUE), condition("Conflict", Truth.UNKNOWN)),
        recommendation=recommendation(need=11.2, replicas={"existing": 10, "ready": 9}),
        forecast=ForecastStatus(model="harmonic", origin=NOON, until=NOON, peak=134.4, median=120.0),
        leadTime=LeadTimeStatus(
            used=timedelta(minutes=2),
            origin=LeadTimeOrigin.MEASURED,
            stages=LeadTimeStages(pull=timedelta(seconds=70)),
            advice="pre-pull the image",
        ),
        risk=RiskStatus(set=0.01),
    )
    server = FakeApiServer(custom_resource_definition())
    written = {**document(), "status": status_json(status)}
    stored = {**document(), "status": status_json(status)}
    server.fill_in(stored)

    assert server.refusals(written) == []
    assert stored["status"] == written["status"]
    assert written["status"]["leadTime"]["stages"] == {"pull": "1m10s"}  # type: ignore[index]


def test_numbers_are_written_as_short_as_a_person_reads_them() -> None:
    status = PolicyStatus(
        recommendation=recommendation(need=10.72342, answer=10.7199),
        forecast=ForecastStatus(model="m", origin=NOON, until=NOON, peak=123_456.7, median=0.00123456),
        risk=RiskStatus(set=0.0005, achieved=0.0041267),
    )
    written: Any = status_json(status)

    assert (written["recommendation"]["need"], written["recommendation"]["answer"]) == (10.72, 10.72)
    assert (written["forecast"]["peak"], written["forecast"]["median"]) == (123_500.0, 0.001235)
    assert written["risk"] == {"set": "0.05%", "achieved": "0.413%"}


def test_a_message_that_is_too_long_is_cut_and_not_refused() -> None:
    message = condition("Ready", Truth.TRUE, message="x" * 5000).message

    assert (len(message), message[-2:]) == (1024, "x…")


def test_a_reason_is_one_word_as_kubernetes_wants_it() -> None:
    with pytest.raises(ValueError, match="must be one word in CamelCase"):
        condition("Ready", Truth.TRUE, reason="needs 31 h more history")


def test_why_not_is_silent_where_all_is_well_or_not_known_yet() -> None:
    well = [condition("Ready", Truth.TRUE), condition("Conflict", Truth.FALSE), condition("DataFresh", Truth.UNKNOWN)]

    assert why_not(well) is None
    assert why_not([]) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"Ready": Truth.FALSE, "DataFresh": Truth.FALSE}, "Ready"),
        ({"Ready": Truth.UNKNOWN}, "Ready"),
        ({"ForecastTrusted": Truth.FALSE, "Conflict": Truth.TRUE}, "ForecastTrusted"),
        ({"Ready": Truth.TRUE, "Conflict": Truth.TRUE}, "Conflict"),
        ({"TriggerInShadow": Truth.TRUE, "Conflict": Truth.FALSE}, "TriggerInShadow"),
    ],
)
def test_why_not_tells_the_gravest_of_what_is_wrong(wrong: dict[str, Truth], said: str) -> None:
    found = [condition(name, status, reason=name, message="mend it") for name, status in wrong.items()]

    assert why_not(found) == f"{said}: mend it"
