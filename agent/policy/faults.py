"""What is wrong with a document, told so that a person at a terminal can mend it without looking anything up."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent.policy.part import BROKEN_RULES, UNKNOWN_NAME

PathStep = str | int
Path = tuple[PathStep, ...]

_SHOWN = 60  # characters of a wrong value that are shown
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong field."""

    file: str
    line: int | None
    path: str  # as in `spec.replicas.max`; empty for the document itself
    value: str | None  # what is there, shortened; None where nothing is
    rule: str  # what must be, read after the path
    suggestion: str | None = None  # the nearest name that would be right

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        given = "" if self.value is None else f", not {self.value}"
        meant = "" if self.suggestion is None else f"; did you mean `{self.suggestion}`?"
        return f"{place}: {f'{self.path} ' if self.path else ''}{self.rule}{given}{meant}"


class InvalidDocument(ValueError):
    """A document breaks rules; the message holds all of them, one a line."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class InvalidPolicy(InvalidDocument):
    """Policy documents break rules."""


def written_path(path: Iterable[PathStep]) -> str:
    """Return a path as people write it: `spec.signals[1].name`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def shown(value: object) -> str:
    """Return a value as a message shows it."""
    match value:
        case None:
            text = "nothing"
        case bool():
            text = str(value).lower()
        case str():
            text = f'"{value}"'
        case list() | tuple():
            text = "a list"
        case Mapping():
            text = "a mapping"
        case _:
            text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """Return the choice that a typo most likely meant."""
    spelled = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(name.lower(), spelled, n=1, cutoff=0.6)
    return spelled[close[0]] if close else None


def faults_of(
    error: ValidationError,
    *,
    model: type[BaseModel],
    document: object,
    file: str,
    line_of: Callable[[Path], int | None] = lambda _: None,
) -> list[Fault]:
    """Return the faults that pydantic found in a document, with the words of this page.

    Args:
        error: what pydantic raised.
        model: what the document was to be.
        document: the document, for the values given.
        file: where it came from.
        line_of: line of a path, or of the nearest part above it.
    """
    faults = []
    for detail in error.errors(include_url=False):
        for path, rule, suggestion in _said(detail, model):
            given = _value_at(document, path)
            hides = given is _ABSENT or detail["type"] == "extra_forbidden" or isinstance(given, Mapping)
            value = None if hides else shown(given)
            faults.append(Fault(file, line_of(path), written_path(path), value, rule, suggestion))
    return faults


def _said(detail: ErrorDetails, model: type[BaseModel]) -> list[tuple[Path, str, str | None]]:
    path: Path = detail["loc"]
    context = detail.get("ctx", {})
    if detail["type"] == BROKEN_RULES:
        return [((*path, *_steps(at)), rule, None) for at, rule in context["broken"]]
    if detail["type"] == "extra_forbidden":
        known = _fields_at(model, path[:-1])
        meant = nearest(str(path[-1]), known)
        return [(path, "is not a known field" + ("" if meant else f" (known: {', '.join(known)})"), meant)]
    if detail["type"] == UNKNOWN_NAME:
        return [(path, context["rule"], nearest(detail["input"], context["known"]))]
    if detail["type"] == "enum" or detail["type"] == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        meant = nearest(detail["input"], choices) if isinstance(detail["input"], str) else None
        return [(path, f"must be {_listed(choices)}", meant)]
    return [(path, _SENTENCES.get(detail["type"], _own_words)(detail), None)]


def _own_words(detail: ErrorDetails) -> str:
    error = detail.get("ctx", {}).get("error")
    return str(error) if isinstance(error, ValueError) else f"is wrong: {detail['msg'].lower()}"


def _text_wanted(detail: ErrorDetails) -> str:
    given = detail["input"]
    quoted = "" if isinstance(given, (Mapping, list, tuple)) or given is None else f': write "{shown(given)}"'
    return f"must be text{quoted}"


_SENTENCES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "missing": lambda _: "is required",
    "int_type": lambda _: "must be a whole number",
    "string_type": _text_wanted,
    "model_type": lambda _: "must be a mapping of fields",
    "model_attributes_type": lambda _: "must be a mapping of fields",
    "dict_type": lambda _: "must be a mapping",
    "tuple_type": lambda _: "must be a list",
    "greater_than_equal": lambda detail: f"must be at least {detail['ctx']['ge']}",
    "less_than_equal": lambda detail: f"must be at most {detail['ctx']['le']}",
    "too_short": lambda detail: f"must have at least {detail['ctx']['min_length']} entries",
    "too_long": lambda detail: f"must have at most {detail['ctx']['max_length']} entries",
}


def _listed(choices: Sequence[str]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"


def _steps(at: str) -> Path:
    return tuple(at.split(".")) if at else ()


def _value_at(document: object, path: Path) -> object:
    for step in path:
        is_there = step in document if isinstance(document, Mapping) else isinstance(document, (list, tuple))
        if not is_there:
            return _ABSENT
        document = cast("Mapping[PathStep, object]", document)[step]
    return document


def _fields_at(model: type[BaseModel], path: Path) -> list[str]:
    """Return the names of the fields of the part that a path leads to."""
    for step in path:
        if isinstance(step, int):
            continue
        annotation = next(field.annotation for field in model.model_fields.values() if field.alias == step)
        model = next(_models_in(annotation))
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
