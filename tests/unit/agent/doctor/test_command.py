from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from agent.cli import main
from tests.fakes.policies import VALID_TEXT

FREE = ["--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"]


def test_warnings_alone_are_no_failure(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["doctor", "--json", "--data-dir", str(tmp_path), *FREE])

    assert result.exit_code == 0
    levels = {finding["check"]: finding["level"] for finding in json.loads(result.stdout)}
    assert levels == {
        "data folder": "OK",
        "gRPC address": "OK",
        "HTTP address": "OK",
        "sources": "WARN",
        "policies": "WARN",
    }


def test_something_that_fails_is_exit_1_with_its_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(main, ["doctor", "--data-dir", str(tmp_path / "file" / "x"), *FREE])

    assert result.exit_code == 1
    assert "FAIL" in result.output
    assert "→ let the agent's user write to" in result.output


def test_a_wrong_configuration_is_exit_2_and_looks_at_nothing(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("sourcse: {}")
    result = CliRunner().invoke(main, ["doctor", "--config", str(tmp_path / "agent.yaml")])

    assert result.exit_code == 2
    assert "did you mean `sources`?" in result.output


def test_what_a_namespace_may_not_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text(
        "sources: {default: {prometheus: {url: http://127.0.0.1:9}, namespaces: [ml]}}\n"
        "policies: policies\n"
        "namespaceLimits: {policies: 1}\n"
    )
    (tmp_path / "policies").mkdir()
    for name in ("first", "second"):
        text = VALID_TEXT.replace("name: workload, namespace: default", f"name: {name}, namespace: web")
        (tmp_path / "policies" / f"{name}.yaml").write_text(text)
    result = CliRunner().invoke(main, ["doctor", "--json", "--config", str(tmp_path / "agent.yaml"), *FREE])

    said = {finding["check"]: finding["what"] for finding in json.loads(result.stdout) if finding["level"] == "FAIL"}
    assert said["policy web/first: demand"] == "NotAllowed: policies of namespace web may not read source 'default'"
    assert said["policy web/second: limit"].startswith("it is not acted on: 1 policy is acted on in namespace web")
    assert "policy web/first: limit" not in said
