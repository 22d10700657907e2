"""YAML (and so JSON) text to plain values with line numbers; what YAML means behind people's backs is refused.

Refused with the line: duplicate keys, keys that are not text, `on`/`yes` as booleans, tags, merge keys, nesting and
alias expansion without end. Read as text, so that the field's own rule can speak: timestamps, octal, sexagesimal and
underscored numbers, `.nan` and `.inf`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from agent.policy.faults import Fault, Path, written_path

MOST_BYTES = 1 << 20
TOO_LARGE = f"must be at most {MOST_BYTES >> 20} MiB"
MOST_VALUES = 20_000  # in one document, aliases expanded
MOST_NESTED = 32

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is optional in PyYAML
_TAG = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.[0-9]*([eE][-+]?[0-9]+)?")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class Unreadable(ValueError):
    """The text is not YAML that this page takes."""

    def __init__(self, rule: str, *, line: int | None, path: Path = (), value: str | None = None) -> None:
        super().__init__(rule)
        self.rule, self.line, self.path, self.value = rule, line, path, value

    def fault(self, file: str) -> Fault:
        """Return it as a fault of a file."""
        return Fault(file, self.line, written_path(self.path), self.value, self.rule)


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: plain values (mapping, list, text, number, boolean, None) and where they stand."""

    value: object
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int | None:
        """Return the line of a path, or of the nearest part above it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read_documents(text: str) -> list[Document]:
    """Return the documents of a text that are not empty.

    Raises:
        Unreadable: the text is too large, not YAML, or holds what the module refuses.
    """
    if len(text.encode()) > MOST_BYTES:
        raise Unreadable(TOO_LARGE, line=None)
    try:
        _refuse_deep_nesting(text)
        nodes = list(yaml.compose_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(f"is not YAML: {error.problem}", line=mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise Unreadable(f"is not YAML: {error}", line=None) from error
    documents = (_Reader().document(node) for node in nodes)
    return [document for document in documents if document.value is not None]


def _refuse_deep_nesting(text: str) -> None:
    """Look at the events alone first: composing nodes recurses, and would end the process rather than fail."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_NESTED:
            line = event.start_mark.line + 1 if event.start_mark else None
            raise Unreadable(f"must not nest deeper than {MOST_NESTED}", line=line)


@dataclass(slots=True)
class _Reader:
    """Turns the nodes of one document into values."""

    lines: dict[Path, int] = field(default_factory=dict)
    values: int = 0

    def document(self, node: yaml.Node) -> Document:
        return Document(self._value(node, ()), self.lines)

    def _value(self, node: yaml.Node, path: Path) -> object:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self.values += 1
        if self.values > MOST_VALUES or len(path) > MOST_NESTED:
            raise Unreadable("must not expand aliases without end", line=line, path=path[:4])
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return dict(self._entries(node, path))
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self._value(entry, (*path, index)) for index, entry in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node, path)
        raise Unreadable("must not have a tag", line=line, path=path, value=str(node.tag))

    def _entries(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, object]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._key(key_node, path, line)
            if key in seen:
                raise Unreadable(f"is given twice, here and in line {seen[key]}", line=line, path=(*path, key))
            seen[key] = line
            self.lines[(*path, key)] = line
            yield key, self._value(value_node, (*path, key))

    @staticmethod
    def _key(node: yaml.Node, path: Path, line: int) -> str:
        if node.tag == f"{_TAG}merge":
            raise Unreadable("must not merge (`<<`): write the fields out", line=line, path=path)
        if node.tag != f"{_TAG}str" or not isinstance(node.value, str):
            written = node.value if isinstance(node, yaml.ScalarNode) else "a collection"
            raise Unreadable("must have text as key", line=line, path=path, value=written)
        return node.value


def _scalar(node: yaml.ScalarNode, path: Path) -> object:
    text: str = node.value
    kind = node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool" and text not in _BOOLEANS:
        rule = f'is a boolean to kubectl: write "{text}" for text, or true or false'
        raise Unreadable(rule, line=node.start_mark.line + 1, path=path, value=text)
    if kind == "bool":
        return _BOOLEANS[text]
    if kind == "int" and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "float" and _FRACTION.fullmatch(text):
        return float(text)
    if kind in {"str", "int", "float", "timestamp", "value"}:
        return text
    raise Unreadable("must not have a tag", line=node.start_mark.line + 1, path=path, value=str(node.tag))
