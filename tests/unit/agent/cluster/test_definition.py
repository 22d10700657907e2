"""A CRD that this agent cannot work with is told with its mend, and so is one that would lose what is written."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from agent.cluster.definition import CRD_AT, SERVED_AT, Definition, definition_of, lacking, misfit, read_definition
from agent.cluster.reading import NotRead
from agent.policy.crd import custom_resource_definition
from tests.fakes.api_documents import Documents

OURS: Any = custom_resource_definition()
RENDER = "foretide render crd | kubectl apply --server-side -f -"


def changed(**version: object) -> Any:
    """Return our CRD with changes of its one version."""
    crd = deepcopy(OURS)
    crd["spec"]["versions"][0] |= version
    return crd


def test_our_own_fits() -> None:
    definition = definition_of(OURS)
    assert definition == Definition(("v1alpha1",))
    assert (misfit(definition), lacking(definition)) == (None, None)


def test_one_without_our_version_does_not() -> None:
    for crd in (changed(name="v2"), changed(served=False)):
        assert misfit(definition_of(crd)) is not None
    fault = misfit(definition_of(changed(name="v2")))
    assert fault is not None
    assert fault.what == "the CRD forecastpolicies.foretide.dev serves v2, and this Foretide reads v1alpha1"
    assert fault.mend.endswith(RENDER)


def test_one_beside_another_version_fits() -> None:
    crd = changed()
    crd["spec"]["versions"].append({**deepcopy(crd["spec"]["versions"][0]), "name": "v1"})
    assert misfit(definition_of(crd)) is None


def test_one_without_a_status_of_its_own_does_not() -> None:
    fault = misfit(definition_of(changed(subresources={})))
    assert fault is not None
    assert "no status subresource" in fault.what


def test_fields_that_an_older_one_lacks_are_told_and_those_of_a_newer_one_are_not() -> None:
    older = changed()
    fields = older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    del fields["status"]["properties"]["whyNot"], fields["spec"]["properties"]["leadTime"]
    fields["spec"]["properties"]["later"] = {"type": "string"}
    told = lacking(definition_of(older))
    assert misfit(definition_of(older)) is None
    assert told == (
        "the CRD forecastpolicies.foretide.dev is of an older version and lacks spec.leadTime, status.whyNot: what is"
        " written there is lost"
    )


async def test_where_the_crd_may_not_be_read_discovery_says_which_versions_are_served() -> None:
    api = Documents()
    api.by_path = {CRD_AT: 403, SERVED_AT: {"versions": [{"groupVersion": "foretide.dev/v2", "version": "v2"}]}}
    assert await read_definition(api) == Definition(("v2",), is_seen=False)
    api.by_path[SERVED_AT] = 404
    fault = misfit(await read_definition(api))
    assert fault is not None
    assert (fault.what, fault.mend) == ("the CRD forecastpolicies.foretide.dev is not installed", RENDER)


async def test_an_api_server_that_does_not_answer_says_nothing_of_the_crd() -> None:
    api = Documents()
    api.by_path = {CRD_AT: 0}
    with pytest.raises(NotRead):
        await read_definition(api)
