from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli.doctor import doctor_command
from tests.real.prometheus import rig

pytestmark = pytest.mark.real

POLICY = """
apiVersion: foretide.dev/v1alpha1
kind: ForecastPolicy
metadata: {name: chat, namespace: ml}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}
  demand: {prometheus: {query: "QUERY"}, step: 1m, delay: 1h}
  forecast: {horizon: 2h}
  capacity: {perReplica: 1000}
  replicas: {min: 1, max: 40}
  leadTime: {declared: 2m}
  staleness: {forecast: 5m, data: 2h}
"""


@pytest.mark.parametrize(
    ("query", "level", "exit_code"),
    [("sum(requests)", "OK", 0), ("several", "FAIL", 1)],
)
def test_the_doctor_tells_server_signal_and_history(
    history: rig.PrometheusServer, tmp_path: Path, query: str, level: str, exit_code: int
) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY.replace("QUERY", query))
    result = CliRunner().invoke(
        doctor_command,
        ["--json", "--policies", str(tmp_path), "--prometheus-url", history.url, "--data-dir", str(tmp_path),
         "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"],
    )  # fmt: skip
    assert result.stdout, result.stderr
    findings = {finding["check"]: finding for finding in json.loads(result.stdout)}

    assert result.exit_code == exit_code
    assert findings["source default"]["what"].startswith(f"{history.url} answers, version ")
    assert findings["source default: clock"]["level"] == "OK"
    assert findings["policy ml/chat: demand"]["level"] == level
    if level == "OK":
        assert "of the 14d wanted" in findings["policy ml/chat: demand: history"]["what"]
    else:
        assert findings["policy ml/chat: demand"]["mend"] == "wrap it in sum()"
