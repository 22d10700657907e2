"""Plays KEDA 2.21 towards an external scaler, for one ScaledObject with one `external-push` trigger.

Mirrors kedacore/keda pkg/scalers/external_scaler.go and pkg/scaling/cache: round robin over the endpoints, fail fast,
no deadline, one more try on an error, `s<i>-` stripped, the float field if it is above 0, three decimals, the sum of
several values, streams that back off from 2 s to 60 s and begin anew only after a clean end.

As a program it prints what KEDA would conclude, one JSON object per line:

    python -m tests.keda_client --endpoint 127.0.0.1:6000 --namespace ml --name chat --metadata policy=chat
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeVar

import grpc

from scalers.keda.proto.externalscaler_pb2 import (
    GetMetricsRequest,
    MetricSpec,
    MetricValue,
    ScaledObjectRef,
)
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub

Result = TypeVar("Result")

ROUND_ROBIN = '{"loadBalancingConfig": [{"round_robin": {}}]}'


class ScalerFailed(Exception):
    """An evaluation failed twice. KEDA holds the replicas and counts towards the fallback."""


@dataclass(frozen=True)
class Trigger:
    """What KEDA knows of one trigger, and sends with each call."""

    namespace: str
    name: str
    metadata: dict[str, str]
    index: int = 0

    def reference(self) -> ScaledObjectRef:
        return ScaledObjectRef(name=self.name, namespace=self.namespace, scalerMetadata=self.metadata)


@dataclass(frozen=True)
class Evaluation:
    """What one poll learned."""

    is_active: bool
    metrics: dict[str, float]  # by the name the HPA sees
    targets: dict[str, float]


class KedaClient:
    """The unary half: polling, and the HPA's question through the metrics adapter."""

    def __init__(
        self, endpoints: Sequence[str], trigger: Trigger, credentials: grpc.ChannelCredentials | None = None
    ) -> None:
        self.trigger = trigger
        target = f"ipv4:{','.join(endpoints)}"
        options = [("grpc.service_config", ROUND_ROBIN), ("grpc.use_local_subchannel_pool", 1)]
        self.channel = (
            grpc.secure_channel(target, credentials, options=options)
            if credentials is not None
            else grpc.insecure_channel(target, options=options)
        )
        self.scaler = ExternalScalerStub(self.channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def specs(self) -> list[MetricSpec]:
        """GetMetricSpec; an error and an empty list are alike, and both are tried once more."""
        return self._twice(self._specs)

    def poll(self) -> Evaluation:
        """One round of the poll loop: the specs, then value and activity of each metric."""
        metrics, targets, is_active = {}, {}, False
        for spec in self.specs():
            name = f"s{self.trigger.index}-{spec.metricName}"
            value, active = self._twice(lambda name=name: self._value_and_activity(name))
            metrics[name], targets[name] = value, read(spec.targetSizeFloat, spec.targetSize)
            is_active = is_active or active
        return Evaluation(is_active=is_active, metrics=metrics, targets=targets)

    def external_metric(self, name: str) -> float:
        """What the HPA gets for `s<i>-name`: the specs again, then the value that matches, in any case."""
        known = [f"s{self.trigger.index}-{spec.metricName}".lower() for spec in self.specs()]
        if name.lower() not in known:
            raise ScalerFailed(f"no matching metrics found for {name}")
        value, _ = self._twice(lambda: self._value_and_activity(name))
        return value

    def _specs(self) -> list[MetricSpec]:
        specs = list(self.scaler.GetMetricSpec(self.trigger.reference()).metricSpecs)
        if not specs:
            raise ScalerFailed("got empty metric spec")
        return specs

    def _value_and_activity(self, name: str) -> tuple[float, bool]:
        stripped = name.removeprefix(f"s{self.trigger.index}-")
        request = GetMetricsRequest(scaledObjectRef=self.trigger.reference(), metricName=stripped)
        values = self.scaler.GetMetrics(request).metricValues
        active = self.scaler.IsActive(self.trigger.reference()).result
        return total(values), active

    def _twice(self, ask: Callable[[], Result]) -> Result:
        """KEDA rebuilds the scaler after an error and asks once more, at once."""
        try:
            return ask()
        except (grpc.RpcError, ScalerFailed):
            try:
                return ask()
            except grpc.RpcError as error:
                raise ScalerFailed(f"{error.code().name}: {error.details()}") from error


def read(number: float, whole: int) -> float:
    """Return what KEDA makes of a float field and its deprecated integer: printed with "%.3f", never below 0."""
    if math.isinf(number):
        return 0.0
    return float(f"{number:.3f}") if number > 0 else float(max(whole, 0))


def total(values: Sequence[MetricValue]) -> float:
    """Return what the HPA sees: KEDA gives each value the requested name, and the HPA adds up equal names."""
    return sum(read(value.metricValueFloat, value.metricValue) for value in values)


def desired_replicas(value: float, target: float, current: int, *, tolerance: float = 0.1) -> int:
    """Return the HPA's arithmetic for an external metric of type AverageValue."""
    ratio = value / (target * current)
    return current if 1 - tolerance <= ratio <= 1 + tolerance else math.ceil(value / target)


def created_jobs(
    queue: float, target: float, *, most: int, least: int = 0, running: int = 0, pending: int = 0, strategy: str
) -> int:
    """Return how many Jobs KEDA creates for a ScaledJob, as pkg/scaling/executor/scale_jobs.go does."""
    wanted = math.ceil(min(queue / target, most - least)) if target else 0
    match strategy:
        case "accurate":
            room = most - running if wanted + running - pending > most else wanted - pending
        case "eager":
            room = min(most - running - pending, wanted)
        case _:
            room = wanted - running
    return max(0, min(math.ceil(queue), room))


class BackOff:
    """The pause before a stream is opened again: 2 s, doubling to 60 s; only a clean end begins anew."""

    def __init__(self, *, first: float = 2.0, longest: float = 60.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    def next(self) -> float:
        pause, self._next = self._next, min(2 * self._next, self._longest)
        return pause


class Call(Iterable[object], Protocol):
    """A stream that is open."""

    def cancel(self) -> bool: ...


class StreamLoop:
    """One of the two streams of a trigger, kept open in a thread of its own until closed.

    StreamIsActive hears only `true` (KEDA >= 2.18). StreamMetricSpec gives up for good on UNIMPLEMENTED, and begins its
    back-off anew after any message.
    """

    def __init__(
        self,
        client: KedaClient,
        rpc: str,
        heard: Callable[[object], None],
        *,
        ended: Callable[[str, float], None] = lambda code, pause: None,
        back_off: BackOff | None = None,
    ) -> None:
        self._open = getattr(client.scaler, rpc)
        self._reference = client.trigger.reference()
        self._resets_on_message = rpc == "StreamMetricSpec"
        self._heard = heard
        self._ended = ended
        self._back_off = back_off or BackOff()
        self._closed = threading.Event()
        self._call: Call | None = None
        self._thread = threading.Thread(target=self._run, name=rpc, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        if self._call is not None:
            self._call.cancel()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._closed.is_set():
            code = self._listen()
            if code is grpc.StatusCode.UNIMPLEMENTED and self._resets_on_message:
                return
            if code is grpc.StatusCode.OK:
                self._back_off.reset()
            pause = self._back_off.next()
            if not self._closed.is_set():
                self._ended(code.name, pause)
                self._closed.wait(pause)

    def _listen(self) -> grpc.StatusCode:
        self._call = self._open(self._reference)
        try:
            for message in self._call:
                if self._resets_on_message:
                    self._back_off.reset()
                self._heard(message)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", action="append", required=True, help="address:port, once per replica")
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--name", required=True, help="of the ScaledObject")
    parser.add_argument("--metadata", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--polls", type=int, default=1, help="0 polls until its standard input is closed")
    parser.add_argument("--interval", type=float, default=30.0, help="seconds between polls")
    parser.add_argument("--push", action="store_true", help="keep the two streams of external-push open as well")
    parser.add_argument("--ca-cert", type=Path, help="PEM file; with it TLS is spoken")
    parser.add_argument("--client-cert", type=Path, help="PEM file")
    parser.add_argument("--client-key", type=Path, help="PEM file")
    options = parser.parse_args(arguments)
    trigger = Trigger(options.namespace, options.name, dict(pair.split("=", 1) for pair in options.metadata))
    with KedaClient(options.endpoint, trigger, _credentials(options)) as client, contextlib.ExitStack() as streams:
        if options.push:
            streams.enter_context(StreamLoop(client, "StreamIsActive", _heard_activity, ended=_ended("StreamIsActive")))
            streams.enter_context(StreamLoop(client, "StreamMetricSpec", _heard_spec, ended=_ended("StreamMetricSpec")))
        _poll(client, polls=options.polls, interval=options.interval)
    return 0


def _credentials(options: argparse.Namespace) -> grpc.ChannelCredentials | None:
    files = (options.ca_cert, options.client_key, options.client_cert)
    if not any(files):
        return None
    return grpc.ssl_channel_credentials(*(file.read_bytes() if file else None for file in files))


def _poll(client: KedaClient, *, polls: int, interval: float) -> None:
    closed = threading.Event()
    if not polls:
        threading.Thread(target=lambda: (sys.stdin.read(), closed.set()), daemon=True).start()
    rounds = 0
    while not closed.is_set() and (not polls or rounds < polls):
        if rounds:
            closed.wait(interval)
        rounds += 1
        began = time.perf_counter()
        try:
            seen = client.poll()
        except ScalerFailed as failed:
            _print(event="poll", error=str(failed))
            continue
        milliseconds = round(1000 * (time.perf_counter() - began), 3)
        _print(event="poll", active=seen.is_active, metrics=seen.metrics, targets=seen.targets, ms=milliseconds)


def _heard_activity(message: object) -> None:
    _print(event="pushed", active=message.result)


def _heard_spec(message: object) -> None:
    _print(event="spec", targets={spec.metricName: spec.targetSizeFloat for spec in message.metricSpecs})


def _ended(rpc: str) -> Callable[[str, float], None]:
    return lambda code, pause: _print(event="stream ended", rpc=rpc, code=code, pause=pause)


def _print(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")  # in one piece: the streams speak from threads of their own
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
