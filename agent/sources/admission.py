"""Which namespace may read which source, and what of it: as the agent's configuration says, whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from agent.configuration import SourceAddress
from agent.sources.prometheus.failures import shorten
from agent.sources.prometheus.scope import OutOfScope, check_scope
from agent.sources.source import SignalState, SourceError


def is_open_to(address: SourceAddress, namespace: str) -> bool:
    """Whether policies of a namespace may read a source at all."""
    if address.namespaces is None:
        return True
    return any(fnmatchcase(namespace, pattern) for pattern in address.namespaces)


def open_sources(sources: Mapping[str, SourceAddress], namespace: str) -> tuple[str, ...]:
    """Return the names of the sources that a namespace may read: it is told of no others."""
    return tuple(sorted(name for name, address in sources.items() if is_open_to(address, namespace)))


def admit(sources: Mapping[str, SourceAddress], name: str, *, namespace: str, query: str) -> None:
    """Accept a query of a namespace's policy to a configured source.

    Raises:
        SourceError: NotAllowed: the source is not for this namespace. OutOfScope: the query may read more of it than
            the namespace may.
    """
    address = sources[name]
    if not is_open_to(address, namespace):
        raise _not_allowed(name, namespace, open_sources(sources, namespace))
    required = {label: value.replace("{namespace}", namespace) for label, value in address.require_matcher.items()}
    if not required:
        return
    try:
        check_scope(query, required)
    except OutOfScope as error:
        message = f"source {name} answers namespace {namespace} by sources.{name}.requireMatcher: {shorten(str(error))}"
        raise SourceError(SignalState.OUT_OF_SCOPE, message, mend=shorten(error.mend), is_retriable=False) from error


def _not_allowed(name: str, namespace: str, others: tuple[str, ...]) -> SourceError:
    ask = f"have {namespace} added to sources.{name}.namespaces of the agent's configuration"
    mend = f"name a source that it may read ({', '.join(others)}), or {ask}" if others else ask
    message = f"policies of namespace {namespace} may not read source {name!r}"
    return SourceError(SignalState.NOT_ALLOWED, message, mend=mend, is_retriable=False)
