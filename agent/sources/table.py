"""Which adapter reads a policy's signal: one line per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from agent.configuration import Configuration
from agent.policy.demand import KINDS, Demand
from agent.policy.faults import nearest
from agent.sources.admission import admit, open_sources
from agent.sources.csv import Columns
from agent.sources.csv_source import CsvSource
from agent.sources.prometheus import PrometheusServer, PrometheusSource
from agent.sources.source import RangeSource, SignalState, Source, SourceError

SourceFactory = Callable[[Demand], Source | RangeSource]


class SourceTable:
    """Opens the sources of policies; signals on one server share its threads and connections."""

    def __init__(self, configuration: Configuration, *, extra: Mapping[str, SourceFactory] | None = None) -> None:
        """Make a table.

        Args:
            configuration: the agent's; its sources are the only ones that a policy may name.
            extra: further kinds, or others in the place of these, by the kind's name in the policy document.
        """
        self._configuration = configuration
        self._servers: dict[str, PrometheusServer] = {}
        self._own_servers = "prometheus" not in (extra or {})
        self._factories: dict[str, SourceFactory] = {
            "prometheus": self._prometheus,
            "csv": _csv,
            **(extra or {}),
        }

    def open(self, signal: Demand, *, namespace: str) -> Source | RangeSource:
        """Return what reads a signal of a namespace's policy. Nothing is asked of it yet.

        Raises:
            SourceError: NotConfigured: the kind is not of this version, or the configuration has no such source.
                NotAllowed, OutOfScope: it has, and not for this namespace or this query.
        """
        kind = next(kind for kind in KINDS if getattr(signal, kind) is not None)
        factory = self._factories.get(kind)
        if factory is None:
            known = ", ".join(sorted(self._factories))
            raise _not_configured(
                f"demand of kind {kind} cannot be read by this version", f"use one of: {known}; {kind} comes later"
            )
        if signal.prometheus is not None:
            self._admit(signal.source, namespace, signal.prometheus.query)
        return factory(signal)

    def open_query(self, signal: Demand, query: str, *, namespace: str) -> Source:
        """Return what reads another query where a signal is read, at the signal's step and delay.

        Raises:
            SourceError: NotConfigured: the signal is not read by queries, or the configuration has no such source.
                NotAllowed, OutOfScope: it has, and not for this namespace or this query.
        """
        if signal.prometheus is None:
            raise _not_configured(
                "an objective is a query, and the demand is read without one",
                "read the demand by `prometheus`, or declare the capacity",
            )
        asked = signal.prometheus.model_copy(update={"query": query})
        return self.open(signal.model_copy(update={"prometheus": asked}), namespace=namespace)

    def close(self) -> None:
        """Release all connections."""
        for server in self._servers.values():
            server.close()

    def _admit(self, name: str, namespace: str, query: str) -> None:
        sources = self._configuration.sources
        if name in sources:
            admit(sources, name, namespace=namespace, query=query)
        elif self._own_servers:
            raise _unknown_source(name, open_sources(sources, namespace), is_any=bool(sources))

    def _prometheus(self, signal: Demand) -> RangeSource:
        if signal.prometheus is None:
            raise AssertionError("the kind was looked at before")
        server = self._server(signal.source)
        return PrometheusSource(server, signal.prometheus.query, step=signal.step, delay=signal.delay)

    def _server(self, name: str) -> PrometheusServer:
        if name not in self._servers:
            self._servers[name] = PrometheusServer(name, self._configuration.sources[name].prometheus)
        return self._servers[name]


def open_source(
    signal: Demand,
    configuration: Configuration,
    *,
    namespace: str,
    extra: Mapping[str, SourceFactory] | None = None,
) -> Source | RangeSource:
    """Return what reads one signal, with connections of its own. Whoever opens several keeps a `SourceTable`.

    Raises:
        SourceError: as by `SourceTable.open`.
    """
    return SourceTable(configuration, extra=extra).open(signal, namespace=namespace)


def _csv(signal: Demand) -> RangeSource:
    if signal.csv is None:
        raise AssertionError("the kind was looked at before")
    columns = Columns(timestamp=signal.csv.timestamp, value=signal.csv.value)
    return CsvSource(Path(signal.csv.path), columns=columns, step=signal.step, delay=signal.delay)


def _unknown_source(name: str, known: tuple[str, ...], *, is_any: bool) -> SourceError:
    if not is_any:
        mend = "give --prometheus-url URL, or `sources` in the file of --config"
        return _not_configured(f"no source is configured, and the policy reads {name!r}", mend)
    if not known:
        mend = "have one opened to the policy's namespace in the agent's configuration"
        return _not_configured(f"there is no source {name!r}, and none that this namespace may read", mend)
    meant = nearest(name, known)
    hint = f"did you mean {meant!r}? " if meant else ""
    return _not_configured(f"there is no source {name!r}", f"{hint}name one of the configuration's: {', '.join(known)}")


def _not_configured(message: str, mend: str) -> SourceError:
    return SourceError(SignalState.NOT_CONFIGURED, message, mend=mend, is_retriable=False)
