"""`foretide adopt` against an API server that knows what a test puts there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from agent.backtest.backtest import backtest
from agent.cli import main
from agent.cli.adopt import notices_of, question
from tests.fakes.adopted import BEHAVIOR, QUERY, hpa, prometheus_trigger, proposed, scaled_object
from tests.fakes.backtest import Silent, hours, load_of
from tests.fakes.list_server import HPAS, POLICIES, SCALED_OBJECTS, ListServer
from tests.fakes.scaler_documents import an_hpa


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ListServer]:
    with ListServer(tmp_path) as server:
        yield server


def adopted(cluster: ListServer, *arguments: str) -> Result:
    environment = {"KUBECONFIG": str(cluster.kubeconfig)}
    return CliRunner().invoke(main, ["adopt", *arguments, "-n", "ml"], env=environment)


def test_what_is_printed_is_the_table_and_a_yaml_stream(cluster: ListServer) -> None:
    cluster.lists[SCALED_OBJECTS] = [dict(scaled_object(prometheus_trigger()).document)]
    result = adopted(cluster, "chat")
    assert result.exit_code == 0, result.output
    assert "ScaledObject ml/chat, scaled by trigger prometheus, 12 per replica" in result.stdout
    stream = result.stdout[result.stdout.index("# 1. Shadow") :]
    policy, there, back = yaml.safe_load_all(stream)
    assert policy["spec"]["demand"]["prometheus"]["query"] == QUERY
    assert there["spec"]["triggers"][0]["type"] == "external-push"
    assert back["spec"]["triggers"] == [prometheus_trigger()]


def test_files_are_written_with_the_commands_that_use_them(cluster: ListServer, tmp_path: Path) -> None:
    cluster.lists[HPAS] = [an_hpa("chat", behavior=BEHAVIOR)]
    out = tmp_path / "way" / "chat"
    result = adopted(cluster, "chat", "--query", QUERY, "--capacity", "12", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert sorted(each.name for each in out.iterdir()) == ["policy.yaml", "scaledobject.yaml", "way-back-hpa.yaml"]
    back = yaml.safe_load((out / "way-back-hpa.yaml").read_text())
    assert (back["apiVersion"], back["kind"]) == ("autoscaling/v2", "HorizontalPodAutoscaler")
    assert f"kubectl replace -f {out}/way-back-hpa.yaml" in result.stdout


def test_a_program_gets_all_of_it_as_json(cluster: ListServer) -> None:
    cluster.lists[HPAS] = [an_hpa("chat")]
    document = json.loads(adopted(cluster, "chat", "--query", QUERY, "--capacity", "12", "--json").stdout)
    assert (document["kind"], document["capacity"], document["targetUtilization"]) == ("HPA", 12.0, 0.7)
    assert list(document["files"]) == ["policy.yaml", "scaledobject.yaml", "way-back-hpa.yaml"]
    assert document["whatIf"] is None


def test_a_cluster_without_keda_is_told_what_the_hand_over_needs(cluster: ListServer) -> None:
    del cluster.lists[SCALED_OBJECTS]
    cluster.lists[HPAS] = [an_hpa("chat")]
    result = adopted(cluster, "chat", "--query", QUERY, "--capacity", "12", "--json")
    assert any("install KEDA before the hand-over" in note for note in json.loads(result.stdout)["notes"])


def test_a_policy_of_the_name_is_seen_and_one_that_may_not_be_read_is_no_fault(cluster: ListServer) -> None:
    cluster.lists |= {HPAS: [an_hpa("chat")], POLICIES: [{"metadata": {"name": "chat"}}]}
    asked = ("chat", "--query", QUERY, "--capacity", "12")
    assert "there is a policy ml/chat already" in " ".join(adopted(cluster, *asked).stdout.split())
    cluster.refused = {POLICIES}
    assert adopted(cluster, *asked).exit_code == 0


def test_what_cannot_be_adopted_is_a_wrong_command_line(cluster: ListServer) -> None:
    assert adopted(cluster, "chat").exit_code == 2
    cluster.lists[HPAS] = [an_hpa("chat")]
    result = adopted(cluster, "chat")
    assert result.exit_code == 2
    assert "Give --query and --capacity" in result.stderr


def test_a_refusal_of_the_api_server_is_told_with_its_path(cluster: ListServer) -> None:
    cluster.refused = {HPAS}
    result = adopted(cluster, "chat")
    assert result.exit_code == 1
    assert f"GET {HPAS}: 403" in result.stderr


def test_the_comparison_plays_todays_hpa_with_its_own_target_and_rules() -> None:
    asked = question(
        proposed(hpa(behavior=BEHAVIOR, maxReplicas=40), query=QUERY, capacity=10), 0.01, timedelta(minutes=2)
    )
    outcome = backtest(load_of(hours(6)), asked, Silent())
    assert (outcome.question.target, outcome.question.hpa.maximum) == (0.7, 40)
    assert (asked.hpa.tolerance_up, asked.hpa.stabilization) == (0.05, timedelta(minutes=2))
    assert "At the maximum" not in [each.title for each in notices_of(outcome)]
    assert set(outcome.policies) == {"hpa", "best_reactive", "foretide", "perfect"}


def test_a_maximum_that_bends_the_comparison_is_told() -> None:
    asked = question(proposed(hpa(maxReplicas=9), query=QUERY, capacity=10), 0.01, timedelta(minutes=2))
    first = notices_of(backtest(load_of(hours(6)), asked, Silent()))[0]
    assert first.title == "At the maximum"
    assert "today's HPA has its 9 replicas for" in first.what
