from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from tests.fakes.policies import VALID_TEXT


def ran(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["run", *arguments], env={"FORETIDE_POLICIES": None, **environment})


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(VALID_TEXT)
    return path


def test_without_policies_it_says_where_to_get_some() -> None:
    result = ran()
    assert result.exit_code == 2
    assert "there are no policies: give --policies FILE or FOLDER (see `foretide render examples`)" in result.stderr


def test_a_wrong_policy_is_told_with_its_path(policy: Path) -> None:
    policy.write_text(VALID_TEXT.replace("min: 1", "min: -1"))
    result = ran("--policies", str(policy), "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0")
    assert result.exit_code == 2
    assert "spec.replicas.min" in result.stderr


def test_a_wrong_configuration_is_told(policy: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("polices: here\n")
    result = ran("--config", str(config), "--policies", str(policy))
    assert result.exit_code == 2
    assert "is no field of the configuration" in result.stderr


@pytest.mark.parametrize("address", ["8080", "localhost:", "localhost:99999", "localhost:http"])
def test_an_http_address_in_another_form_is_refused(policy: Path, address: str) -> None:
    result = ran("--policies", str(policy), "--http-address", address)
    assert result.exit_code == 2
    assert "is not HOST:PORT, such as 127.0.0.1:8080" in result.stderr


def test_a_taken_http_port_is_told_with_the_mend(policy: Path, taken_port: int) -> None:
    result = ran(
        "--policies", str(policy), "--grpc-address", "127.0.0.1:0", "--http-address", f"127.0.0.1:{taken_port}"
    )
    assert result.exit_code == 1
    assert f"Error: HTTP address 127.0.0.1:{taken_port}: port {taken_port} is taken" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_data_directory_in_use_is_told(policy: Path, tmp_path: Path, used_directory: Path) -> None:
    result = ran("--policies", str(policy), "--data-dir", str(used_directory))
    assert result.exit_code == 1
    assert str(used_directory) in result.stderr


def test_an_address_that_others_reach_needs_tls_or_a_word(policy: Path) -> None:
    result = ran("--policies", str(policy), "--grpc-address", "0.0.0.0:6000")
    assert result.exit_code == 2
    assert (
        "gRPC address 0.0.0.0:6000: other machines reach it, and there is no TLS: give --grpc-cert-file"
        in result.stderr
    )
    assert "--grpc-insecure" in result.stderr


def test_in_a_cluster_the_default_address_needs_tls_or_a_word(policy: Path) -> None:
    result = ran("--policies", str(policy), KUBERNETES_SERVICE_HOST="10.0.0.1")
    assert result.exit_code == 2
    assert "gRPC address 0.0.0.0:6000: other machines reach it" in result.stderr


def test_tls_and_plaintext_together_are_refused(policy: Path) -> None:
    result = ran(
        "--policies", str(policy), "--grpc-insecure", "--grpc-cert-file", "tls.crt", "--grpc-key-file", "tls.key"
    )
    assert result.exit_code == 2
    assert "grpc must not have both tls and insecure" in result.stderr


def test_a_certificate_that_is_not_there_is_told_with_the_mend(policy: Path, tmp_path: Path) -> None:
    pair = ["--grpc-cert-file", str(tmp_path / "tls.crt"), "--grpc-key-file", str(tmp_path / "tls.key")]
    result = ran("--policies", str(policy), "--grpc-address", "127.0.0.1:0", *pair)
    assert result.exit_code == 2
    assert f"{tmp_path / 'tls.crt'} cannot be read (No such file or directory): put the file there" in result.stderr
