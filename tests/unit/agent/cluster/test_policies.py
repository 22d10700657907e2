from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.cluster.documents import Documents
from agent.cluster.policies import ClusterPolicies
from agent.cluster.status import Refusal
from agent.configuration import Configuration
from agent.sources.table import SourceTable
from scalers.policy import PolicyKey
from tests.fakes.policies import document

CHAT = ("ml", "chat")


def told(generation: int, *, version: int | None = None, **spec: object) -> Mapping[str, Any]:
    policy = document()
    metadata = {"name": "chat", "namespace": "ml", "uid": "a", "generation": generation}
    metadata["resourceVersion"] = str(version or generation)
    return {**policy, "metadata": metadata, "spec": {**policy["spec"], **spec}}


def policies(*first: Mapping[str, Any], most: int | None = None) -> tuple[Documents, ClusterPolicies]:
    documents = Documents()
    documents.replace(first)
    return documents, ClusterPolicies(documents, SourceTable(Configuration()), most=most)


def born(name: str, day: int, **spec: object) -> Mapping[str, Any]:
    policy = told(1, **spec)
    made = {"name": name, "uid": name, "creationTimestamp": f"2026-11-{day:02}T12:00:00Z"}
    return {**policy, "metadata": {**policy["metadata"], **made}}


def test_what_is_there_at_the_start_is_acted_on_and_an_edit_and_an_end_too() -> None:
    documents, read = policies(told(1))
    (first,) = read.first()
    assert first.policy.risk == 0.01
    assert read.changed() is None
    documents.put(told(2, risk="5%"))
    (second,) = read.changed() or ()
    assert second.policy.risk == 0.05
    documents.remove(told(2))
    assert read.changed() == []


def test_a_status_that_was_written_changes_nothing() -> None:
    documents, read = policies(told(1))
    read.first()
    documents.put({**told(1, version=7), "status": {"whyNot": "Learning"}})
    assert read.changed() is None


def test_one_that_is_wrong_keeps_its_last_good_version_and_nobody_else_waits() -> None:
    documents, read = policies(told(1))
    read.first()
    documents.put(told(2, forecast={"timeZone": "Mars/Olympus"}))
    documents.put({**told(1), "metadata": {**told(1)["metadata"], "name": "other", "uid": "b"}})
    assert {each.policy.key.name for each in read.changed() or ()} == {"chat", "other"}
    assert "spec.forecast.timeZone" in read.faults[CHAT].message
    assert not read.refused  # its last good version is acted on
    documents.put(told(3))
    read.changed()
    assert read.faults == {}


def test_one_that_is_wrong_from_the_start_is_told_and_refuses_nobody() -> None:
    _, read = policies(told(1, forecast={"timeZone": "Mars/Olympus"}))
    assert not read.first()
    assert set(read.faults) == {CHAT}
    assert set(read.refused) == {PolicyKey(*CHAT)}


def test_beyond_its_namespaces_limit_the_oldest_are_acted_on_and_the_others_say_why() -> None:
    documents, read = policies(born("new", 3), born("old", 1), born("middle", 2), most=2)
    assert {each.policy.key.name for each in read.first()} == {"old", "middle"}
    assert read.faults == {
        ("ml", "new"): Refusal(
            "2 policies are acted on in namespace ml, and others come first; "
            "delete one of them, or have namespaceLimits.policies of the agent's configuration raised",
            "TooManyPolicies",
        )
    }
    assert read.refused == {PolicyKey("ml", "new"): read.faults["ml", "new"].message}
    documents.remove(born("old", 1))
    assert {each.policy.key.name for each in read.changed() or ()} == {"new", "middle"}
    assert read.faults == read.refused == {}


def test_one_that_is_wrong_takes_no_place_of_its_namespace() -> None:
    _, read = policies(born("wrong", 1, forecast={"timeZone": "Mars/Olympus"}), born("chat", 2), most=1)
    assert [each.policy.key.name for each in read.first()] == ["chat"]
    assert set(read.faults) == {("ml", "wrong")}
