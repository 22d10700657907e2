from __future__ import annotations

from agent.doctor.finding import Finding, Level
from agent.doctor.quota import check_quota
from agent.policy import policy_of
from agent.quota import beyond_limit
from scalers.policy import PolicyKey
from tests.fakes.policies import document

A, B, C, OTHER = PolicyKey("ml", "a"), PolicyKey("ml", "b"), PolicyKey("ml", "c"), PolicyKey("web", "a")


def test_the_oldest_stay_and_each_namespace_is_counted_by_itself() -> None:
    assert beyond_limit([C, OTHER, A, B], 2) == {B}


def test_without_a_limit_nobody_is_beyond_it() -> None:
    assert beyond_limit([A, B, C], None) == frozenset()


def test_doctor_names_each_policy_beyond_the_limit_and_what_to_do() -> None:
    policy = document()
    policies = [
        policy_of({**policy, "metadata": {"namespace": "ml", "name": name}}, origin="here") for name in ("b", "a")
    ]

    assert check_quota(policies, 1) == [
        Finding(
            "policy ml/b: limit",
            Level.FAIL,
            "it is not acted on: 1 policy is acted on in namespace ml, and others come first",
            "delete one of them, or have namespaceLimits.policies of the agent's configuration raised",
        )
    ]
