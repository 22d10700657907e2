"""Which objectives a capacity is learned by, and what is asked for them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.policy import Lesson, lessons, policy_of, reserved_fields_used
from agent.policy.objectives import Question
from scalers.capacity.objective import Limit, Sense
from tests.fakes.policies import document

LATENCY = {"name": "latency", "good": "good", "total": "total", "target": "99%"}
TTFT = {"name": "ttft", "query": "ttft", "below": "2s"}
WAIT = {"name": "wait", "below": "60s"}


def lesson(*objectives: dict[str, object], **learned: object) -> Lesson:
    changed = document(capacity={"learned": {"initial": 7, **learned}}, objectives=list(objectives))
    return lessons(policy_of(changed, origin="here"))["demand"]


def test_a_bound_is_asked_for_as_it_is_written() -> None:
    assert lesson(TTFT).questions == (Question("ttft", "ttft", Limit(2.0)),)


def test_a_share_is_taken_over_the_window_in_which_it_is_learned() -> None:
    (question,) = lesson(LATENCY, window="10m").questions

    assert question.query == "avg_over_time((good)[10m:1m]) / avg_over_time((total)[10m:1m])"
    assert question.limit == Limit(0.99, Sense.AT_LEAST)


def test_a_share_is_looked_at_no_oftener_than_the_signal() -> None:
    (question,) = lesson(LATENCY, window="1m").questions

    assert question.query == "avg_over_time((good)[1m:15s]) / avg_over_time((total)[1m:15s])"


def test_where_none_is_named_all_that_have_a_query_must_hold() -> None:
    assert [each.objective for each in lesson(LATENCY, TTFT, WAIT).questions] == ["latency", "ttft"]
    assert [each.objective for each in lesson(LATENCY, TTFT, WAIT, objective="ttft").questions] == ["ttft"]


@pytest.mark.parametrize(
    ("objectives", "named", "trouble"),
    [
        (
            [],
            None,
            "no objective has a query: give `objectives` one with query and below, or with good, total and target",
        ),
        ([WAIT], "wait", "objective 'wait' has no query: give it one, with the time in `below`"),
        ([TTFT, WAIT], "tfft", "there is no objective 'tfft': name one of `objectives` (ttft, wait)"),
    ],
)
def test_what_keeps_it_from_being_learned_is_told(
    objectives: list[dict[str, object]], named: str | None, trouble: str
) -> None:
    found = lesson(*objectives, **({} if named is None else {"objective": named}))

    assert (found.questions, found.trouble) == ((), trouble)


def test_what_is_learned_is_learned_as_the_document_says() -> None:
    changed = document(
        capacity={"learned": {"initial": 7, "confidence": "80%", "window": "3m"}},
        leadTime={"declared": "2m", "warmUp": "90s"},
        objectives=[TTFT],
    )
    policy = lessons(policy_of(changed, origin="here"))["demand"].policy

    assert (policy.declared, policy.confidence) == (7.0, 0.8)
    assert (policy.window, policy.warm_up) == (timedelta(minutes=3), timedelta(seconds=90))


def test_another_objective_has_another_meaning() -> None:
    meanings = {lesson(TTFT).meaning, lesson({**TTFT, "below": "3s"}).meaning, lesson({**TTFT, "query": "x"}).meaning}

    assert len(meanings) == 3
    assert lesson(TTFT).meaning == lesson(TTFT, WAIT, confidence="80%").meaning


def test_a_signal_whose_capacity_is_declared_learns_nothing() -> None:
    signals = [
        {"name": "requests", "prometheus": {"query": "x"}},
        {"name": "tokens", "prometheus": {"query": "y"}, "capacity": {"learned": {"initial": 1}}},
    ]
    policy = policy_of(document(demand=None, signals=signals, objectives=[TTFT]), origin="here")

    assert list(lessons(policy)) == ["tokens"]


def test_objectives_that_nothing_reads_are_named_as_not_acted_on() -> None:
    learning = document(capacity={"learned": {"initial": 7, "objective": "ttft"}}, objectives=[LATENCY, TTFT, WAIT])
    declared = document(objectives=[LATENCY, TTFT, WAIT])

    assert reserved_fields_used(policy_of(learning, origin="here")) == ("spec.objectives[0]", "spec.objectives[2]")
    assert reserved_fields_used(policy_of(declared, origin="here")) == ("spec.objectives",)
