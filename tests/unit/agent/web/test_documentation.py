from __future__ import annotations

import pytest

from agent.web import chart_models, models, problems, records
from agent.web.base import ApiModel

DOCUMENTED = [
    each
    for module in (models, chart_models, records, problems)
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, ApiModel | problems.Problem) and each.__module__ == module.__name__
]


def _examples(model: type) -> list[object]:
    extra = model.model_config.get("json_schema_extra") or {}  # type: ignore[attr-defined]
    return list(extra.get("examples", []))


@pytest.mark.parametrize("model", [each for each in DOCUMENTED if _examples(each)], ids=lambda each: each.__name__)
def test_every_documented_example_is_a_valid_document(model: type[ApiModel]) -> None:
    for example in _examples(model):
        assert model.model_validate(example).model_dump(mode="json") == example


async def test_every_operation_of_the_api_shows_an_example(client) -> None:
    schema = (await client().get("/api/v1/openapi.json")).json()
    without = []
    for path, operations in schema["paths"].items():
        content = operations["get"]["responses"]["200"].get("content", {})
        reference = content.get("application/json", {}).get("schema", {}).get("$ref")
        if path.startswith("/api/") and not schema["components"]["schemas"][reference.split("/")[-1]].get("examples"):
            without.append(path)
    assert without == []


async def test_nothing_can_be_written(client) -> None:
    schema = (await client().get("/api/v1/openapi.json")).json()
    assert {method for operations in schema["paths"].values() for method in operations} == {"get"}
