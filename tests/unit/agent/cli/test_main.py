from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from agent.cli import main

COMMANDS = ["run", "demo", "backtest", "explain", "replay", "doctor", "adopt", "render"]


def test_the_help_lists_every_command_and_the_exit_codes() -> None:
    shown = CliRunner().invoke(main, ["--help"]).stdout
    assert [name for name in COMMANDS if f"  {name} " not in shown] == []
    assert "Exit codes:" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "-h"])
    assert result.exit_code == 0
    assert "Usage: " in result.stdout
    assert isinstance(main.get_command(click.Context(main), name), click.Command)


def test_an_unknown_command_is_a_wrong_command_line() -> None:
    assert CliRunner().invoke(main, ["exlpain"]).exit_code == 2


_LOOK = """
import sys
from agent.cli import main
try:
    main(["--help"])
finally:
    print(sorted({"grpc", "numpy", "fastapi", "statsmodels"} & set(sys.modules)))
"""


def test_help_loads_no_server_and_no_numbers() -> None:
    shown = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=False).stdout
    assert shown.splitlines()[-1] == "[]"


_LOAD_GRPC = "import agent.cli, os, grpc; print(os.environ['GRPC_EXPERIMENTS'])"


def grpc_loaded(**environment: str) -> tuple[str, str]:
    """Return the experiments that gRPC was told of by a command, and what it says about them."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GRPC_EXPERIMENTS")}
    command = [sys.executable, "-c", _LOAD_GRPC]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**clean, **environment})
    return done.stdout.strip(), done.stderr


def test_grpc_knows_the_experiment_that_the_commands_switch_off() -> None:
    assert grpc_loaded() == ("-event_engine_listener", "")
    unknown, complaint = grpc_loaded(GRPC_EXPERIMENTS="-of_a_later_version")
    assert unknown == "-of_a_later_version"  # what a user sets stands
    assert "Unknown experiment: of_a_later_version" in complaint
