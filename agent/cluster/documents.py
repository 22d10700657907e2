"""What a watch has told last, by namespace and name; written by the watch's thread, read by the agent's loop."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Set
from typing import Any

Document = Mapping[str, Any]
Name = tuple[str, str]  # namespace and name


def name_of(document: Document) -> Name:
    """Return an object's namespace and name."""
    metadata = document["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


class Documents:
    """The objects of one kind. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Name, Document] = {}
        self._changes = 0

    @property
    def changes(self) -> int:
        """A number that grows with each change."""
        return self._changes

    def replace(self, documents: Iterable[Document]) -> None:
        """Take up a whole list: what is not in it is gone."""
        with self._lock:
            self._kept = {name_of(document): document for document in documents}
            self._changes += 1

    def settle(self, documents: Iterable[Document], *, version: str, namespace: str | None) -> int:
        """Take up a list anew and forget what is not in it; a watch that was cut does not tell what went meanwhile.

        Args:
            documents: the list; of an object that a watch has told newer, the newer stays.
            version: the list's resourceVersion: what has come since is not in it, and stays.
            namespace: that was listed; None is all.

        Returns:
            How many were forgotten.
        """
        listed = {name_of(document): document for document in documents}
        with self._lock:
            gone = self._forget_missing(listed.keys(), version, namespace)
            fresh = {
                name: document
                for name, document in listed.items()
                if (known := self._kept.get(name)) is None or _is_newer(document, known)
            }
            self._kept |= fresh
            self._changes += bool(gone or fresh)
        return gone

    def forget_missing(self, names: Set[Name], *, version: str, namespace: str | None) -> int:
        """Forget what is not among these names; return how many were.

        Args:
            names: all that a list had.
            version: the list's resourceVersion: what has come since is not in it, and stays.
            namespace: that was listed; None is all.
        """
        with self._lock:
            gone = self._forget_missing(names, version, namespace)
            self._changes += bool(gone)
        return gone

    def put(self, document: Document) -> None:
        """Take up one object, unless a newer version of it is there: a watch that begins anew tells old ones again."""
        with self._lock:
            name = name_of(document)
            known = self._kept.get(name)
            if known is not None and not _is_newer(document, known):
                return
            self._kept[name] = document
            self._changes += 1

    def remove(self, document: Document) -> None:
        """Forget one object, unless another of its name has come meanwhile."""
        with self._lock:
            name = name_of(document)
            known = self._kept.get(name)
            if known is not None and _uid(known) == _uid(document):
                del self._kept[name]
                self._changes += 1

    def get(self, name: Name) -> Document | None:
        """Return one object, None if there is none."""
        return self._kept.get(name)

    def all(self) -> list[Document]:
        """Return all objects, by namespace and name."""
        with self._lock:
            return [self._kept[name] for name in sorted(self._kept)]

    def _forget_missing(self, names: Set[Name], version: str, namespace: str | None) -> int:
        gone = [
            name
            for name, known in self._kept.items()
            if name not in names and namespace in (None, name[0]) and not _is_after(known, version)
        ]
        for name in gone:
            del self._kept[name]
        return len(gone)


def _is_newer(one: Document, other: Document) -> bool:
    """Of one object the larger resourceVersion is the newer (Kubernetes 1.35); what is no number is taken as new."""
    if _uid(one) != _uid(other):
        return True
    versions = [document["metadata"].get("resourceVersion", "") for document in (one, other)]
    return not all(version.isdecimal() for version in versions) or int(versions[0]) > int(versions[1])


def _is_after(document: Document, version: str) -> bool:
    """Whether an object was written after a list was made; a version that is no number says that it was not."""
    own = str(document["metadata"].get("resourceVersion", ""))
    return own.isdecimal() and version.isdecimal() and int(own) > int(version)


def _uid(document: Document) -> str:
    return str(document["metadata"].get("uid", ""))
