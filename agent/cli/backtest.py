"""`foretide backtest`: what Foretide would have cost and left unserved on a user's own past."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from agent.backtest.backtest import SWEPT, Outcome, Question, backtest
from agent.backtest.load import SYNC, Load, UnusableLoad
from agent.backtest.page import report_page
from agent.backtest.printing import as_json, show
from agent.backtest.reading import Span, read_csv, read_range
from agent.backtest.trial import View
from agent.cli import HELP
from agent.cli.values import DURATION, INSTANT, QUANTITY, SHARE
from agent.configuration import InvalidConfiguration, PrometheusAddress, load_configuration
from agent.configuration.loading import DEFAULT_SOURCE
from agent.policy import InvalidPolicy
from agent.sources.csv import InvalidCsv
from agent.sources.prometheus import PrometheusServer, PrometheusSource
from agent.sources.source import SourceError
from scalers.hpa_rules import MOST_REPLICAS, HpaRules

_DAYS = 15  # of a server's past: Prometheus keeps as many by itself
_MAXIMUM = 1000  # replicas, where nothing is said
_WHOLE = 1000  # parts of a reading, for the bar


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, under the names of its parameters."""

    csv_file: Path | None
    prometheus_url: str | None
    query: str | None
    jobs: Path | None
    config: Path | None
    since: datetime | None
    until: datetime | None
    days: float | None
    capacity: float | None
    target: float
    risk: float
    startup: timedelta
    window: timedelta
    lag: timedelta
    minimum: int
    maximum: int | None
    tolerance: float
    stabilization: timedelta
    sweep: bool
    is_json: bool
    html_file: Path | None
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Past:
    """Where the past is: a file, or a query on a server."""

    csv: Path | None
    query: str | None
    address: PrometheusAddress | None
    span: Span

    @property
    def origin(self) -> str:
        """Its place, for people."""
        return self.csv.name if self.csv is not None else "Prometheus"


# fmt: off
@click.command(context_settings=HELP)
@click.option(
    "--csv", "csv_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="The past as `timestamp,value`: unix seconds or ISO 8601, and demand. A name in .gz is unpacked.",
)
@click.option("--prometheus-url", metavar="URL", help="The past as Prometheus has it; with --query.")
@click.option("--query", metavar="PROMQL", help="Demand as one series, such as sum(rate(http_requests_total[1m])).")
@click.option("--jobs", type=click.Path(path_type=Path), metavar="FILE", help="A queue's finished jobs; not yet.")
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="The agent's configuration, for a server that wants credentials; its source `default` is asked.",
)
@click.option("--from", "since", type=INSTANT, metavar="TIME", help="Beginning of the past that is read.")
@click.option("--until", type=INSTANT, metavar="TIME", help="Its end; now, or the end of the file.")
@click.option(
    "--days", type=click.FloatRange(min=0, min_open=True), metavar="N",
    help=f"Its length in days; {_DAYS} from Prometheus, all of a file.",
)
@click.option("--capacity", type=QUANTITY, metavar="N", help="Demand that one replica serves within its objective.")
@click.option("--target", type=SHARE, default="70%", show_default=True, help="Utilization that your HPA aims at.")
@click.option("--risk", type=SHARE, default="1%", show_default=True, help="Share of time Foretide may be short.")
@click.option("--startup", type=DURATION, default="120s", show_default=True, help="A pod's start, created to Ready.")
@click.option("--window", type=DURATION, default="60s", show_default=True, help="What the metric averages over.")
@click.option("--lag", type=DURATION, default="15s", show_default=True, help="How late the metric is.")
@click.option(
    "--min", "minimum", type=click.IntRange(1, MOST_REPLICAS), default=1, show_default=True, metavar="N",
    help="Fewest replicas.",
)
@click.option(
    "--max", "maximum", type=click.IntRange(1, MOST_REPLICAS), metavar="N", help=f"Most replicas; {_MAXIMUM} without."
)
@click.option("--tolerance", type=SHARE, default="10%", show_default=True, help="Your HPA's.")
@click.option("--stabilization", type=DURATION, default="300s", show_default=True, help="Your HPA's, of scaling in.")
@click.option("--sweep", is_flag=True, help="Foretide at every risk, and so the whole curve of shortage against cost.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@click.option(
    "--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a report, too."
)
@click.option("--name", default="workload", show_default=True, help="Of the workload, for the manifest.")
@click.option("-n", "--namespace", default="default", show_default=True, help="Of the workload, for the manifest.")
def backtest_command(**given: Any) -> None:
    """See what Foretide would have cost and left unserved on your own past.

    Plays the past under four policies, with pods that take --startup to serve and an HPA between answer and pods: the
    HPA that you have, the best reactive target in hindsight, Foretide, and the fewest replicas that serve everything
    when the future is known. Nothing is installed and nothing is changed. The first days are history, the rest is
    scored: 3 days of a week, 7 of 11 and more, a quarter of less.

    \b
      foretide backtest --csv demand.csv --capacity 12
      foretide backtest --prometheus-url http://prometheus:9090 --capacity 12 \\
          --query 'sum(rate(http_requests_total{app="chat"}[1m]))'
      foretide backtest --csv demand.csv --capacity 12 --sweep --html report.html

    How to read it: `cost` is paid replicas over the fewest that serve everything; `unserved` is the share of demand
    above the capacity of what was ready; `time short` is the share of time with any such demand, which --risk bounds.
    Compare cost at equal unserved demand: `Best reactive` is chosen for that. docs/backtest.md says more.

    \b
    Exit codes: 0 done, 1 the server did not answer, 2 the command line or the past cannot be used.
    """
    options = Options(**given)
    past = _past(options)
    if options.html_file is not None and not options.html_file.parent.is_dir():
        raise click.UsageError(f"--html {options.html_file}: there is no folder {options.html_file.parent}")
    outcome = played(past, _question(options, past))
    if options.html_file is not None:
        _write(options.html_file, report_page(outcome))
    click.echo(as_json(outcome)) if options.is_json else show(outcome, Console())


