"""The agent as a process: its servers, its loops, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn, Protocol

from agent.access_log import AccessLog
from agent.certificates import CertificateWatch
from agent.due import next_due, phase_of
from agent.log import logger
from agent.memory import give_back
from agent.parts import Parts
from agent.signal import Signal
from agent.sources.source import RangeSource, Source, SourceError
from agent.watched import Assignment, Watched
from agent.web.server import HttpServer
from scalers.keda.server import KedaServer
from scalers.policy import PolicyKey

_FLUSH_EVERY = timedelta(seconds=1)
_FIT_EVERY = timedelta(seconds=1)
_RELOAD_EVERY = timedelta(seconds=5)  # also of what a watch has told
_CHECKPOINT_EVERY = timedelta(minutes=10)
_GIVE_BACK_EVERY = timedelta(minutes=10)
_FORGET_EVERY = timedelta(hours=1)

# Calls still running after it are cut; each takes well under a second.
_GRACE = timedelta(seconds=5)
# What is stored when an agent ends takes a second or so; a volume that hangs must not keep the next from deciding.
_HANDING_OVER = 5.0  # seconds


class PolicySource(Protocol):
    """Where policies come from: files or a cluster."""

    @property
    def refused(self) -> Mapping[PolicyKey, str]:
        """Why policies that were read last are not acted on."""
        ...

    def first(self) -> Sequence[Assignment]:
        """Return the policies at start, or raise what is wrong with them."""
        ...

    def changed(self) -> Sequence[Assignment] | None:
        """Return all policies if they are not those returned last; None if nothing changed or they cannot be read."""
        ...

    def close(self) -> None:
        """Release the sources that were opened for the policies."""
        ...


class Companion(Protocol):
    """What runs beside the decisions, and ends with them.

    Attributes:
        every: how often it looks.
    """

    every: timedelta

    async def begin(self) -> None:
        """Begin, before there are policies."""
        ...

    async def look(self) -> None:
        """Do what is due."""
        ...

    async def close(self) -> None:
        """End; one that never began, too."""
        ...


class Duty(Protocol):
    """Whether this agent decides, where there are several.

    Attributes:
        every: how often it looks, and is asked.
    """

    every: timedelta

    async def begin(self, port: int) -> None:
        """Take part; gRPC listens on a port."""
        ...

    def may_decide(self) -> bool:
        """Whether this agent may decide at this moment."""
        ...

    def must_rest(self) -> bool:
        """Whether another decides whom this agent follows. For moments neither is so: then what was so goes on."""
        ...

    def look(self, *, is_deciding: bool) -> None:
        """Take note of what this agent does, and do what is due."""
        ...

    async def run(self) -> NoReturn:
        """Listen to the others until cancelled."""
        ...

    async def hand_over(self) -> None:
        """Let another agent decide."""
        ...


@dataclass(frozen=True, slots=True)
class Servers:
    """What listens, and where."""

    keda: KedaServer
    grpc_address: str
    http: HttpServer
    certificates: CertificateWatch | None = None  # None where KEDA is answered in plaintext
    access_log: AccessLog | None = None  # None where no call is logged


class _Stopped(Exception):
    """Somebody asked the agent to end."""


class Agent:
    """Everything that runs in `foretide run`; built by `agent.wiring`."""

    def __init__(
        self,
        parts: Parts,
        *,
        policies: PolicySource,
        servers: Servers,
        keeps_days: bool,
        companion: Companion | None = None,
        duty: Duty | None = None,
    ) -> None:
        self._parts = parts
        self._engine = parts.engine
        self._clock = parts.clock
        self._policies = policies
        self._servers = servers
        self._companion = companion
        self._duty = duty  # None where this agent alone decides
        self._keeps_days = keeps_days  # whether the store is worth filling with days at the policy's own step
        self._following: dict[PolicyKey, tuple[Watched, asyncio.Task[None]]] = {}
        self._log = logger("agent")

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then end streams cleanly and store what is left.

        Raises:
            InvalidPolicy: a policy is wrong at start.
            CannotListen: an address is taken or not this machine's.
            ExceptionGroup: a loop ended of itself, which is a defect; the process should end and be started anew.
        """
        try:
            if self._companion is not None:
                await self._companion.begin()
            if self._duty is not None:
                self._engine.rest()
            await self._assign(self._policies.first())
            self._servers.http.bind()
            if self._servers.access_log is not None:
                self._servers.access_log.begin()
            port = await asyncio.to_thread(self._servers.keda.start, self._servers.grpc_address)
            watch = self._servers.certificates
            self._log.info("grpc_serving", address=self._servers.grpc_address, port=port, tls=watch is not None)
            async with asyncio.TaskGroup() as group:
                group.create_task(_raise_when(stop), name="stop")
                group.create_task(self._servers.http.serve(), name="http")
                group.create_task(self._follow_server(), name="grpc")
                self._repeat(group, "fits", self._fit, every=_FIT_EVERY)
                self._repeat(group, "flush", self._engine.flush, every=_FLUSH_EVERY)
                self._repeat(group, "checkpoint", self._engine.checkpoint, every=_CHECKPOINT_EVERY)
                self._repeat(group, "forget", self._forget, every=_FORGET_EVERY)
                self._repeat(group, "memory", lambda: asyncio.to_thread(give_back), every=_GIVE_BACK_EVERY)
                self._repeat(group, "policies", lambda: self._reload(group), every=_RELOAD_EVERY)
                if self._companion is not None:
                    self._repeat(group, "cluster", self._companion.look, every=self._companion.every)
                if watch is not None:
                    watch.begin()
                    self._repeat(group, "certificates", watch.look, every=_RELOAD_EVERY)
                if self._duty is not None:
                    await self._duty.begin(port)
                    group.create_task(self._duty.run(), name="peers")
                    await self._change_duty(group, self._duty)
                    duty = self._duty
                    self._repeat(group, "duty", lambda: self._change_duty(group, duty), every=duty.every)
                self._follow(group)
        except* _Stopped:
            self._log.info("stopping")
        finally:
            await self._end()

    async def _follow_server(self) -> NoReturn:
        """The gRPC server has a thread of its own; if it ends by itself, so must the process."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._servers.keda.ended.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set))
        await ended.wait()
        raise RuntimeError("the gRPC server has ended by itself")

    async def _end(self) -> None:
        if self._duty is not None:
            await self._guarded("hand over", self._hand_over(self._duty))
        await asyncio.to_thread(self._servers.keda.stop, _GRACE)
        if self._servers.access_log is not None:
            await asyncio.to_thread(self._servers.access_log.close)
        if self._companion is not None:
            await self._companion.close()
        await self._parts.close()
        self._policies.close()
        self._log.info("stopped")

    async def _hand_over(self, duty: Duty) -> None:
        """Let the next begin with all that this agent knows, while calls that still come are answered."""
        async with asyncio.timeout(_HANDING_OVER):
            await self._engine.close()
            await duty.hand_over()
        self._engine.rest()

    async def _change_duty(self, group: asyncio.TaskGroup, duty: Duty) -> None:
        """Begin to decide, or let another."""
        if self._engine.is_resting and duty.may_decide():
            await self._engine.take_over()
            self._log.info("deciding", policies=len(self._engine.watched))
        elif not self._engine.is_resting and duty.must_rest():
            self._engine.rest()
            self._log.info("resting", policies=len(self._engine.watched))
        self._follow(group)
        duty.look(is_deciding=not self._engine.is_resting)

    async def _reload(self, group: asyncio.TaskGroup) -> None:
        if (assignments := await asyncio.to_thread(self._policies.changed)) is not None:
            await self._assign(assignments)
            self._follow(group)

    async def _assign(self, assignments: Sequence[Assignment]) -> None:
        self._parts.board.explain(self._policies.refused)
        await self._engine.assign(assignments)

    def _follow(self, group: asyncio.TaskGroup) -> None:
        """Start a task for each policy that is new, and end those of policies that are gone, changed or another's."""
        wanted = {} if self._engine.is_resting else {watched.key: watched for watched in self._engine.watched}
        for key, (followed, task) in list(self._following.items()):
            if wanted.get(key) is not followed:
                task.cancel()
                del self._following[key]
        for key, watched in wanted.items():
            if key not in self._following:
                self._following[key] = (watched, group.create_task(self._run_policy(watched), name=f"policy {key}"))

    async def _run_policy(self, watched: Watched) -> None:
        for signal, _ in watched.pairs():
            await self._guarded(f"past {signal.name}", self._parts.backfiller.stored(signal, self._clock.now()))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._decide(watched), name=f"decide {watched.key}")
            for signal, source in watched.pairs():
                name = f"past {signal.name}"
                group.create_task(self._guarded(name, self._read_past(signal, source)), name=name)

    async def _decide(self, watched: Watched) -> None:
        """Decide at once, then at every grid point of the policy's step."""
        policy = watched.assignment.policy
        name, phase, now = f"policy {watched.key}", phase_of(policy), self._clock.now()
        await self._guarded(name, self._engine.tick_policy(watched, now))
        due = next_due(policy, now)
        while True:
            await self._clock.sleep_until(due + phase)
            await self._guarded(name, self._engine.tick_policy(watched, due))
            due = next_due(policy, self._clock.now() - phase)

    async def _read_past(self, signal: Signal, source: Source | SourceError) -> None:
        if not isinstance(source, RangeSource):
            return
        await self._parts.backfiller.recent_until_done(signal, source)
        if self._keeps_days:
            await self._parts.backfiller.fine_backwards(signal, source)

    async def _fit(self) -> None:
        await self._engine.fit(self._clock.now())

    async def _forget(self) -> None:
        await self._engine.forget(self._clock.now())

    def _repeat(
        self, group: asyncio.TaskGroup, name: str, work: Callable[[], Awaitable[None]], *, every: timedelta
    ) -> None:
        group.create_task(self._every(every, name, work), name=name)

    async def _every(self, period: timedelta, name: str, work: Callable[[], Awaitable[None]]) -> NoReturn:
        while True:
            await self._clock.sleep_until(self._clock.now() + period)
            await self._guarded(name, work())

    async def _guarded(self, what: str, work: Awaitable[None]) -> None:
        """The outer edge of every loop: what nobody foresaw is logged and counted, and the loop goes on."""
        try:
            await work
        except Exception:  # noqa: BLE001 - one policy's defect must not end the others
            self._log.exception("loop_failed", loop=what)
            self._parts.telemetry.loop_failed()


async def _raise_when(stop: asyncio.Event) -> NoReturn:
    await stop.wait()
    raise _Stopped
