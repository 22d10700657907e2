"""Policies from a cluster, as the engine works on them: of one that is wrong now, the last good version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agent.cluster.documents import Document, Documents, Name, name_of
from agent.cluster.status import Refusal
from agent.log import logger
from agent.policy import InvalidPolicy, policy_of
from agent.policy_files import assignment_of
from agent.quota import beyond_in_words, beyond_limit
from agent.sources.table import SourceTable
from agent.watched import Assignment
from scalers.policy import PolicyKey


class ClusterPolicies:
    """The ForecastPolicies that a watch keeps."""

    def __init__(self, documents: Documents, sources: SourceTable, *, most: int | None = None) -> None:
        """Read what a watch keeps; `sources` opens what the policies read, and `most` is each namespace's limit."""
        self._wrong: dict[Name, Refusal] = {}
        self._beyond: dict[Name, Refusal] = {}
        self._most = most
        self._documents = documents
        self._sources = sources
        self._seen = -1
        self._read: dict[Name, tuple[object, Assignment | None]] = {}  # generation, and what it came to
        self._log = logger("policies")

    @property
    def faults(self) -> Mapping[Name, Refusal]:
        """Why policies, or the newest versions of some, are not acted on."""
        return self._wrong | self._beyond

    @property
    def refused(self) -> Mapping[PolicyKey, str]:
        """The same, for those of which no version is acted on."""
        is_acted_on = {name for name, (_, assignment) in self._read.items() if assignment is not None}
        return {
            PolicyKey(*name): fault.message
            for name, fault in self.faults.items()
            if name in self._beyond or name not in is_acted_on
        }

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
        self._wrong = {name: fault for name, fault in self._wrong.items() if name in names}
        for document in documents:
            if before.get(name_of(document)) != _generation(document):
                self._take(document)
        self._seen = changes
        if before == self._generations():
            return None  # a status was written: nothing is asked for otherwise
        return self._within_limit(documents)

    def _within_limit(self, documents: Iterable[Document]) -> list[Assignment]:
        """Return what is acted on; of those that could be, the oldest of each namespace."""
        born = {name_of(document): document["metadata"].get("creationTimestamp", "") for document in documents}
        able = {name: assignment for name, (_, assignment) in self._read.items() if assignment is not None}
        oldest = [able[name].policy.key for name in sorted(able, key=lambda name: (born[name], name))]
        beyond = beyond_limit(oldest, self._most)
        before, self._beyond = self._beyond, {}
        for name in ((key.namespace, key.name) for key in beyond):
            self._beyond[name] = Refusal("; ".join(beyond_in_words(name[0], self._most)), "TooManyPolicies")
            if name not in before:
                self._log.warning("policy_beyond_limit", policy="/".join(name), limit=self._most)
        return [assignment for name, assignment in able.items() if name not in self._beyond]

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
            self._wrong[name] = Refusal(str(error))
            _, last = self._read.get(name, (None, None))
            self._read[name] = (generation, last)
            effect = "the last good version stays" if last else "it is not acted on"
            self._log.error("policy_refused", policy="/".join(name), faults=str(error), effect=effect)
            return
        self._wrong.pop(name, None)
        self._read[name] = (generation, assignment_of(policy, self._sources))


def _generation(document: Document) -> object:
    """Return what changes with every change of the spec, of an object of this name."""
    metadata = document["metadata"]
    return metadata.get("uid"), metadata.get("generation")
