"""The page only reads; what can be changed is shown as a command, and every such command must exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from agent.cli import main

SOURCES = Path(__file__).parents[4] / "dashboards" / "page" / "src"
VALUES = {
    "policy.name": "chat",
    "policy.namespace": "ml",
    "decision.at": "2026-11-17T14:29:45Z",
}


def _shown_commands() -> list[str]:
    text = "\n".join(path.read_text() for path in sorted(SOURCES.glob("*.ts")))
    commands = re.findall(r"foretide (?:explain|render|run|doctor|backtest|adopt)[^`\"\\]*", text)
    return [re.sub(r"\$\{(.+?)\}", lambda match: VALUES[match[1]], command) for command in commands]


def test_the_page_shows_commands() -> None:
    assert len(_shown_commands()) == 3


@pytest.mark.parametrize("command", _shown_commands())
def test_every_command_that_the_page_shows_is_understood(command: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    words = shlex.split(command)[1:]
    found: click.Command | None = main
    while isinstance(found, click.Group):
        found = found.get_command(click.Context(found), words.pop(0))
    assert found is not None
    found.make_context("foretide", words)  # parses, and runs nothing
