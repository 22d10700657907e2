from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from agent.cli import main

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
