"""The reference page of the configuration, written from its fields: `python -m agent.configuration.reference`."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from agent.configuration.loading import PROMETHEUS_URL_VARIABLE
from agent.configuration.model import Configuration
from agent.configuration.overriding import ENVIRONMENT
from agent.policy.quantities import format_duration, format_share

_INTRODUCTION = """\
# The agent's configuration

<!-- Written by `python -m agent.configuration.reference`; a test keeps it so. -->

`foretide run --config FILE` (and `foretide doctor`) read one YAML or JSON file. It says where the sources are and how
to log in to them; policies only name a source of it. Secrets stand in files that it points to: they are read again
when they change, and no message, log or page shows them. A relative path starts at the folder of the file.

A flag wins over the environment, the environment over the file. A field that is unknown or wrong is refused with file,
line and rule. `--prometheus-url URL` is the short way to a source named `default`.

| field | default | meaning |
|---|---|---|
"""


def reference() -> str:
    """Return the page as Markdown."""
    rows = [f"| `{path}` | {default} | {meaning} |" for path, default, meaning in _rows(Configuration, "")]
    variables = [f"| `{name}` | `{field}` |" for name, field in ENVIRONMENT.items()]
    variables.append(f"| `{PROMETHEUS_URL_VARIABLE}` | `sources.default.prometheus.url` |")
    return _INTRODUCTION + "\n".join([*rows, "", "| environment variable | field |", "|---|---|", *variables, ""])


def _rows(model: type[BaseModel], path: str) -> Iterator[tuple[str, str, str]]:
    for name, info in model.model_fields.items():
        here = f"{path}{info.alias or name}"
        yield here, _default(info), info.description or ""
        for part, inner in _sections(info.annotation):
            yield from _rows(inner, f"{here}{part}.")


def _sections(annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """Return the sections under a field, and what stands between the field and their own."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
    elif get_origin(annotation) is dict:
        yield from ((f".NAME{part}", inner) for part, inner in _sections(get_args(annotation)[1]))
    elif get_origin(annotation) in {Union, types.UnionType, Annotated}:
        for argument in get_args(annotation):
            yield from _sections(argument)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=False)
    if isinstance(default, timedelta):
        return f"`{format_duration(default)}`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, float):
        return f"`{format_share(default)}`"
    return f"`{_quantity(default)}`" if isinstance(default, int) else ""


def _quantity(number: int) -> str:
    for unit, size in (("Mi", 1024**2), ("Ki", 1024)):
        if number and number % size == 0:
            return f"{number // size}{unit}"
    return str(number)


if __name__ == "__main__":
    sys.stdout.write(reference())
