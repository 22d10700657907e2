"""`foretide demo`: the agent on simulated days at high speed, beside a plain HPA."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import click
import grpc
import uvloop
from rich.console import Console

from agent.cli import HELP
from agent.cli.addresses import http_address as parsed_http_address
from agent.demo.keda import KedaStandIn
from agent.demo.load import STEPS_PER_DAY
from agent.demo.pace import Pace
from agent.demo.report import as_json, as_table
from agent.demo.scenario import Scene, scene
from agent.demo.screen import Screen
from agent.demo.stepped import SteppedAgent
from agent.demo.tally import Result
from agent.listening import is_loopback
from agent.log import LogForm, configure
from agent.parts import Parts
from agent.web.server import CannotListen as CannotListenHttp
from agent.web.server import HttpAddress
from agent.wiring import build_http_server, build_keda_server, build_parts
from dashboards import page_directory
from scalers.keda.server import CannotListen as CannotListenGrpc

_SPEED = 600.0  # a day in 2 min 24 s: fast enough to see the night, slow enough to read a decision
_HTTP_ADDRESS = "127.0.0.1:8080"
_GRPC_ADDRESS = "127.0.0.1:6000"
_ANY_PORT = "127.0.0.1:0"
_GRACE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    seed: int
    days: int | None  # None goes on until it is stopped
    speed: float | None  # None is as fast as the machine can
    http: HttpAddress | None  # None has no page
    grpc_address: str

    @property
    def steps(self) -> int | None:
        """How many steps are played."""
        return None if self.days is None else self.days * STEPS_PER_DAY


@click.command(context_settings=HELP)
@click.option("--once", is_flag=True, help="One live day (or --days) as fast as the machine can, without a page.")
@click.option("--json", "is_json", is_flag=True, help="Print the comparison as JSON; with --once or --days.")
@click.option(
    "--speed", type=click.FloatRange(min=0, min_open=True), metavar="N",
    help=f"Simulated seconds per real second; {_SPEED:g} by default, without a limit with --once.",
)  # fmt: skip
@click.option(
    "--days", type=click.IntRange(min=1), metavar="N", help="End after N live days; 1 with --once, else no end."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another one, other days.")
@click.option("--http-address", metavar="HOST:PORT", help=f"Where the page is; {_HTTP_ADDRESS} by default.")
@click.option("--grpc-address", metavar="HOST:PORT", help=f"Where KEDA asks; {_GRPC_ADDRESS}, any port with --once.")
@click.option("--grpc-insecure", is_flag=True, help="Let other machines reach that address; the demo has no TLS.")
def demo_command(
    once: bool,
    is_json: bool,
    speed: float | None,
    days: int | None,
    seed: int,
    http_address: str | None,
    grpc_address: str | None,
    grpc_insecure: bool,
) -> None:
    """Watch the agent on simulated days, beside an HPA at 70 % on the same load.

    A simulated chat service has had two weeks of load; now live days go by: weekdays and weekends, jobs that recur, a
    flash crowd, twenty minutes without data, and pods that take two minutes to start. Engine, forecasts and gRPC
    server are those of `foretide run`; only the load, the pods, KEDA and the HPA are played. Nothing is installed and
    nothing leaves this machine.

    \b
      foretide demo                 the page at http://127.0.0.1:8080, until Ctrl-C
      foretide demo --once --json   one day, then {"reactive": …, "foretide": …}

    \b
    Exit codes: 0 it ran to its end or was stopped, 1 it failed, or was stopped before it had a result to print.
    """
    if once and http_address is not None:
        raise click.UsageError("--once has no page: leave out --http-address, or --once")
    if is_json and not once and days is None:
        raise click.UsageError("--json prints the result at the end: give --once or --days N")
    if grpc_address and not grpc_insecure and not is_loopback(grpc_address):
        raise click.UsageError(f"other machines reach gRPC address {grpc_address}: give --grpc-insecure if they may")
    options = Options(
        seed=seed,
        days=days or (1 if once else None),
        speed=speed or (None if once else _SPEED),
        http=None if once else parsed_http_address(http_address or _HTTP_ADDRESS),
        grpc_address=grpc_address or (_ANY_PORT if once else _GRPC_ADDRESS),
    )
    configure(form=LogForm.AUTO, level="warning")
    results = _run(options)
    click.echo(as_json(results)) if is_json else Console().print(as_table(results, days=options.days or 1))


def _run(options: Options) -> Mapping[str, Result]:
    try:
        return uvloop.run(_play(options))
    except (CannotListenGrpc, CannotListenHttp) as error:
        raise click.ClickException(str(error)) from error
    except asyncio.CancelledError:
        if options.days is None:
            raise click.exceptions.Exit(0) from None
        raise click.Abort from None


async def _play(options: Options) -> Mapping[str, Result]:
    """Play the days and return both sides' figures.

    Raises:
        CancelledError: a signal ended it.
    """
    _end_on_signals()
    played = scene(options.seed)
    parts = build_parts(clock=played.clock, data_dir=None, replicas=played.simulation)
    agent, pace = SteppedAgent(parts.engine, parts.backfiller), Pace(options.speed)
    with Screen(Console(stderr=True), steps=options.steps) as screen:
        async with _serving(parts, played, options) as channel:
            keda = KedaStandIn(channel, scaled_object="chat", policy=played.assignment.policy.key)
            await agent.take_up(played.assignment, played.source, played.clock.now())
            step = 0
            while step != options.steps:
                await pace.wait()
                moment = await played.simulation.step(agent.tick, keda)
                played.record.add(moment)
                screen.show(moment)
                step += 1
    return played.record.results()


@asynccontextmanager
async def _serving(parts: Parts, played: Scene, options: Options) -> AsyncIterator[grpc.aio.Channel]:
    """Run the servers, and give a channel to the one that KEDA asks."""
    server = build_keda_server(parts, drain=timedelta(0))
    try:
        async with asyncio.TaskGroup() as group:
            page = None
            if options.http is not None:
                page = build_http_server(parts, options.http, comparison=played.record)
                _say_where(page.bind())
                group.create_task(page.serve(), name="http")
            port = await asyncio.to_thread(server.start, options.grpc_address)
            async with grpc.aio.insecure_channel(f"{_host(options.grpc_address)}:{port}") as channel:
                yield channel
            if page is not None:
                page.stop()
    finally:
        await asyncio.to_thread(server.stop, _GRACE)
        await parts.close()


def _say_where(address: HttpAddress) -> None:
    click.echo(f"the page: http://{address}")
    if page_directory() is None:
        click.echo("the page is not built in this checkout: `make page` builds it; the API is there", err=True)


def _host(address: str) -> str:
    """The host to connect to for a server that listens on an address."""
    host = address.rpartition(":")[0]
    return "127.0.0.1" if host in {"", "0.0.0.0", "[::]"} else host  # noqa: S104 - compared with, not bound to


def _end_on_signals() -> None:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("the demo runs as a task")
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
