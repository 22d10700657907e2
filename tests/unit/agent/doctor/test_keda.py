from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from click.testing import CliRunner

from agent.cli import main
from agent.doctor.finding import Finding, Level
from agent.doctor.keda import check_keda, second_try
from scalers.jobs import JobsWanted
from scalers.keda.server import KedaServer, ServerSettings
from scalers.policy import PolicyKey
from tests.fakes.board import CHAT, IDLE, REFUSAL, HeldBoard, needing
from tests.fakes.rpcs import RecordedRpcs

POLICY = """
apiVersion: foretide.dev/v1alpha1
kind: ForecastPolicy
metadata: {name: chat, namespace: ml}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}
  demand: {prometheus: {query: 'up'}}
  capacity: {perReplica: 12}
  replicas: {min: 1, max: 40}
  leadTime: {declared: 2m}
"""


@dataclass
class Agent:
    """The real servicer on a real channel, over a board that the test holds."""

    board: HeldBoard
    rpcs: RecordedRpcs
    address: str

    def findings(self, *policies: PolicyKey, patience: float = 3.0) -> list[Finding]:
        with grpc.insecure_channel(self.address) as channel:
            return check_keda(channel, policies or [CHAT], address=self.address, deadline=timedelta(seconds=patience))


@pytest.fixture
def agent() -> Iterator[Agent]:
    board, rpcs = HeldBoard(), RecordedRpcs()
    server = KedaServer(board, rpcs, ServerSettings(drain_delay=timedelta(0)))
    yield Agent(board, rpcs, f"127.0.0.1:{server.start('127.0.0.1:0')}")
    server.stop(timedelta(0))


def found(findings: list[Finding]) -> list[tuple[str, str, str]]:
    """Return rpc, level and conclusion; times, which are never the same, are left out after a look at their form."""
    *findings, timing = findings
    assert timing.check == "time of calls"
    assert re.fullmatch(
        r"\d+ calls, half of them within [\d.]+ ms, the slowest \w+ of ml/\w+ \([\d.]+ ms\)", timing.what
    )
    assert all(re.search(r" \(\d+\.\d ms\)$", each.what) for each in findings if each.level is Level.OK)
    return [
        (each.check.removeprefix("policy ml/chat: "), str(each.level), re.sub(r" \([\d.]+ ms\)$", "", each.what))
        for each in findings
    ]


def test_every_call_has_what_keda_would_conclude(agent: Agent) -> None:
    agent.board.put(CHAT, needing(12.2))
    assert found(agent.findings()) == [
        ("GetMetricSpec", "OK", "metric foretide-replicas, target 1"),
        ("GetMetrics", "OK", "12.2: HPA would ask for 13 replicas"),
        ("IsActive", "OK", "active: KEDA would keep at least one replica"),
        ("StreamMetricSpec", "OK", "metric foretide-replicas, target 1"),
        ("StreamIsActive", "OK", "active, pushed: KEDA would wake a target at zero at once"),
    ]


def test_idleness_is_well_and_named_for_what_it_leads_to(agent: Agent) -> None:
    agent.board.put(CHAT, IDLE)
    seen = found(agent.findings())
    assert seen[1] == ("GetMetrics", "OK", "0: HPA would ask for its minimum")
    assert seen[2] == (
        "IsActive",
        "OK",
        "not active: KEDA would go to zero after the cooldown period, where minReplicaCount is 0",
    )


def test_a_refusal_fails_with_its_reason_and_the_specs_stay(agent: Agent) -> None:
    agent.board.put(CHAT, REFUSAL)
    findings = agent.findings(patience=0.2)
    assert found(findings)[:3] == [
        ("GetMetricSpec", "OK", "metric foretide-replicas, target 1"),
        (
            "GetMetrics",
            "FAIL",
            "KEDA would hold, or use the ScaledObject's fallback: "
            "UNAVAILABLE: policy ml/chat has no answer: no samples since 12:04",
        ),
        (
            "IsActive",
            "FAIL",
            "KEDA would hold, or use the ScaledObject's fallback: "
            "UNAVAILABLE: policy ml/chat has no answer: no samples since 12:04",
        ),
    ]
    assert findings[1].mend == "`foretide explain chat -n ml` says what is missing"


