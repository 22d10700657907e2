"""The CRD is structural, bounded, and the reviewed one.

`FORETIDE_REWRITE_GOLDEN=1 python -m pytest tests/unit/agent/policy/test_crd.py` rewrites the reviewed one, which is
the chart's.
"""

import os
from pathlib import Path

import pytest
import yaml
from pydantic import Field

from agent.policy.crd import custom_resource_definition, custom_resource_definition_yaml
from agent.policy.crd.structural import NotStructural, structural
from agent.policy.part import Part
from agent.policy.schema import inlined_schema
from tests.fakes.api_server import broken

GOLDEN = Path(__file__).parents[4] / "charts" / "foretide" / "files" / "forecastpolicies.foretide.dev.yaml"
ALLOWED_IN_ALTERNATIVES = "x-kubernetes-int-or-string"


DEFINITION = custom_resource_definition()
(VERSION,) = DEFINITION["spec"]["versions"]


def nodes(schema, path=""):
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}".removeprefix("."))
    for inner in ("items", "additionalProperties"):
        if inner in schema:
            yield from nodes(schema[inner], f"{path}[]")


def all_nodes():
    properties = VERSION["schema"]["openAPIV3Schema"]["properties"]
    return [node for part in ("spec", "status") for node in nodes(properties[part], part)]


def test_the_crd_is_the_reviewed_one():
    rendered = custom_resource_definition_yaml()
    if os.environ.get("FORETIDE_REWRITE_GOLDEN") == "1":
        GOLDEN.write_text(rendered, "utf-8")
    assert rendered == GOLDEN.read_text("utf-8")


def test_the_file_says_what_the_values_say():
    assert yaml.safe_load(custom_resource_definition_yaml()) == DEFINITION


def test_every_value_has_one_type_or_is_int_or_string():
    for path, schema in all_nodes():
        is_typed = schema.get("type") in {"string", "integer", "number", "boolean", "array", "object"}
        assert is_typed != (schema.get(ALLOWED_IN_ALTERNATIVES) is True), path


def test_nothing_is_said_that_a_structural_schema_may_not_hold():
    forbidden = {
        "$ref",
        "$defs",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "title",
        "const",
        "patternProperties",
        "propertyNames",
        "x-kubernetes-preserve-unknown-fields",  # what is kept unchecked today may be refused by a later version
        "x-kubernetes-embedded-resource",
    }
    for path, schema in all_nodes():
        assert not forbidden & schema.keys(), path
        assert not isinstance(schema.get("additionalProperties"), bool), path
        assert "default" not in schema or schema["default"] is not None, path


def test_everything_is_bounded_so_that_rules_have_a_bounded_cost():
    for path, schema in all_nodes():
        if schema.get("type") == "string" or ALLOWED_IN_ALTERNATIVES in schema:
            assert schema["maxLength"] <= 16_384, path
        if schema.get("type") == "array":
            assert schema["maxItems"] <= 16, path
        if "additionalProperties" in schema:
            assert schema["maxProperties"] <= 16, path


def test_everything_is_described():
    assert [path for path, schema in all_nodes() if not path.endswith("[]") and not schema.get("description")] == []


def test_a_default_keeps_the_rules_before_its_own_fields_are_filled_in():
    with_default = [(path, schema) for path, schema in all_nodes() if "default" in schema]
    assert len(with_default) > 30
    assert [fault for path, schema in with_default for fault in broken(schema["default"], schema, path)] == []


def test_what_later_versions_act_on_says_so():
    spec = VERSION["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert spec["drain"]["description"].endswith("Reserved: accepted, not acted on by this version.")


def test_an_object_in_a_cluster_cannot_name_a_file_of_the_agent():
    demand = VERSION["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["demand"]["properties"]
    assert {"csv", "simulator"}.isdisjoint(demand)


def test_names_scope_and_subresource_are_the_contract():
    assert DEFINITION["metadata"]["name"] == "forecastpolicies.foretide.dev"
    assert DEFINITION["spec"]["names"]["shortNames"] == ["fcp"]
    assert DEFINITION["spec"]["scope"] == "Namespaced"
    assert (VERSION["name"], VERSION["served"], VERSION["storage"]) == ("v1alpha1", True, True)
    assert VERSION["subresources"] == {"status": {}}


def test_get_shows_what_a_person_wants_to_know():
    shown = [column["name"] for column in VERSION["additionalPrinterColumns"] if not column.get("priority")]
    first = [
        "Mode",
        "Ready",
        "Replicas",
        "Needed",
        "Risk",
        "Achieved",
        "Expert",
        "Lead Time",
        "Saving",
        "Age",
        "Why Not",
    ]
    assert shown == first


def test_columns_point_at_fields_that_exist():
    known = {f".{path}" for path, _ in all_nodes()} | {".metadata.creationTimestamp"}
    paths = [column["jsonPath"] for column in VERSION["additionalPrinterColumns"]]
    assert {path.replace('[?(@.type=="Ready")]', "[]") for path in paths} <= known


def test_a_model_that_a_structural_schema_cannot_say_is_named():
    class Odd(Part):
        share: float = Field(description="x", gt=0)

    with pytest.raises(NotStructural, match=r"\.share has exclusiveMinimum"):
        structural(inlined_schema(Odd))
