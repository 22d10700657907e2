"""Processes of the benchmark that print JSON lines and take orders as lines; what they cost."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).resolve().parents[1]


class LineProcess:
    """A process, started by entering and killed by leaving."""

    def __init__(self, *command: str | Path) -> None:
        self._command: Sequence[str | Path] = command

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        self.popen = subprocess.Popen(self._command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        self.cost = Cost(self.popen.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.communicate()

    def say(self, line: str) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(f"{line}\n")
        self.popen.stdin.flush()

    def hear(self) -> dict[str, float]:
        """Return the next line.

        Raises:
            RuntimeError: the process has ended; it has told why on stderr.
        """
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(map(str, self._command))} ended with {self.popen.wait()}")
        heard = json.loads(line)
        assert isinstance(heard, dict)
        return heard


class Cost:
    """What one process, without its children, has used."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._threads = Path(f"/proc/{pid}/task")

    def cpu_seconds(self) -> float:
        """Return the CPU of the threads that live, to the nanosecond: `cpu_times` counts by hundredths of a second."""
        return sum(int(file.read_text().split()[0]) for file in self._threads.glob("*/schedstat")) / 1e9

    def kib(self) -> float:
        return float(self._process.memory_info().rss / 1024)

    def peak_kib(self) -> float:
        """Return the most memory that it has ever had."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))

    def children_cpu_seconds(self) -> float:
        """Return what its children have used: those that live, and those that it has seen end."""
        ended = self._process.cpu_times()
        living = sum(sum(child.cpu_times()[:2]) for child in self._process.children(recursive=True))
        return float(ended.children_user + ended.children_system + living)
