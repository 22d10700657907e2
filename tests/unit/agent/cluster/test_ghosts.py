"""A target that was deleted while the watch was cut is forgotten, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agent.cluster.documents import Documents
from agent.cluster.ghosts import forget_gone
from agent.cluster.reading import NotRead
from agent.cluster.targets import DEPLOYMENTS, STATEFUL_SETS
from tests.fakes import api_documents

DEPLOYMENTS_AT = "/apis/apps/v1/deployments"
STATEFUL_SETS_AT = "/apis/apps/v1/statefulsets"


def an_object(name: str, version: str) -> dict[str, object]:
    return {"metadata": {"namespace": "ml", "name": name, "uid": f"uid-{name}", "resourceVersion": version}}


class Rig:
    """What the watch has told, and what the API server has: a list of version 900."""

    def __init__(self) -> None:
        self.api = api_documents.Documents()
        self.deployments, self.stateful_sets = Documents(), Documents()
        self.kept = {DEPLOYMENTS: self.deployments, STATEFUL_SETS: self.stateful_sets}
        self.there(DEPLOYMENTS_AT)
        self.there(STATEFUL_SETS_AT)

    def there(self, path: str, *names: str) -> None:
        items = [an_object(name, "5") for name in names]  # of names alone an API server says null where there is none
        self.api.by_path[path] = {"metadata": {"resourceVersion": "900"}, "items": items or None}


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_what_the_list_does_not_have_is_forgotten_and_what_came_after_it_stays(rig: Rig) -> None:
    for name, version in (("chat", "10"), ("gone", "11"), ("late", "901")):
        rig.deployments.put(an_object(name, version))
    rig.stateful_sets.put(an_object("gone", "12"))
    rig.there(DEPLOYMENTS_AT, "chat")
    assert await forget_gone(rig.api, rig.kept, namespaces=()) == 2
    assert [each["metadata"]["name"] for each in rig.deployments.all()] == ["chat", "late"]
    assert rig.stateful_sets.all() == []


async def test_of_what_is_there_nothing_that_is_known_is_replaced(rig: Rig) -> None:
    whole = {**an_object("chat", "10"), "spec": {"replicas": 3}}
    rig.deployments.put(whole)
    changes = rig.deployments.changes
    rig.there(DEPLOYMENTS_AT, "chat")
    assert await forget_gone(rig.api, rig.kept, namespaces=()) == 0
    assert rig.deployments.get(("ml", "chat")) == whole
    assert rig.deployments.changes == changes


async def test_all_pages_of_a_list_count(rig: Rig) -> None:
    class Pages(api_documents.Documents):
        async def get(self, path: str, query: Sequence[tuple[str, str]] = (), *, accept: str = "") -> bytes:
            return await super().get(f"{path}/second" if ("continue", "more") in query else path, accept=accept)

    pages = Pages()
    pages.by_path = dict(rig.api.by_path)
    pages.by_path[DEPLOYMENTS_AT] = {
        "metadata": {"resourceVersion": "900", "continue": "more"},
        "items": [an_object("first", "5")],
    }
    pages.by_path[f"{DEPLOYMENTS_AT}/second"] = {
        "metadata": {"resourceVersion": "900"},
        "items": [an_object("chat", "5")],
    }
    for name in ("chat", "first", "gone"):
        rig.deployments.put(an_object(name, "10"))
    assert await forget_gone(pages, rig.kept, namespaces=()) == 1
    assert [each["metadata"]["name"] for each in rig.deployments.all()] == ["chat", "first"]


async def test_a_list_that_is_refused_takes_nothing(rig: Rig) -> None:
    rig.deployments.put(an_object("chat", "10"))
    rig.api.by_path[DEPLOYMENTS_AT] = 403
    with pytest.raises(NotRead, match=f"GET {DEPLOYMENTS_AT}: 403"):
        await forget_gone(rig.api, rig.kept, namespaces=())
    assert len(rig.deployments.all()) == 1


async def test_an_answer_that_is_no_list_takes_nothing(rig: Rig) -> None:
    rig.deployments.put(an_object("chat", "10"))
    rig.api.by_path[DEPLOYMENTS_AT] = {"kind": "Status"}
    with pytest.raises(NotRead, match="this is no list"):
        await forget_gone(rig.api, rig.kept, namespaces=())
    assert len(rig.deployments.all()) == 1


async def test_a_namespace_alone_is_listed_where_one_is_named(rig: Rig) -> None:
    rig.deployments.put(an_object("gone", "10"))
    for path in (DEPLOYMENTS_AT, STATEFUL_SETS_AT):
        rig.there(path.replace("/v1/", "/v1/namespaces/ml/"))
    assert await forget_gone(rig.api, rig.kept, namespaces=("ml",)) == 1
    assert all("/namespaces/ml/" in asked for asked in rig.api.asked)
