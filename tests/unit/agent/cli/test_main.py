from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from agent.cli import main

COMMANDS = ["run", "demo", "explain", "replay", "doctor", "render"]


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
