"""A real API server takes the CRD, and keeps and refuses policies as its stand-in in the unit tests does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.policy.crd import custom_resource_definition
from tests.cluster.api import Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.processes import eventually
from tests.fakes.api_server import FakeApiServer
from tests.fakes.policies import document, full_document

pytestmark = [pytest.mark.real, pytest.mark.rig("the CRD is deleted, and with it every policy")]

CRD = custom_resource_definition()
STAND_IN = FakeApiServer(CRD)
NAMESPACE = "policies"
POLICIES = f"/apis/foretide.dev/v1alpha1/namespaces/{NAMESPACE}/forecastpolicies"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> Iterator[Api]:
    """An API server that serves policies."""
    api = control_plane.api
    api.apply(CRD)
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/forecastpolicies.foretide.dev"
    eventually(lambda: api.get(POLICIES), "policies are served", within=60, told=lambda: str(api.get(path)))
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    yield api
    api.delete(path)
    eventually(lambda: api.get(path) is None, "the CRD is gone", within=60, told=lambda: str(api.get(path)))


def named(name: str, policy: Object) -> Object:
    return {**deepcopy(policy), "metadata": {"name": name, "namespace": NAMESPACE}}


def documents(file: Path) -> list[Object]:
    """Return the policies of a file as kubectl sends them: instants are text in JSON."""
    loaded = [each for each in yaml.safe_load_all(file.read_text("utf-8")) if each["kind"] == "ForecastPolicy"]
    return [dict(json.loads(json.dumps(each, default=datetime.isoformat))) for each in loaded]


def good() -> Iterator[Any]:
    yield pytest.param(named("least", document()), id="least")
    without_alerts = full_document()
    without_alerts["spec"]["alerts"] = {}  # open in a file, without fields in a cluster
    yield pytest.param(named("full", without_alerts), id="full")
    files = (ROOT / "examples" / "policies", ROOT / "tests" / "golden" / "stored")
    for file in sorted(path for folder in files for path in folder.glob("*.yaml")):
        for number, policy in enumerate(documents(file)):
            name = f"{file.stem}-{number}"
            if "csv" not in policy["spec"].get("demand", {}):  # no object in a cluster may name a file
                yield pytest.param(named(name, policy), id=name)


@pytest.mark.parametrize("policy", [*good()])
def test_a_good_policy_is_kept_whole_with_the_defaults_of_the_models(api: Api, policy: Object) -> None:
    stored = api.apply({name: part for name, part in policy.items() if name != "status"})

    expected = deepcopy(policy)
    STAND_IN.fill_in(expected)
    assert stored["spec"] == expected["spec"]
    assert (api.get(f"{POLICIES}/{policy['metadata']['name']}") or {})["spec"] == expected["spec"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"replicas__min": 41}, "must be at most max"),
        ({"replicas__min": -1}, "should be greater than or equal to 0"),
        ({"replicas": {"min": 4, "max": 6, "gang": 4}}, "must be a multiple of gang"),
        ({"replicas__max": "40"}, "must be of type integer"),
        ({"risk": "50%"}, "must be above 0% and below 50%"),
        ({"risk": "1"}, "should match"),
        ({"mode": "Loud"}, "supported values"),
        ({"leadTime": None}, "Required value"),
        ({"leadTime__declared": "90"}, "should match"),
        ({"leadTime__declared": "25h"}, "must be between 1ms and 1d"),
        ({"leadTime__declared": "2h"}, "must be at least the look-ahead"),
        ({"demand__step": "2h"}, "must be between 1s and 1h"),
        ({"demand__kafka": {"topic": "t", "consumerGroup": "g"}}, "must have exactly one of prometheus, kafka"),
        ({"demand": None}, "must have exactly one of demand, signals"),
        ({"demand": {"csv": {"path": "/etc/passwd"}}}, "must have exactly one of prometheus, kafka"),
        ({"capacity__perReplica": -1}, "must be above 0"),
        ({"capacity": None}, "must be given, here or in each entry of signals"),
        ({"forecast__models": ["auto", "prophet"]}, "supported values"),
        ({"staleness": {"forecast": "10m", "data": "5m"}}, "must be at"),
    ],
    ids=lambda given: str(given)[:60],
)
def test_a_wrong_policy_is_refused_with_the_rule_it_breaks(api: Api, wrong: dict[str, object], said: str) -> None:
    policy = named("wrong", document(**wrong))

    assert STAND_IN.refusals(policy) != []
    with pytest.raises(AssertionError) as refusal:
        api.create(policy)
    assert said in str(refusal.value)
    assert api.get(f"{POLICIES}/wrong") is None


def test_two_signals_of_one_name_are_refused(api: Api) -> None:
    twice = [{"name": "a", "prometheus": {"query": "x"}}] * 2
    with pytest.raises(AssertionError, match="Duplicate value"):
        api.create(named("wrong", document(demand=None, signals=twice)))


def test_an_unknown_field_is_pruned_or_told(api: Api) -> None:
    policy = named("unknown", document(alerts={"receiver": "team"}, risks="1%"))

    with pytest.raises(AssertionError, match=r"spec\.risks: field not declared in schema"):
        api.apply(policy)
    stored = api.create(policy)
    assert "risks" not in stored["spec"]
    assert stored["spec"]["alerts"] == {}


def test_status_is_written_apart_and_shown_by_get(api: Api) -> None:
    (with_status, _) = documents(ROOT / "tests" / "golden" / "stored" / "v1alpha1-first.yaml")
    policy = named("shown", with_status)
    status = {**policy["status"], "whyNot": "Learning: needs 31 h more history"}

    assert "status" not in api.create(policy)
    assert api.patch(f"{POLICIES}/shown/status", {"status": status})["status"] == status
    table = api.table(f"{POLICIES}/shown")
    shown = dict(zip((column["name"] for column in table["columnDefinitions"]), table["rows"][0]["cells"], strict=True))
    assert {name: cell for name, cell in shown.items() if name not in {"Name", "Age", "KEDA Gets"}} == {
        "Mode": "Active",
        "Ready": "True",
        "Replicas": 10,
        "Needed": 11.2,
        "Risk": "1%",
        "Achieved": "0.4%",
        "Expert": "harmonic",
        "Lead Time": "2m",
        "Saving": "12%",
        "Why Not": "Learning: needs 31 h more history",
        "Reason": "Answering",
        "Target": "chat",
    }


def test_a_wrong_status_is_refused(api: Api) -> None:
    api.create(named("status", document()))

    with pytest.raises(AssertionError, match=r"status\.risk\.achieved"):
        api.patch(f"{POLICIES}/status/status", {"status": {"risk": {"set": "1%", "achieved": "some"}}})