def test_a_policy_that_the_agent_does_not_know_fails_with_its_mend(agent: Agent) -> None:
    values = agent.findings(PolicyKey("ml", "chat"), patience=0.2)[1]
    assert "NOT_FOUND: there is no ForecastPolicy" in values.what
    assert values.mend == "give the agent the policy, or take it out of --policies"


def test_a_scaled_jobs_policy_is_asked_for_as_by_its_trigger_and_has_no_streams(agent: Agent) -> None:
    agent.board.put(CHAT, replace(needing(30.0), jobs=JobsWanted(2.5, timedelta(minutes=1))))
    with grpc.insecure_channel(agent.address) as channel:
        findings = check_keda(channel, [CHAT], address=agent.address, jobs=[CHAT])
    assert found(findings) == [
        ("GetMetricSpec", "OK", "metric foretide-replicas, target 1"),
        ("GetMetrics", "OK", "2.5: items for 3 jobs"),
        ("IsActive", "OK", "active: KEDA would start jobs"),
    ]


def test_a_call_that_fails_is_asked_for_once_more_as_keda_does(agent: Agent) -> None:
    agent.board.put(CHAT, REFUSAL)
    agent.findings(patience=0.2)
    assert agent.rpcs.handled.count(("GetMetrics", "UNAVAILABLE")) == 2
    assert agent.rpcs.handled.count(("GetMetricSpec", "OK")) == 1


def test_an_answer_at_the_second_try_is_a_warning_that_has_both() -> None:
    tries = iter(
        [
            Finding("policy ml/chat: IsActive", Level.FAIL, "UNAVAILABLE: just now", "look"),
            Finding("x", Level.OK, "active"),
        ]
    )
    assert second_try(lambda: next(tries)) == Finding(
        "x", Level.WARN, "active, at KEDA's second try; the first: UNAVAILABLE: just now", "look"
    )


def test_where_nothing_listens_that_is_the_one_finding() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound, so nobody else gets it, and not listening
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with grpc.insecure_channel(address) as channel:
            (finding,) = check_keda(channel, [CHAT], address=address, deadline=timedelta(seconds=0.2))
    assert finding.level is Level.FAIL
    assert finding.what == f"nothing answers at {address}: KEDA would hold the replicas it has, and create no new HPA"


def test_the_command_asks_for_the_policies_it_is_given(agent: Agent, tmp_path: Path) -> None:
    (tmp_path / "chat.yaml").write_text(POLICY)
    agent.board.put(CHAT, needing(10.7))
    words = ["--keda", "--json", "--policies", str(tmp_path), "--grpc-address", agent.address]
    result = CliRunner().invoke(main, ["doctor", *words])

    assert result.exit_code == 0
    findings = json.loads(result.stdout)
    assert [finding["check"] for finding in findings][:2] == [
        "policy ml/chat: GetMetricSpec",
        "policy ml/chat: GetMetrics",
    ]
    assert findings[1]["what"].startswith("10.7: HPA would ask for 11 replicas (")


def test_the_command_shows_a_failed_call_as_a_line_and_ends_with_1(agent: Agent, tmp_path: Path) -> None:
    (tmp_path / "chat.yaml").write_text(POLICY)
    words = ["--keda", "--policies", str(tmp_path), "--grpc-address", agent.address]
    result = CliRunner().invoke(main, ["doctor", *words])

    assert result.exit_code == 1
    assert "NOT_FOUND" in result.output


def test_without_policies_the_command_says_where_it_looked_for_an_agent(agent: Agent) -> None:
    words = ["--keda", "--grpc-address", agent.address, "--http-address", "127.0.0.1:1"]
    result = CliRunner().invoke(main, ["doctor", *words])

    assert result.exit_code == 1
    assert "no list of policies at http://127.0.0.1:1/api/v1/policies" in result.output
