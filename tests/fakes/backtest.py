"""A small backtest: hours of a made-up load, played once, and the pieces to play others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.backtest import trial as trials
from agent.backtest.backtest import Question
from agent.backtest.load import SYNC, Load
from agent.backtest.trial import Trial, View
from forecasters.series import Series
from scalers.decision import Replicas
from scalers.hpa_rules import HpaRules
from tests.fakes.loads import MONDAY


class ScriptedDecisions:
    """Decides by a function of demand; remembers what it was told."""

    def __init__(self, rule: Callable[[float | None], float | None]) -> None:
        self._rule = rule
        self.history: Series | None = None
        self.asked: list[tuple[datetime, float | None, Replicas]] = []

    def learn(self, history: Series) -> None:
        self.history = history

    def answer(self, at: datetime, demand: float | None, replicas: Replicas) -> float | None:
        self.asked.append((at, demand, replicas))
        return self._rule(demand)


class Silent:
    """A progress that nobody looks at; it adds up."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, int]] = []
        self.steps = 0

    def begin(self, what: str, steps: int) -> None:
        self.parts.append((what, steps))

    def went(self, steps: int) -> None:
        self.steps += steps


def hours(count: float, *, seed: int = 1) -> NDArray[np.float64]:
    """Return a load around 100 that swells every two hours, with noise and a jump late in it, at 15 s."""
    rows = round(count * 240)
    generator = np.random.default_rng(seed)
    swell = 100 + 40 * np.sin(2 * np.pi * np.arange(rows) / 480) + generator.normal(scale=3, size=rows)
    swell[int(0.8 * rows) : int(0.8 * rows) + 20] += 80
    return np.asarray(swell, dtype=np.float64)


def load_of(values: NDArray[np.float64] | list[float]) -> Load:
    return Load(Series(MONDAY, SYNC, np.asarray(values, dtype=np.float64)), SYNC)


def trial_of(
    values: NDArray[np.float64] | list[float],
    *,
    capacity: float | None = 10.0,
    start_up: timedelta = timedelta(seconds=120),
    hpa: HpaRules | None = None,
) -> Trial:
    return trials.trial_of(load_of(values), capacity=capacity, start_up=start_up, hpa=hpa or HpaRules(), view=View())


def question(*, risk: float = 0.01, query: str | None = None) -> Question:
    return Question(
        target=0.7,
        risk=risk,
        start_up=timedelta(seconds=120),
        capacity=10.0,
        hpa=HpaRules(),
        view=View(),
        swept=(),
        name="chat",
        namespace="ml",
        query=query,
        origin="demand.csv",
        is_maximum_given=False,
    )
