"""Server processes that end with the tests, whatever ends the tests."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None)


class Server:
    """One process with its log. A session of its own, so that Ctrl-C reaches the tests alone and they end it."""

    def __init__(self, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self.name = Path(command[0]).name
        with log.open("ab") as file:
            self._popen = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={"PATH": os.environ["PATH"], "HOME": str(log.parent), **(environment or {})},
                start_new_session=True,
                preexec_fn=_die_with_the_tests,  # noqa: PLW1509 - one call, and the tests have no threads at that time
            )

    def check(self) -> None:
        """Fail where it has ended by itself, with the end of its log."""
        if self._popen.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self._popen.returncode}:\n{self.tail()}")

    def tail(self, about: str = "") -> str:
        """Return the last lines of its log that hold a word."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if about in line]
        return "\n".join(line.split(',"stacktrace"')[0][:1000] for line in lines[-25:])

    def pause(self) -> None:
        """Hang: connections are accepted by the kernel and never answered."""
        self._popen.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """End it at once, also when it is paused."""
        self._popen.kill()
        self._popen.wait()

    def stop(self) -> None:
        """End it; safe to repeat."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGCONT)
            self._popen.terminate()
            try:
                self._popen.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._popen.kill()
        self._popen.wait()


def _die_with_the_tests() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], Found | None], what: str, *, within: float, told: Callable[[], str]) -> Found:
    """Return what a look finds, once it finds something.

    Args:
        look: returns None (or False) until it is so.
        what: the promise, for the failure's message.
        within: seconds.
        told: what else the failure shows.
    """
    deadline = time.monotonic() + within
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}\n{told()}")
        time.sleep(0.2)
    return found
