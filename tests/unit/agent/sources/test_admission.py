from __future__ import annotations

import pytest

from agent.configuration import Configuration, PrometheusAddress, SourceAddress
from agent.policy import policy_of
from agent.policy.demand import Demand, PrometheusDemand
from agent.policy_files import assignment_of
from agent.sources.admission import admit
from agent.sources.prometheus import PrometheusSource
from agent.sources.source import SignalState, SourceError
from agent.sources.table import SourceTable
from tests.fakes.policies import document


def address(*namespaces: str, **matchers: str) -> SourceAddress:
    return SourceAddress(
        prometheus=PrometheusAddress(url="http://prometheus:9090"),
        namespaces=namespaces or None,
        require_matcher=matchers,
    )


def refusal(source: SourceAddress, *, namespace: str, query: str = "up", **others: SourceAddress) -> SourceError:
    with pytest.raises(SourceError) as caught:
        admit({"shop": source, **others}, "shop", namespace=namespace, query=query)
    assert not caught.value.is_retriable
    return caught.value


@pytest.mark.parametrize("patterns", [(), ("ml",), ("web", "ml"), ("m*",), ("*",)])
def test_a_namespace_that_is_named_may_read_and_all_may_where_none_is(patterns: tuple[str, ...]) -> None:
    admit({"shop": address(*patterns)}, "shop", namespace="ml", query="up")


@pytest.mark.parametrize("patterns", [("web",), ("ml-*",), ("m",), ("*-ml",)])
def test_another_namespace_may_not_and_is_told_what_it_may_read(patterns: tuple[str, ...]) -> None:
    error = refusal(address(*patterns), namespace="ml", mine=address("ml"), theirs=address("web"))

    assert error.state is SignalState.NOT_ALLOWED
    assert str(error) == "policies of namespace ml may not read source 'shop'"
    assert error.mend == (
        "name a source that it may read (mine), "
        "or have ml added to sources.shop.namespaces of the agent's configuration"
    )


def test_a_query_without_the_matcher_of_its_namespace_is_refused_with_the_selector() -> None:
    source = address(namespace="{namespace}", tenant="t-{namespace}-1")
    admit({"shop": source}, "shop", namespace="ml", query='up{namespace="ml",tenant="t-ml-1"}')
    error = refusal(source, namespace="web", query='up{namespace="ml",tenant="t-web-1"}')

    assert error.state is SignalState.OUT_OF_SCOPE
    assert str(error) == (
        "source shop answers namespace web by sources.shop.requireMatcher: "
        'the selector up{namespace="ml",tenant="t-web-1"} has no namespace="web"'
    )
    assert error.mend == 'write it as up{tenant="t-web-1",namespace="web"}'


def test_a_source_that_is_not_there_names_none_that_the_namespace_may_not_read() -> None:
    table = SourceTable(Configuration(sources={"mine": address("ml"), "theirs": address("web")}))
    asked = Demand(source="thiers", prometheus=PrometheusDemand(query="up"))
    with pytest.raises(SourceError) as for_ml:
        table.open(asked, namespace="ml")
    with pytest.raises(SourceError) as for_nobody:
        table.open(asked, namespace="other")

    assert for_ml.value.mend == "name one of the configuration's: mine"
    assert str(for_nobody.value) == "there is no source 'thiers', and none that this namespace may read"


def test_objectives_are_held_to_what_the_demand_is_and_each_is_refused_by_itself() -> None:
    source = address(namespace="{namespace}")
    spec = {
        "demand": {"prometheus": {"query": 'sum(rate(a{namespace="default"}[1m]))'}},
        "capacity": {"learned": {"initial": 12}},
        "objectives": [
            {"name": "ttft", "query": "ttft", "below": "2s"},
            {"name": "wait", "query": 'wait{namespace="default"}', "below": "60s"},
        ],
    }
    table = SourceTable(Configuration(sources={"default": source}))
    assignment = assignment_of(policy_of(document(**spec), origin="here"), table)

    assert isinstance(assignment.sources["demand"], PrometheusSource)
    ttft, wait = (objective.source for objective in assignment.learning["demand"].objectives)
    assert isinstance(ttft, SourceError)
    assert ttft.state is SignalState.OUT_OF_SCOPE
    assert isinstance(wait, PrometheusSource)
