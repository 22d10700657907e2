"""Builds everything and passes it in; the only module that knows every other."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from agent.access_log import AccessLog
from agent.backfill import Backfiller
from agent.board import Board
from agent.book import EngineBook, LeadTimes
from agent.certificates import CertificateWatch
from agent.clock import Clock, WallClock
from agent.cluster.peers.sharing import Sharing
from agent.configuration import Configuration, Grpc
from agent.engine import Engine
from agent.fitting.local import LocalFitPool
from agent.history.ledger import Ledger
from agent.history.opening import open_store
from agent.history.thread import StoreThread
from agent.keeping import Keeper
from agent.parts import Parts
from agent.policy_files import PolicyFiles
from agent.runtime import Agent, Companion, Duty, PolicySource, Servers
from agent.sources.table import SourceTable
from agent.surroundings import Onlooker
from agent.telemetry import Telemetry
from agent.tracing import grpc_interceptors
from agent.watched import ReplicaSource, UnobservedReplicas
from agent.web.app import create_app
from agent.web.comparison import ComparisonBook
from agent.web.readiness import Readiness
from agent.web.server import HttpAddress, HttpServer
from dashboards import page_directory
from forecasters.table import FORECASTERS
from scalers.keda.call_log import CallLog
from scalers.keda.certificates import TlsFiles
from scalers.keda.identity import AllowedClients
from scalers.keda.limits import Limits
from scalers.keda.server import Guest, KedaServer, ServerSettings
from scalers.keda.tls import ServingTls

# Kubernetes takes seconds to tell KEDA's resolver that this replica leaves; it answers meanwhile.
_DRAIN = timedelta(seconds=3)


def build_parts(
    *,
    clock: Clock,
    data_dir: Path | None,
    replicas: ReplicaSource | None = None,
    lead_times: LeadTimes | None = None,
    is_reactive_only: Callable[[], bool] = lambda: False,
    sharing: Sharing | None = None,
    onlooker: Onlooker | None = None,
    fit_processes: int = 1,
) -> Parts:
    """Build what decides and remembers; where it is shared with other agents, for a duty that changes.

    Raises:
        DataDirInUse: another agent holds the data directory.
    """
    telemetry = Telemetry(version=importlib.metadata.version("foretide"))
    store = open_store(data_dir, clock=clock)
    if sharing is not None:
        store = sharing.shared(store)
    storing, ledger, board, fits = StoreThread(), Ledger(store), Board(), LocalFitPool(max_workers=fit_processes)
    keeper = Keeper(clock=clock, store=store, storing=storing, ledger=ledger, telemetry=telemetry.work)
    engine = Engine(
        clock=clock,
        forecasters=FORECASTERS,
        keeper=keeper,
        board=board,
        fits=fits,
        telemetry=telemetry,
        replicas=replicas or UnobservedReplicas(),
        is_reactive_only=is_reactive_only,
        may_decide=sharing.duty.may_decide if sharing is not None else lambda: True,
        audience=sharing.journal if sharing is not None else None,
        onlooker=onlooker,
    )
    return Parts(
        clock=clock,
        store=store,
        storing=storing,
        board=board,
        fits=fits,
        telemetry=telemetry,
        engine=engine,
        book=EngineBook(engine, ledger, storing, clock, lead_times=lead_times),
        backfiller=Backfiller(store, storing, clock),
    )


def build_keda_server(
    parts: Parts,
    *,
    drain: timedelta,
    tls: ServingTls | None = None,
    limits: Limits | None = None,
    log: CallLog | None = None,
    guests: Sequence[Guest] = (),
) -> KedaServer:
    """Build the gRPC server over the board, traced where the process was started with OpenTelemetry."""
    settings = ServerSettings(drain_delay=drain, limits=limits or Limits())
    interceptors = grpc_interceptors()
    return KedaServer(
        parts.board, parts.telemetry.server, settings, tls=tls, interceptors=interceptors, log=log, guests=guests
    )


def build_tls(grpc: Grpc) -> ServingTls | None:
    """Read what the gRPC server shows and asks for; None where it is to speak plaintext.

    Raises:
        UnusableCertificate: a file cannot be used.
    """
    if grpc.tls is None:
        return None
    files = TlsFiles(grpc.tls.cert_file, grpc.tls.key_file, grpc.tls.client_ca_file)
    names = grpc.tls.allowed_client_sans
    return ServingTls(files, clients=AllowedClients.parse(names) if names else None)


def build_http_server(
    parts: Parts, address: HttpAddress, *, comparison: ComparisonBook | None = None, sharing: Sharing | None = None
) -> HttpServer:
    """Build the HTTP server over the engine's pictures."""
    app = create_app(
        parts.book,
        clock=parts.clock,
        readiness=lambda: _readiness(parts.board, sharing),
        exposition=lambda: _exposition(parts),
        comparison=comparison,
        page=page_directory(),
    )
    return HttpServer(app, address)


