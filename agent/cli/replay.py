"""`foretide replay`: the live decision code as a filter, its clock taken from the input."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from agent.cli import HELP
from agent.inline import InlineDecider
from agent.policy import ForecastPolicy, InvalidPolicy, load_policies, to_scaling_policy
from agent.sources.csv import LATEST_SECONDS, InvalidCsv, read_csv_series
from agent.sources.source import SignalState, SourceError
from scalers.decision import Replicas

_NO_DEMAND = SourceError(
    SignalState.EMPTY, "the line has no demand", mend="give a number, or leave null for a gap", is_retriable=True
)
_JSON = msgspec.json.Decoder()
_MOST_REPLICAS = 2**31 - 1  # Kubernetes counts them in an int32


class InvalidLine(ValueError):
    """An input line cannot be used; the message names the field, the value and the rule."""


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the world as the filter is told it."""

    at: datetime
    demand: float | None  # None is a gap
    replicas: Replicas | None


@click.command(context_settings=HELP)
@click.option(
    "--policy", "policy_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with one ForecastPolicy.",
)  # fmt: skip
@click.option(
    "--history", "history_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV `timestamp,value` that is known before the first line; timestamps in unix seconds or ISO 8601.",
)  # fmt: skip
def replay_command(policy_file: Path, history_file: Path | None) -> None:
    """Decide line by line, as the live agent would have.

    Reads JSON Lines from stdin and writes one line per line before it reads the next:

    \b
      in   {"time": 1700000000, "demand": 123.4, "replicas": 9, "ready": 7}
      out  {"time": 1700000000, "replicas": 10.7, "reason": "…"}

    `time` is in unix seconds, `demand` may be null, `replicas` counts pods that exist and `ready` those that serve;
    both may be left out. `replicas` in the output is the value that KEDA would get; null stands for an error, on which
    KEDA holds. A line that cannot be read gets null and the reason, and the filter goes on. Same policy and lines, same
    answers; nothing from the future is used.

    \b
    Exit codes: 0 the input ended, 2 the policy or the history is wrong.
    """
    replay = Replay(_only_policy(policy_file))
    if history_file is not None:
        replay.learn(history_file)
    encoder = msgspec.json.Encoder()
    for answer in replay.answers(sys.stdin.buffer):  # bytes: text that is no UTF-8 costs its line only
        sys.stdout.buffer.write(encoder.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


class Replay:
    """A policy's decider, driven by lines."""

    def __init__(self, document: ForecastPolicy) -> None:
        self._decider = InlineDecider(to_scaling_policy(document), gap=_NO_DEMAND)
        self._last: datetime | None = None

    def learn(self, history: Path) -> None:
        """Take up a past, and fit."""
        try:
            past = read_csv_series(history, self._decider.step)
        except InvalidCsv as error:
            raise click.UsageError(str(error)) from error
        self._decider.learn(past.series)
        self._last = past.series.end - past.series.step  # the last row may lie anywhere in the last step

    def answers(self, lines: Iterable[bytes]) -> Iterator[Mapping[str, object]]:
        """Yield one answer per line."""
        for number, text in enumerate(lines, start=1):
            try:
                line = parse_line(text, after=self._last)
            except InvalidLine as error:
                yield {"time": None, "replicas": None, "reason": f"line {number}: {error}"}
                continue
            self._last = line.at
            decision = self._decider.decide(line.at, line.demand, line.replicas)
            yield {"time": _plain(line.at.timestamp()), "replicas": decision.for_keda, "reason": decision.sentence}


def parse_line(text: bytes, *, after: datetime | None) -> Line:
    """Return what an input line says.

    Raises:
        InvalidLine: it is not a JSON object, a field is missing or wrong, or its time is not after what is known.
    """
    try:
        fields = _loaded(text)
    except (ValueError, RecursionError) as error:
        raise InvalidLine(f"is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidLine(f"is not a JSON object but {_shown(fields)}")
    at = _instant(fields)
    if after is not None and at <= after:
        raise InvalidLine(f"time {_plain(at.timestamp())} is not after {_plain(after.timestamp())}, which is known")
    return Line(at=at, demand=_number(fields, "demand"), replicas=_replicas(fields))


def _loaded(text: bytes) -> object:
    """Return what JSON says; json takes ten times as long, and reads NaN and a byte-order mark, too."""
    try:
        return _JSON.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return json.loads(text)


def _instant(fields: Mapping[str, object]) -> datetime:
    seconds = _number(fields, "time")
    if seconds is None or not 0 <= seconds <= LATEST_SECONDS:
        raise InvalidLine(f"time must be unix seconds, from 1970 to 2200, got {_shown(fields.get('time'))}")
    return datetime.fromtimestamp(seconds, UTC)


def _replicas(fields: Mapping[str, object]) -> Replicas | None:
    existing, ready = _count(fields, "replicas"), _count(fields, "ready")
    return None if existing is None else Replicas(existing, existing if ready is None else ready)


def _number(fields: Mapping[str, object], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidLine(f"{name} must be a number, got {_shown(value)}")
    try:
        return float(value)
    except OverflowError as error:
        raise InvalidLine(f"{name} must be a number, got one of {len(str(value))} digits") from error


def _count(fields: Mapping[str, object], name: str) -> int | None:
    count = fields.get(name)
    if count is None:
        return None
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= _MOST_REPLICAS:
        raise InvalidLine(f"{name} must be a whole number from 0 up, got {_shown(count)}")
    return count


def _shown(value: object) -> str:
    return repr(value)[:40]


def _plain(seconds: float) -> float | int:
    return int(seconds) if seconds.is_integer() else seconds


def _only_policy(file: Path) -> ForecastPolicy:
    try:
        policies = load_policies(file)
    except InvalidPolicy as error:
        raise click.UsageError(str(error)) from error
    if len(policies) != 1:
        raise click.UsageError(f"{file} holds {len(policies)} policies; replay takes a file with one")
    signals = len(policies[0].spec.all_signals)
    if signals != 1:
        raise click.UsageError(f"policy {policies[0].key} has {signals} signals, and a line has one demand")
    return policies[0]
