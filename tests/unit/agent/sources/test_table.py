from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agent.configuration import Configuration, PrometheusAddress, SourceAddress
from agent.policy.demand import CsvDemand, Demand, KafkaDemand, PrometheusDemand, SimulatorDemand
from agent.sources.csv_source import CsvSource
from agent.sources.prometheus import PrometheusSource
from agent.sources.source import RangeSource, SignalState, SourceError
from agent.sources.table import SourceTable, open_source
from tests.fakes.sources import ScriptedSource

ADDRESS = SourceAddress(prometheus=PrometheusAddress(url="http://prometheus:9090"))
CONFIGURATION = Configuration(sources={"default": ADDRESS, "mimir": ADDRESS})


def _prometheus(source: str = "default") -> Demand:
    return Demand(source=source, prometheus=PrometheusDemand(query="sum(up)"), step=timedelta(seconds=15))


def test_a_query_is_read_from_the_source_that_the_policy_names() -> None:
    source = open_source(_prometheus("mimir"), CONFIGURATION, namespace="ml")

    assert isinstance(source, PrometheusSource)
    assert isinstance(source, RangeSource)


def test_signals_on_one_server_share_its_threads() -> None:
    table = SourceTable(CONFIGURATION)
    table.open(_prometheus(), namespace="ml")
    table.open(_prometheus(), namespace="ml")
    table.open(_prometheus("mimir"), namespace="ml")

    assert sorted(table._servers) == ["default", "mimir"]


def test_an_objective_is_asked_for_where_the_signal_is_read() -> None:
    table = SourceTable(CONFIGURATION)

    assert isinstance(table.open_query(_prometheus("mimir"), "ttft", namespace="ml"), PrometheusSource)
    assert sorted(table._servers) == ["mimir"]


def test_an_objective_of_a_signal_that_is_not_read_by_queries_cannot_be_asked_for() -> None:
    with pytest.raises(SourceError, match="an objective is a query, and the demand is read without one") as caught:
        SourceTable(CONFIGURATION).open_query(Demand(csv=CsvDemand(path="demand.csv")), "ttft", namespace="ml")

    assert caught.value.state is SignalState.NOT_CONFIGURED
    assert caught.value.mend == "read the demand by `prometheus`, or declare the capacity"


def test_a_file_needs_no_configured_source(tmp_path: Path) -> None:
    demand = Demand(csv=CsvDemand(path=str(tmp_path / "demand.csv")))

    assert isinstance(open_source(demand, Configuration(), namespace="ml"), CsvSource)


def test_a_kind_from_outside_takes_part() -> None:
    scripted = ScriptedSource([])
    demand = Demand(simulator=SimulatorDemand())

    assert open_source(demand, Configuration(), namespace="ml", extra={"simulator": lambda _: scripted}) is scripted


@pytest.mark.parametrize(
    ("demand", "configuration", "message", "mend"),
    [
        (_prometheus(), Configuration(), "no source is configured, and the policy reads 'default'",
         "give --prometheus-url URL, or `sources` in the file of --config"),
        (_prometheus("mimr"), CONFIGURATION, "there is no source 'mimr'",
         "did you mean 'mimir'? name one of the configuration's: default, mimir"),
        (Demand(kafka=KafkaDemand.model_validate({"topic": "t", "consumerGroup": "g"})), CONFIGURATION,
         "demand of kind kafka cannot be read by this version", "use one of: csv, prometheus; kafka comes later"),
    ],
)  # fmt: skip
def test_a_signal_that_cannot_be_opened_says_what_to_mend(
    demand: Demand, configuration: Configuration, message: str, mend: str
) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(demand, configuration, namespace="ml")

    assert caught.value.state is SignalState.NOT_CONFIGURED
    assert (str(caught.value), caught.value.mend) == (message, mend)