def build_agent(configuration: Configuration, *, policies: Path | None, http: HttpAddress, grpc_address: str) -> Agent:
    """Build the agent of `foretide run`: for the policies of a file or folder, or without one for those of a cluster.

    Raises:
        DataDirInUse: another agent holds the data directory.
        UnusableCertificate: a file of the certificate cannot be used.
    """
    tls = build_tls(configuration.grpc)  # before anything is held that would have to be let go of
    clock, sources = WallClock(), SourceTable(configuration)
    most = configuration.namespace_limits.policies
    if policies is not None:
        parts = _parts_for(configuration, clock, replicas=None, is_reactive_only=lambda: configuration.reactive_only)
        servers = _servers(configuration, parts, tls, http=http, grpc_address=grpc_address)
        return _agent(configuration, parts, servers, PolicyFiles(policies, sources, most=most), companion=None)
    from agent.cluster.side import ClusterSide  # noqa: PLC0415 - kopf and its client are 60 MiB that files do not need

    side = ClusterSide(clock, configuration.namespaces, lease=configuration.lease)
    sharing = Sharing(side, clock, grpc_address=grpc_address, tls=tls) if configuration.lease is not None else None
    parts = _parts_for(
        configuration,
        clock,
        replicas=side.targets,
        is_reactive_only=lambda: configuration.reactive_only or side.kill_switch.is_on,
        lead_times=side.lead_times,
        sharing=sharing,
        onlooker=side.onlooker,
    )
    servers = _servers(configuration, parts, tls, http=http, grpc_address=grpc_address, sharing=sharing)
    kept, duty = side.policies_of(parts, sources, most=most), sharing.duty if sharing is not None else None
    return _agent(configuration, parts, servers, kept, companion=side, duty=duty)


def _parts_for(
    configuration: Configuration,
    clock: Clock,
    *,
    replicas: ReplicaSource | None,
    is_reactive_only: Callable[[], bool],
    lead_times: LeadTimes | None = None,
    sharing: Sharing | None = None,
    onlooker: Onlooker | None = None,
) -> Parts:
    return build_parts(
        clock=clock,
        data_dir=configuration.data_dir,
        replicas=replicas,
        lead_times=lead_times,
        is_reactive_only=is_reactive_only,
        sharing=sharing,
        onlooker=onlooker,
        fit_processes=configuration.fits.processes,
    )


def _servers(
    configuration: Configuration,
    parts: Parts,
    tls: ServingTls | None,
    *,
    http: HttpAddress,
    grpc_address: str,
    sharing: Sharing | None = None,
) -> Servers:
    grpc = configuration.grpc
    access_log = AccessLog(share=grpc.access_log, refused_per_minute=grpc.access_log_refusals)
    limits, guests = grpc.limits.to_limits(), [sharing.join(parts)] if sharing is not None else []
    return Servers(
        build_keda_server(parts, drain=_DRAIN, tls=tls, limits=limits, log=access_log, guests=guests),
        grpc_address,
        build_http_server(parts, http, sharing=sharing),
        certificates=CertificateWatch(tls, telemetry=parts.telemetry.server, clock=parts.clock) if tls else None,
        access_log=access_log,
    )


def _agent(
    configuration: Configuration,
    parts: Parts,
    servers: Servers,
    policies: PolicySource,
    *,
    companion: Companion | None,
    duty: Duty | None = None,
) -> Agent:
    return Agent(
        parts,
        policies=policies,
        servers=servers,
        keeps_days=configuration.data_dir is not None,
        companion=companion,
        duty=duty,
    )


def _readiness(board: Board, sharing: Sharing | None) -> Readiness:
    if board.is_ready():
        return Readiness(is_ready=True)
    fault = sharing.duty.fault() if sharing is not None else None
    return Readiness(is_ready=False, reasons=("a policy has had no decision yet", *([fault] if fault else ())))


def _exposition(parts: Parts) -> bytes:
    parts.telemetry.snapshots_taken(parts.book.snapshots())
    return parts.telemetry.exposition()
