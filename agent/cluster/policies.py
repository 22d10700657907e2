"""Policies from a cluster, as the engine works on them: of one that is wrong now, the last good version."""

from __future__ import annotations

from collections.abc import Sequence

from agent.cluster.documents import Document, Documents, Name, name_of
from agent.engine import Assignment
from agent.log import logger
from agent.policy import InvalidPolicy, policy_of
from agent.policy_files import assignment_of
from agent.sources.table import SourceTable


class ClusterPolicies:
    """The ForecastPolicies that a watch keeps.

    Attributes:
        faults: what is wrong with those that are, by namespace and name.
    """

    def __init__(self, documents: Documents, sources: SourceTable) -> None:
        """Read what a watch keeps; `sources` opens what the policies read."""
        self.faults: dict[Name, str] = {}
        self._documents = documents
        self._sources = sources
        self._seen = -1
        self._read: dict[Name, tuple[object, Assignment | None]] = {}  # generation, and what it came to
        self._log = logger("policies")

    def first(self) -> Sequence[Assignment]:
        """Return the policies at start. None is refused for another's faults."""
        return self.changed() or ()

    def changed(self) -> Sequence[Assignment] | None:
        """Return all policies that can be worked on if anything has changed, else None."""
        changes = self._documents.changes
        if changes == self._seen:
            return None
        documents = self._documents.all()
        names = {name_of(document) for document in documents}
        before = self._generations()
        self._read = {name: read for name, read in self._read.items() if name in names}
        self.faults = {name: fault for name, fault in self.faults.items() if name in names}
        for document in documents:
            if before.get(name_of(document)) != _generation(document):
                self._take(document)
        self._seen = changes
        if before == self._generations():
            return None  # a status was written: nothing is asked for otherwise
        return [assignment for _, assignment in self._read.values() if assignment is not None]

    def close(self) -> None:
        """Release the sources."""
        self._sources.close()

    def _generations(self) -> dict[Name, object]:
        return {name: generation for name, (generation, _) in self._read.items()}

    def _take(self, document: Document) -> None:
        name, generation = name_of(document), _generation(document)
        try:
            policy = policy_of(document, origin=f"ForecastPolicy {'/'.join(name)}")
        except InvalidPolicy as error:
            self.faults[name] = str(error)
            _, last = self._read.get(name, (None, None))
            self._read[name] = (generation, last)
            effect = "the last good version stays" if last else "it is not acted on"
            self._log.error("policy_refused", policy="/".join(name), faults=str(error), effect=effect)
            return
        self.faults.pop(name, None)
        self._read[name] = (generation, assignment_of(policy, self._sources))


def _generation(document: Document) -> object:
    """Return what changes with every change of the spec, of an object of this name."""
    metadata = document["metadata"]
    return metadata.get("uid"), metadata.get("generation")
