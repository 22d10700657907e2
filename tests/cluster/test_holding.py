"""What a namespace is said to let in is what a real API server lets in: its own admission is asked with real pods."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from agent.cluster.limit_ranges import refusals, with_defaults
from agent.cluster.namespaces import rules_of
from agent.cluster.quotas import rooms
from agent.cluster.workloads import kept_template, template_of
from tests.cluster.api import Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.processes import eventually
from tests.fakes.namespace_documents import a_container

pytestmark = [
    pytest.mark.real,
    pytest.mark.rig("what admission lets in is counted where nobody else's webhooks have a say"),
]

QUOTAS = "held-by-quotas"
_NUMBERS = itertools.count(1)
SMALL = a_container(requests={"cpu": "100m"}, limits={"cpu": "200m"})
LARGE = a_container(requests={"cpu": "2"}, limits={"cpu": "4"})
SILENT = a_container()
GPU = a_container(limits={"nvidia.com/gpu": "2"})
INIT = a_container("load", requests={"cpu": "3"})
SIDECAR = a_container("proxy", requests={"cpu": "1"}, restartPolicy="Always")


def pods() -> Iterator[Any]:
    yield pytest.param({"containers": [SMALL]}, id="small")
    yield pytest.param({"containers": [LARGE]}, id="large")
    yield pytest.param({"containers": [SILENT]}, id="silent")
    yield pytest.param({"containers": [GPU]}, id="gpu")
    yield pytest.param({"containers": [SMALL], "initContainers": [INIT]}, id="init")
    yield pytest.param({"containers": [SMALL], "initContainers": [SIDECAR, INIT]}, id="sidecar and init")


def ranges() -> Iterator[Any]:
    for entry in (
        {"type": "Container", "max": {"cpu": "1"}},
        {"type": "Container", "min": {"cpu": "200m"}},
        {"type": "Container", "default": {"cpu": "3"}, "defaultRequest": {"cpu": "150m"}, "min": {"cpu": "150m"}},
        {"type": "Container", "maxLimitRequestRatio": {"cpu": "1"}},
        {"type": "Pod", "max": {"cpu": "3"}},
        {"type": "Pod", "min": {"cpu": "500m"}},
    ):
        yield pytest.param(entry, id=str(entry))


def quotas() -> Iterator[Any]:
    for spec in (
        {"hard": {"requests.cpu": "3"}},
        {"hard": {"cpu": "4", "pods": "3"}},
        {"hard": {"limits.cpu": "1"}},
        {"hard": {"requests.nvidia.com/gpu": "4"}},
        {"hard": {"pods": "1"}, "scopes": ["BestEffort"]},
        {"hard": {"requests.cpu": "3"}, "scopes": ["NotTerminating"]},
    ):
        yield pytest.param(spec, id=str(spec))


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> Api:
    control_plane.api.create(_namespace(QUOTAS))
    return control_plane.api


@pytest.fixture
def bounds(api: Api, request: pytest.FixtureRequest) -> Object:
    """A LimitRange in a namespace of its own: one that is gone would still count for half a minute."""
    namespace = f"held-by-ranges-{next(_NUMBERS)}"
    api.create(_namespace(namespace))
    return api.create(_object(namespace, "LimitRange", "bounds", {"limits": [request.param]}))


@pytest.fixture
def quota(api: Api, request: pytest.FixtureRequest) -> Iterator[Object]:
    api.create(_object(QUOTAS, "ResourceQuota", "team", request.param))
    path = f"/api/v1/namespaces/{QUOTAS}/resourcequotas/team"
    yield eventually(lambda: _in_force(api, path), "the quota is in force", within=30, told=lambda: str(api.get(path)))
    api.delete(path)


@pytest.mark.parametrize("bounds", [*ranges()], indirect=True)
@pytest.mark.parametrize("spec", [*pods()])
def test_a_limit_range_refuses_the_pods_that_it_is_said_to(api: Api, bounds: Object, spec: Object) -> None:
    (known,) = [rules_of({"limitranges": [bounds]}, {})]
    template = with_defaults(template_of(kept_template({"spec": spec})), known.limit_ranges)

    assert _let_in(api, bounds["metadata"]["namespace"], spec, most=1) == (
        0 if list(refusals(template, known.limit_ranges)) else 1
    )


@pytest.mark.parametrize("quota", [*quotas()], indirect=True)
@pytest.mark.parametrize("spec", [*pods()])
def test_a_quota_lets_in_as_many_pods_as_it_is_said_to_have_room_for(api: Api, quota: Object, spec: Object) -> None:
    known = rules_of({"resourcequotas": [quota]}, {})
    room = [each.fits for each in rooms(known.quotas, template_of(kept_template({"spec": spec})), 0)]

    assert _let_in(api, QUOTAS, spec, most=4) == min([4, *room])


def _let_in(api: Api, namespace: str, spec: Object, *, most: int) -> int:
    """Create pods until one is refused, or most; return how many were let in, and take them away again."""
    let_in = 0
    try:
        for number in range(most):
            api.create(_object(namespace, "Pod", f"p-{number}", {**spec, "terminationGracePeriodSeconds": 0}))
            let_in += 1
    except AssertionError as refusal:
        # 422: what a request is over the limit that was filled in for it
        assert any(code in str(refusal) for code in (" 403 ", " 422 ")), refusal  # noqa: PT017 - else the test is wrong
    for number in range(let_in):
        api.delete(f"/api/v1/namespaces/{namespace}/pods/p-{number}")
    return let_in


def _in_force(api: Api, path: str) -> Object | None:
    """Return the quota once it is counted, and the pods of the test before are no longer."""
    status = (api.get(path) or {}).get("status", {})
    is_counted = "used" in status and all(value == "0" for value in status["used"].values())
    return api.get(path) if is_counted else None


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _object(namespace: str, kind: str, name: str, spec: Object) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