# fmt: on
def _past(options: Options) -> Past:
    """Return where the past is.

    Raises:
        click.UsageError: it is given twice, or not at all, or half.
    """
    if options.jobs is not None:
        raise click.UsageError("--jobs: queues of jobs cannot be played yet, they come with a later version; use --csv")
    is_server = options.prometheus_url is not None or options.config is not None or options.query is not None
    if (options.csv_file is not None) == is_server:
        raise click.UsageError("give the past once: --csv FILE, or --prometheus-url URL with --query PROMQL")
    span = Span(options.since, options.until, timedelta(days=options.days) if options.days else None)
    if options.csv_file is not None:
        return Past(options.csv_file, None, None, span)
    if options.query is None:
        raise click.UsageError("--prometheus-url needs --query PROMQL, the demand as one series")
    return past_of_server(options.config, options.prometheus_url, options.query, span)


def past_of_server(config: Path | None, prometheus_url: str | None, query: str, span: Span) -> Past:
    """Return the past of a query, of the usual length where no span is given.

    Raises:
        click.UsageError: the configuration is wrong, or names no server.
    """
    try:
        configuration = load_configuration(config, environment=os.environ, prometheus_url=prometheus_url)
    except InvalidConfiguration as error:
        raise click.UsageError(str(error)) from error
    if DEFAULT_SOURCE not in configuration.sources:
        raise click.UsageError("--query needs a server: give --prometheus-url URL, or --config with a source `default`")
    if span.since is None and span.length is None:
        span = Span(None, span.until, timedelta(days=_DAYS))
    return Past(None, query.strip(), configuration.sources[DEFAULT_SOURCE].prometheus, span)


def _question(options: Options, past: Past) -> Question:
    """Return what is asked of it.

    Raises:
        click.UsageError: two options contradict each other, or one has no meaning.
    """
    if options.target <= 0 or not 0 < options.risk < 1:
        raise click.UsageError(
            f"--target must be above 0% and --risk between 0% and 100%, got {options.target:.3%} and {options.risk:.3%}"
        )
    if options.maximum is not None and options.maximum < options.minimum:
        raise click.UsageError(f"--min {options.minimum} must be at most --max {options.maximum}")
    return Question(
        target=options.target,
        risk=options.risk,
        start_up=options.startup,
        capacity=options.capacity,
        hpa=HpaRules(
            minimum=options.minimum,
            maximum=options.maximum or max(_MAXIMUM, options.minimum),
            tolerance_up=options.tolerance,
            tolerance_down=options.tolerance,
            stabilization=options.stabilization,
        ),
        view=View(options.window, options.lag),
        swept=SWEPT if options.sweep else (),
        name=options.name,
        namespace=options.namespace,
        query=past.query,
        origin=past.origin,
        is_maximum_given=options.maximum is not None,
    )


def played(past: Past, question: Question) -> Outcome:
    """Return what came of a past, with a bar on the way.

    Raises:
        click.UsageError: the past cannot be used.
        click.ClickException: the server did not answer.
    """
    try:
        with _bar() as bar:
            return backtest(_read(past, bar), question, bar)
    except (UnusableLoad, InvalidPolicy) as error:
        raise click.UsageError(str(error)) from error
    except InvalidCsv as error:
        raise click.UsageError(f"{error}: {error.mend}") from error
    except SourceError as error:
        raise click.ClickException(f"{error}: {error.mend}") from error


def _read(past: Past, bar: Bar) -> Load:
    if past.csv is not None:
        return read_csv(past.csv, past.span)
    if past.address is None or past.query is None:
        raise AssertionError("a past is a file or a query on a server")
    bar.begin("reading the past", _WHOLE)
    server = PrometheusServer(DEFAULT_SOURCE, past.address)
    with closing(server):
        source = PrometheusSource(server, past.query, step=SYNC, delay=timedelta(0))
        return asyncio.run(read_range(source, past.span, datetime.now(UTC), bar.reached))


class Bar:
    """How far it is, on standard error where that is a terminal."""

    def __init__(self, progress: Progress) -> None:
        """Take rich's bar."""
        self._progress = progress
        self._task = progress.add_task("", total=None, visible=False)

    def begin(self, what: str, steps: int) -> None:
        """Begin a part."""
        self._progress.reset(self._task, total=steps, description=what, visible=True)

    def went(self, steps: int) -> None:
        """So many steps more are done."""
        self._progress.advance(self._task, steps)

    def reached(self, share: float) -> None:
        """This share of the part is done."""
        self._progress.update(self._task, completed=share * _WHOLE)


@contextmanager
def _bar() -> Iterator[Bar]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield Bar(progress)


def _write(file: Path, page: str) -> None:
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{file}: the report cannot be written: {error.strerror}") from error
