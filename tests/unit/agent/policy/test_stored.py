"""What an API server stored under an older CRD is taken by this one, and nothing of it is lost."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.policy import policy_of
from agent.policy.crd import custom_resource_definition
from agent.policy.status import PolicyStatus, status_json
from tests.fakes.api_server import FakeApiServer

STORED = [
    document
    for file in sorted((Path(__file__).parents[3] / "golden" / "stored").glob("*.yaml"))
    for document in yaml.safe_load_all(file.read_text("utf-8"))
]
SERVER = FakeApiServer(custom_resource_definition())
each_stored = pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored["metadata"]["name"])


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, entry in inner:
        yield from leaves(entry, f"{path}.{step}")
    if not inner:
        yield path, value


def test_there_are_stored_documents() -> None:
    assert [document["metadata"]["name"] for document in STORED] == ["chat", "two-signals"]


@each_stored
def test_the_server_takes_it_and_prunes_nothing(stored: dict[str, Any]) -> None:
    kept = deepcopy(stored)
    SERVER.fill_in(kept)

    assert SERVER.refusals(stored) == []
    assert dict(leaves(stored)).items() <= dict(leaves(kept)).items()


@each_stored
def test_the_agent_takes_it(stored: dict[str, Any]) -> None:
    assert policy_of(stored, origin="stored").metadata.name == stored["metadata"]["name"]


def test_the_agent_reads_its_status_back_as_it_was() -> None:
    (chat, _) = STORED

    assert status_json(PolicyStatus.model_validate(chat["status"])) == chat["status"]


def test_a_field_that_a_crd_forgets_would_be_seen() -> None:
    definition = deepcopy(custom_resource_definition())
    (version,) = definition["spec"]["versions"]  # type: ignore[index]
    del version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["savings"]
    kept = deepcopy(STORED[0])
    FakeApiServer(definition).fill_in(kept)

    assert "savings" not in kept["status"]
