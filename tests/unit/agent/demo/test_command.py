"""The command line of `foretide demo`: what it refuses before anything starts."""

import pytest
from click.testing import CliRunner

from agent.cli import main


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["--json"], "give --once or --days N"),
        (["--once", "--http-address", "127.0.0.1:8080"], "--once has no page"),
        (["--http-address", "8080"], "is not HOST:PORT"),
        (["--speed", "0"], "0.0 is not in the range x>0"),
        (["--grpc-address", "0.0.0.0:6000"], "other machines reach gRPC address 0.0.0.0:6000: give --grpc-insecure"),
        (["--days", "0"], "0 is not in the range x>=1"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_mend(arguments: list[str], mend: str) -> None:
    refused = CliRunner().invoke(main, ["demo", *arguments])

    assert refused.exit_code == 2
    assert mend in refused.output


def test_help_says_where_the_page_is_and_what_is_played() -> None:
    text = CliRunner().invoke(main, ["demo", "--help"]).output

    assert "http://127.0.0.1:8080, until Ctrl-C" in text
    assert "--once --json" in text
