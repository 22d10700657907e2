"""What a terminal shows while the demo's days go by; nothing where there is no terminal."""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from agent.demo.load import STEP
from agent.demo.simulation import Moment

# A redraw costs more than a step, so a step in twenty is shown: five simulated minutes.
_SHOWN_EVERY = timedelta(minutes=5) // STEP


class Screen:
    """A line on standard error with the simulated time, the load and both sides' replicas, and a bar to the end."""

    def __init__(self, console: Console, *, steps: int | None) -> None:
        """Take the console, and how many steps there will be; None is without an end."""
        columns = [TextColumn("{task.description}")]
        bar = [BarColumn(), TaskProgressColumn()] if steps is not None else []
        self._progress = Progress(*columns, *bar, console=console, disable=not console.is_terminal, transient=True)
        self._task = self._progress.add_task("reading two simulated weeks and fitting the models", total=steps)
        self._seen = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, moment: Moment) -> None:
        """Take in the next step."""
        self._seen += 1
        if self._seen % _SHOWN_EVERY == 0:
            self._progress.update(self._task, completed=self._seen, description=_line(moment))


def _line(moment: Moment) -> str:
    replicas = f"{moment.foretide.pods.existing:2d} replicas, HPA {moment.reactive.pods.existing:2d}"
    return f"{moment.at:%a %H:%M}  {moment.demand:3.0f} req/s  {replicas}"
