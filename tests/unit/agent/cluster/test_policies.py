from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.cluster.documents import Documents
from agent.cluster.policies import ClusterPolicies
from agent.configuration import Configuration
from agent.sources.table import SourceTable
from tests.fakes.policies import document

CHAT = ("ml", "chat")


def told(generation: int, *, version: int | None = None, **spec: object) -> Mapping[str, Any]:
    policy = document()
    metadata = {"name": "chat", "namespace": "ml", "uid": "a", "generation": generation}
    metadata["resourceVersion"] = str(version or generation)
    return {**policy, "metadata": metadata, "spec": {**policy["spec"], **spec}}


def policies(*first: Mapping[str, Any]) -> tuple[Documents, ClusterPolicies]:
    documents = Documents()
    documents.replace(first)
    return documents, ClusterPolicies(documents, SourceTable(Configuration()))


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
    assert "spec.forecast.timeZone" in read.faults[CHAT]
    documents.put(told(3))
    read.changed()
    assert read.faults == {}


def test_one_that_is_wrong_from_the_start_is_told_and_refuses_nobody() -> None:
    _, read = policies(told(1, forecast={"timeZone": "Mars/Olympus"}))
    assert not read.first()
    assert set(read.faults) == {CHAT}
