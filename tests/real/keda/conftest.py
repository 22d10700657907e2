"""Server processes, and KEDA's client in yet another process."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Self

import pytest

ROOT = Path(__file__).resolve().parents[3]
LONGEST = 20.0  # seconds that a test waits for a line of another process


class Process:
    """A Python module of ours in a process of its own that speaks JSON lines."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._stderr = tempfile.TemporaryFile("w+", errors="backslashreplace")  # noqa: SIM115 - closed with the process
        self.popen = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )
        self._lines: Queue[dict[str, object]] = Queue()
        self._passed_over: list[dict[str, object]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self._lines.put(json.loads(line))

    def say(self, **order: object) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(json.dumps(order) + "\n")
        self.popen.stdin.flush()

    def hear(self, **having: object) -> dict[str, object]:
        """Return the next line that has these fields; lines that have others wait for their turn."""
        for line in self._passed_over:
            if having.items() <= line.items():
                self._passed_over.remove(line)
                return line
        while not having.items() <= (line := self._lines.get(timeout=LONGEST)).items():
            self._passed_over.append(line)
        return line

    def hear_own(self, field: str) -> dict[str, object]:
        """Return the next line that has a field."""
        while field not in (line := self._lines.get(timeout=LONGEST)):
            self._passed_over.append(line)
        return line

    def forget(self) -> None:
        """Drop what was said until now."""
        self._passed_over.clear()
        for _ in range(self._lines.qsize()):
            self._lines.get_nowait()

    def rest(self) -> list[dict[str, object]]:
        """Return the lines that have not been heard, after the process has ended."""
        self.popen.wait(timeout=LONGEST)
        self._reader.join(timeout=LONGEST)
        return [*self._passed_over, *(self._lines.get_nowait() for _ in range(self._lines.qsize()))]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.wait(timeout=LONGEST)
        self._reader.join(timeout=LONGEST)
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.popen.stdin.close()
        self.popen.stdout.close()
        sys.stderr.write(self.complaints())
        self._stderr.close()

    def complaints(self) -> str:
        """Return what the process wrote to its standard error."""
        self._stderr.seek(0)
        return self._stderr.read()


@dataclass(frozen=True)
class Rpcs:
    """What a server's observer was told."""

    handled: list[tuple[str, str]]
    opened: list[str]
    closed: list[tuple[str, str]]

    def count(self, rpc: str, code: str = "OK") -> int:
        return self.handled.count((rpc, code))

    @property
    def open_streams(self) -> int:
        return len(self.opened) - len(self.closed)


@dataclass(frozen=True)
class Memory:
    """What a server's process holds."""

    mib: float  # resident
    files: int  # open


class Server(Process):
    """One replica of the agent, as far as KEDA sees it."""

    def __init__(self, *options: str) -> None:
        super().__init__("tests.real.keda.serve", *options)
        self.port = self.hear()["port"]
        self.endpoint = f"127.0.0.1:{self.port}"

    def publish(self, replicas: float | None, policy: str = "chat", **rest: object) -> None:
        self.say(policy=policy, replicas=replicas, active=bool(replicas), **rest)
        self.hear(done=True)

    def register(self, policy: str = "chat") -> None:
        self.say(register=policy)
        self.hear(done=True)

    def rpcs(self) -> Rpcs:
        """Return what the server heard of RPCs since it began."""
        self.say(tell="rpcs")
        line = self.hear_own("handled")
        return Rpcs(
            handled=[(str(rpc), str(code)) for rpc, code in line["handled"]],
            opened=[str(rpc) for rpc in line["opened"]],
            closed=[(str(rpc), str(code)) for rpc, code in line["closed"]],
        )

    def memory(self) -> Memory:
        """Return what the process holds."""
        self.say(tell="memory")
        line = self.hear_own("memory")
        return Memory(mib=int(str(line["memory"])) / 1024**2, files=int(str(line["files"])))

    def until(self, claim: Callable[[Rpcs], bool], what: str, *, within: float = LONGEST) -> Rpcs:
        """Wait until what was heard of RPCs is so, and return it."""
        deadline = time.monotonic() + within
        while not claim(heard := self.rpcs()):
            assert time.monotonic() < deadline, f"not within {within:g} s: {what}; {heard}"
            time.sleep(0.05)
        return heard


Keda = Callable[..., Process]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as started:
        yield started


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers with times of their own: `serve("--age", "1")`."""
    with ExitStack() as started:
        yield lambda *options: started.enter_context(Server(*options))


@pytest.fixture
def second() -> Iterator[Server]:
    with Server() as started:
        yield started


@pytest.fixture
def keda() -> Iterator[Keda]:
    """Starts a client that polls until its standard input is closed, unless told otherwise."""
    started: list[Process] = []

    def start(
        *servers: Server,
        policy: str = "chat",
        polls: int = 0,
        interval: float = 0.05,
        push: bool = False,
        tls: Sequence[str] = (),
    ) -> Process:
        endpoints = [argument for each in servers for argument in ("--endpoint", each.endpoint)]
        options = ["--polls", str(polls), "--interval", str(interval), *(["--push"] if push else []), *tls]
        trigger = ["--namespace", "ml", "--name", "chat", "--metadata", f"policy={policy}"]
        started.append(Process("tests.keda_client", *endpoints, *trigger, *options))
        return started[-1]

    yield start
    for process in started:
        process.__exit__()
