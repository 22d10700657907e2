"""Policies from files: read at start, read again when a file changes, the last good ones kept when it is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.log import logger
from agent.policy import (
    ForecastPolicy,
    InvalidPolicy,
    Lesson,
    document_json,
    lessons,
    load_policies,
    reserved_fields_used,
    signals_by_name,
    to_scaling_policy,
)
from agent.policy.demand import Demand
from agent.quota import beyond_in_words, beyond_limit
from agent.sizing import Learning, Objective
from agent.sources.source import Source, SourceError
from agent.sources.table import SourceTable
from agent.watched import Assignment
from scalers.policy import PolicyKey


class PolicyFiles:
    """A folder, or one file, of ForecastPolicy documents."""

    def __init__(self, path: Path, sources: SourceTable, *, most: int | None = None) -> None:
        """Watch a file or a folder; `sources` opens what its policies read, and `most` is each namespace's limit."""
        self._most = most
        self._path = path
        self._sources = sources
        self._seen: object = None
        self._refused: dict[PolicyKey, str] = {}
        self._log = logger("policies")

    @property
    def refused(self) -> Mapping[PolicyKey, str]:
        """Why policies that were read are not acted on."""
        return self._refused

    def first(self) -> Sequence[Assignment]:
        """Return the policies at start.

        Raises:
            InvalidPolicy: a document is wrong; all its faults are named.
        """
        self._seen = self._fingerprint()
        return self._read()

    def changed(self) -> Sequence[Assignment] | None:
        """Return all policies if a file has changed; None if not, or if one is wrong now, which is logged once."""
        fingerprint = self._fingerprint()
        if fingerprint == self._seen:
            return None
        self._seen = fingerprint
        try:
            return self._read()
        except InvalidPolicy as error:
            self._log.error(
                "policies_refused", path=str(self._path), faults=str(error), effect="the last good ones stay"
            )
            return None

    def close(self) -> None:
        """Release the sources."""
        self._sources.close()

    def _read(self) -> list[Assignment]:
        policies = load_policies(self._path)
        beyond = beyond_limit(sorted(policy.key for policy in policies), self._most)
        self._refused = {}
        for key in sorted(beyond):
            told, mend = beyond_in_words(key.namespace, self._most)
            self._refused[key] = f"{told}; {mend}"
            self._log.error("policy_beyond_limit", policy=str(key), fault=told, mend=mend)
        return [assignment_of(policy, self._sources) for policy in policies if policy.key not in beyond]

    def _fingerprint(self) -> object:
        files = sorted(self._path.iterdir()) if self._path.is_dir() else [self._path]
        seen = []
        for file in files:
            try:
                status = file.stat()
            except OSError:
                continue  # gone between the listing and the look; the next look sees it so
            seen.append((file.name, status.st_mtime_ns, status.st_size, status.st_ino))
        return seen


def assignment_of(document: ForecastPolicy, sources: SourceTable) -> Assignment:
    """Return what the engine works on: the policy with its sources opened; a source that cannot be is its error."""
    signals, namespace = signals_by_name(document), document.key.namespace
    return Assignment(
        policy=to_scaling_policy(document),
        document=document_json(document),
        reserved=reserved_fields_used(document),
        sources={name: _opened(signal, sources, namespace) for name, signal in signals.items()},
        learning={
            name: _learning(lesson, signals[name], sources, namespace) for name, lesson in lessons(document).items()
        },
    )


def _opened(signal: Demand, sources: SourceTable, namespace: str) -> Source | SourceError:
    try:
        return sources.open(signal, namespace=namespace)
    except SourceError as error:
        return error


def _learning(lesson: Lesson, signal: Demand, sources: SourceTable, namespace: str) -> Learning:
    """Open what reads the objectives: queries to the source of the signal's own demand."""
    objectives = []
    for question in lesson.questions:
        try:
            source: Source | SourceError = sources.open_query(signal, question.query, namespace=namespace)
        except SourceError as error:
            source = error
        objectives.append(Objective(question.objective, question.limit, source))
    return Learning(lesson, tuple(objectives))
