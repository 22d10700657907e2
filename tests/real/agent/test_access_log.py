"""What KEDA asked, in the agent's own log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.real.agent.process import AgentProcess

pytestmark = pytest.mark.real

SECRETS = ("passwordFromEnv=hunter2", "apiKey=hunter2", "query=hunter2")


def calls(agent: AgentProcess) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in agent.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "keda_call"]


def test_calls_and_refusals_are_logged_and_no_secret_of_a_trigger_is(tmp_path: Path) -> None:
    config = "grpc: {accessLog: 100%, accessLogRefusals: 60}"
    prepared = AgentProcess(tmp_path, "--prometheus-url", "http://127.0.0.1:9", config=config)
    prepared.write_policy()
    with prepared as agent:
        agent.poll(*(word for secret in SECRETS for word in ("--metadata", secret)))
        assert agent.terminate() == 0
        told = {(call["rpc"], call["code"]) for call in calls(agent)}
        assert {("GetMetricSpec", "OK"), ("GetMetrics", "INVALID_ARGUMENT")} <= told
        assert all(call["namespace"] == "ml" and call["policy"] == "chat" for call in calls(agent))
        assert "has both `policy` and `query`" in str([call.get("reason") for call in calls(agent)])
        assert "hunter2" not in agent.log.read_text()
