"""`foretide render`: files that are made from the code, to stdout or into a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from agent.cli import HELP
from agent.policy.crd import custom_resource_definition_yaml
from agent.policy.reference import policy_reference

# Beside the package in a checkout and in an editable install; inside it in a wheel.
_EXAMPLE_FOLDERS: Final = (
    Path(__file__).parents[1] / "examples",
    Path(__file__).parents[2] / "examples",
)
_LATER: Final = ("dashboards", "rules")

_out = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write files into this folder, made where it is missing, instead of stdout.",
)


@click.group(name="render", context_settings=HELP)
def render_command() -> None:
    """Print files that are made from the code: crd, examples, policy-reference.

    \b
    foretide render crd | kubectl apply --server-side -f -
    foretide render examples --out examples
    """


@render_command.command(name="crd")
@_out
def crd(out: Path | None) -> None:
    """The CustomResourceDefinition of ForecastPolicy (Kubernetes 1.25 and newer)."""
    _deliver({"forecastpolicies.foretide.dev.yaml": custom_resource_definition_yaml()}, out)


@render_command.command(name="examples")
@_out
def examples(out: Path | None) -> None:
    """Commented policies, a ScaledObject and an agent's configuration to start from."""
    _deliver(_examples(), out)


@render_command.command(name="policy-reference")
@_out
def reference(out: Path | None) -> None:
    """All fields of a policy with type, default, rule and meaning, as Markdown."""
    _deliver({"policy.md": policy_reference()}, out)


def _later(name: str) -> Callable[[], None]:
    def command() -> None:
        raise click.UsageError(f"`render {name}` comes with a later version; this one renders {', '.join(_rendered())}")

    return command


def _rendered() -> list[str]:
    return [name for name, command in render_command.commands.items() if not command.hidden]


for _name in _LATER:
    render_command.command(name=_name, hidden=True)(_later(_name))


def _examples() -> Mapping[str, str]:
    """Return the example files by their path below the examples' folder.

    Raises:
        click.ClickException: this installation lacks them.
    """
    folder = next((folder for folder in _EXAMPLE_FOLDERS if folder.is_dir()), None)
    if folder is None:
        raise click.ClickException("the examples are missing from this installation: install foretide again")
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in sorted(folder.rglob("*.yaml"))}


def _deliver(files: Mapping[str, str], out: Path | None) -> None:
    if out is None:
        click.echo("---\n".join(_headed(files)), nl=False)
        return
    for name, text in files.items():
        path = out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            raise click.ClickException(f"--out: {path} cannot be written: {error.strerror}") from error
        click.echo(f"wrote {path}", err=True)


def _headed(files: Mapping[str, str]) -> list[str]:
    """Return the texts, each under its name where there are several."""
    return list(files.values()) if len(files) == 1 else [f"# {name}\n{text}" for name, text in files.items()]
