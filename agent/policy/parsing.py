"""Text, files and folders to policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import ValidationError

from agent.policy.document import API_VERSION, GROUP, KIND, ForecastPolicy
from agent.policy.faults import Fault, InvalidPolicy, faults_of, nearest, shown
from agent.policy.text import MOST_BYTES, TOO_LARGE, Document, Unreadable, read_documents
from scalers.policy import PolicyKey

SUFFIXES = (".yaml", ".yml", ".json")


def policy_of(value: object, *, origin: str) -> ForecastPolicy:
    """Return the policy that a parsed document (an object of a cluster, inline keys) stands for.

    Args:
        value: plain values.
        origin: where the document comes from, for messages.

    Raises:
        InvalidPolicy: the document breaks rules; all of them are told.
    """
    return _policy(Document(value, {}), file=origin)


def parse_policy(text: str, *, file: str, note: Callable[[str], None] | None = None) -> list[ForecastPolicy]:
    """Return the policies of a text with one or more YAML or JSON documents.

    Args:
        text: the text.
        file: where it comes from, for messages.
        note: is told of each document of another kind, which is left out.

    Raises:
        InvalidPolicy: a policy breaks rules, or there is none.
    """
    policies, faults = _read(text, file=file, note=note or _ignore)
    if not policies and not faults:
        faults = [_none(file)]
    if faults:
        raise InvalidPolicy(faults)
    return policies


def load_policies(path: Path, *, note: Callable[[str], None] | None = None) -> list[ForecastPolicy]:
    """Return the policies of a file, or of a folder's *.yaml, *.yml and *.json files in the order of their names.

    Args:
        path: file or folder; folders in it are not entered.
        note: is told of each document of another kind, which is left out.

    Raises:
        InvalidPolicy: something breaks rules, a file cannot be read or is empty, there is no policy, or two documents
            have the same namespace and name. All faults of all files are told.
    """
    found: dict[PolicyKey, str] = {}
    policies: list[ForecastPolicy] = []
    faults: list[Fault] = []
    for file in _files(path):
        read, wrong = _load(file, note=note or _ignore)
        faults += wrong
        for policy in read:
            if policy.key in found:
                faults.append(_twice(policy.key, file=str(file), first=found[policy.key]))
            found.setdefault(policy.key, str(file))
        policies += read
    if not policies and not faults:
        faults = [_none(str(path))]
    if faults:
        raise InvalidPolicy(faults)
    return policies


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(entry for entry in path.iterdir() if entry.suffix in SUFFIXES and entry.is_file())
    if not files:
        raise InvalidPolicy([Fault(str(path), None, "", None, f"holds no {', '.join(SUFFIXES)} file")])
    return files


def _load(file: Path, *, note: Callable[[str], None]) -> tuple[list[ForecastPolicy], list[Fault]]:
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        return [], [Fault(str(file), None, "", None, f"cannot be read: {error.strerror or error}")]
    if len(content) > MOST_BYTES:  # before decoding, which would fail on a character that was cut
        return [], [Fault(str(file), None, "", None, TOO_LARGE)]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [], [Fault(str(file), line, "", None, "must be UTF-8 text")]
    return _read(text, file=str(file), note=note)


def _read(text: str, *, file: str, note: Callable[[str], None]) -> tuple[list[ForecastPolicy], list[Fault]]:
    """Return what is right and what is wrong in a text, so that a folder's faults are told together."""
    try:
        documents = read_documents(text)
    except Unreadable as error:
        return [], [error.fault(file)]
    policies: list[ForecastPolicy] = []
    faults = [] if documents else [_none(file)]
    for document in documents:
        if (other := _other_kind(document)) is not None:
            note(f"{file}:{document.line_of(())}: left out: a {other}, not a {KIND}")
            continue
        try:
            policies.append(_policy(document, file=file))
        except InvalidPolicy as error:
            faults += error.faults
    return policies, faults


def _other_kind(document: Document) -> str | None:
    """Return the kind of a document that is clearly something else; a misspelt policy is not."""
    value = document.value
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if not isinstance(kind, str) or not isinstance(value, Mapping):
        return None
    is_ours = str(value.get("apiVersion", "")).startswith(f"{GROUP}/") or nearest(kind, [KIND]) is not None
    return None if is_ours else kind


def _policy(document: Document, *, file: str) -> ForecastPolicy:
    if not isinstance(document.value, Mapping):
        rule = f"must be a mapping with apiVersion: {API_VERSION}, kind: {KIND}, metadata and spec"
        raise InvalidPolicy([Fault(file, document.line_of(()), "", shown(document.value), rule)])
    try:
        return ForecastPolicy.model_validate(document.value)
    except ValidationError as error:
        faults = faults_of(error, model=ForecastPolicy, document=document.value, file=file, line_of=document.line_of)
        raise InvalidPolicy(faults) from error


def _twice(key: PolicyKey, *, file: str, first: str) -> Fault:
    return Fault(file, None, "metadata.name", None, f"is given twice: {key} is in {first} already")


def _none(file: str) -> Fault:
    return Fault(file, None, "", None, f"holds no {KIND}")


def _ignore(_: str) -> None:
    """Leave a note unheard."""
