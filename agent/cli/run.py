"""`foretide run`: the agent."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import click
import uvloop

from agent.cli import HELP
from agent.cli.addresses import http_address as parsed_http_address
from agent.cli.security import grpc_security_options
from agent.cluster.reaching import KUBECONFIG, Unreachable, has_cluster, is_in_pod
from agent.configuration import Configuration, InvalidConfiguration, load_configuration
from agent.history.store import DataDirInUse
from agent.listening import PLAINTEXT_MEND, plaintext_fault
from agent.log import LogForm, configure
from agent.memory import set_aside_what_stays, share_one_heap
from agent.policy import InvalidPolicy
from agent.web.server import CannotListen as CannotListenHttp
from agent.wiring import build_agent
from scalers.keda.certificates import UnusableCertificate
from scalers.keda.server import CannotListen as CannotListenGrpc

_GRPC_PORT = 6000
_HTTP_PORT = 8080


@click.command(context_settings=HELP)
@click.option(
    "--config",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The agent's configuration, YAML.",
)
@click.option(
    "--policies",
    type=click.Path(exists=True, path_type=Path),
    help="File or folder of ForecastPolicy documents; re-read when they change. Without it: those of the cluster.",
)
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="How to reach the cluster; KUBECONFIG, or the pod's service account, by default.",
)
@click.option(
    "--namespace",
    "namespaces",
    multiple=True,
    metavar="NAME",
    help="Act on the policies of this namespace alone; may be given again.",
)
@click.option(
    "--lease",
    metavar="NAME",
    help="Of several agents the holder of this Lease, in namespace POD_NAMESPACE, decides; the others answer with it.",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where history, models and decisions are kept; without it in memory only.",
)
@click.option("--prometheus-url", metavar="URL", help="The Prometheus that policies mean by `source: default`.")
@click.option(
    "--grpc-address",
    metavar="HOST:PORT",
    help="Where KEDA asks; 127.0.0.1:6000 by default, all addresses in a cluster.",
)
@grpc_security_options
@click.option(
    "--http-address",
    metavar="HOST:PORT",
    help="Page, API and metrics; 127.0.0.1:8080 by default, all addresses in a cluster.",
)
@click.option(
    "--reactive-only", is_flag=True, help="Kill switch: every answer is the raw need, no forecast takes part."
)
@click.option(
    "--log-format", type=click.Choice(["auto", "json", "console"]), help="JSON lines, or a terminal's; auto picks."
)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="Least level that is logged."
)
def run_command(
    file: Path | None,
    policies: Path | None,
    kubeconfig: Path | None,
    namespaces: tuple[str, ...],
    lease: str | None,
    data_dir: Path | None,
    prometheus_url: str | None,
    grpc_address: str | None,
    security: Mapping[str, object],
    http_address: str | None,
    reactive_only: bool,
    log_format: str | None,
    log_level: str | None,
) -> None:
    """Run the agent: read demand, forecast, decide, answer KEDA.

    It serves at once, whether or not a source can be reached; a policy's conditions say what is missing and what to
    mend (`foretide explain NAME`, or the page). Flags win over FORETIDE_ variables, and those over the file.
    SIGTERM ends it: streams are closed with OK, calls are answered until the end.

    KEDA is answered over TLS if there is a certificate, and without it on a loopback address only, unless
    --grpc-insecure says that something else guards the port.

    \b
      foretide run --policies examples/policies --prometheus-url http://prometheus:9090 --data-dir /var/lib/foretide
      foretide run --kubeconfig ~/.kube/config --namespace ml --prometheus-url http://prometheus:9090

    \b
    Exit codes: 0 it was told to stop, 1 it failed, 2 the configuration or a policy is wrong.
    """
    try:
        settings = load_configuration(file, environment=os.environ, prometheus_url=prometheus_url, flags=security)
    except InvalidConfiguration as error:
        raise click.UsageError(str(error)) from error
    flags = {
        "policies": policies,
        "namespaces": namespaces or None,
        "lease": lease,
        "data_dir": data_dir,
        "grpc_address": grpc_address,
        "http_address": http_address,
        "log_format": log_format,
        "log_level": log_level,
        "reactive_only": reactive_only or None,
    }
    settings = settings.model_copy(update={name: value for name, value in flags.items() if value is not None})
    if kubeconfig is not None:
        os.environ[KUBECONFIG] = str(kubeconfig)  # where both kopf and the client of Kubernetes look
    if settings.policies is None and not has_cluster():
        raise click.UsageError(
            "there are no policies: give --policies FILE or FOLDER (see `foretide render examples`), or --kubeconfig"
            " FILE for those of a cluster"
        )
    _check_plaintext(settings)
    configure(form=LogForm(settings.log_format or "auto"), level=settings.log_level or "info")
    share_one_heap()
    try:
        uvloop.run(_serve(settings, settings.policies))
    except (InvalidPolicy, UnusableCertificate) as error:
        raise click.UsageError(str(error)) from error
    except (CannotListenGrpc, CannotListenHttp, DataDirInUse, Unreachable) as error:
        raise click.ClickException(str(error)) from error


async def _serve(settings: Configuration, policies: Path | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    agent = build_agent(
        settings,
        policies=policies,
        http=parsed_http_address(settings.http_address or f"{_host()}:{_HTTP_PORT}"),
        grpc_address=_grpc_address(settings),
    )
    set_aside_what_stays()
    await agent.run(stop)


def _check_plaintext(settings: Configuration) -> None:
    is_guarded = settings.grpc.tls is not None or settings.grpc.insecure
    if not is_guarded and (fault := plaintext_fault(_grpc_address(settings))):
        raise click.UsageError(f"{fault}: {PLAINTEXT_MEND}")


def _grpc_address(settings: Configuration) -> str:
    return settings.grpc_address or f"{_host()}:{_GRPC_PORT}"


def _host() -> str:
    return "0.0.0.0" if is_in_pod() else "127.0.0.1"  # noqa: S104 - a pod serves others
