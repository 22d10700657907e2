"""statsforecast's models as predictors, each used as well as its interface allows: fitted, then carried by `forward`.

statsforecast is an extra (`bench`), never a dependency of what serves; `PEERS_ABSENT` says so where it is absent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from bench.forecasts.predictor import LEVELS, CalibratedPath, FanModel, PeakPredictor, Quantiles, WithOwnIntervals
from forecasters.series import Series

IS_INSTALLED = find_spec("statsforecast") is not None
PEERS_ABSENT = "statsforecast is not installed: make bench installs it"

_DAY_SECONDS = 86_400
_MOST_ROWS = 2016  # a week at 5 min: AutoETS takes 6 to 20 s for it, and no model here has a season longer than a day
_FOURIER_PAIRS = 4  # of the day; each costs AutoARIMA two regressors
_WIDTHS = tuple(round(200 * level - 100) for level in LEVELS if level > 0.5)  # two-sided, in percent

Values = NDArray[np.float64]


class StatsforecastModel(Protocol):
    """What of statsforecast's models is used here."""

    def fit(self, y: Values, X: Values | None = None) -> object:  # noqa: N803 - statsforecast's own name
        """Estimate."""
        ...

    def forward(
        self,
        y: Values,
        h: int,
        X: Values | None = None,  # noqa: N803 - likewise
        X_future: Values | None = None,  # noqa: N803 - likewise
        level: Sequence[int] | None = None,
    ) -> Mapping[str, Values]:
        """Foretell what follows `y` with the parameters as they were estimated."""
        ...


def peers(steps: int) -> list[PeakPredictor]:
    """Return fresh predictors for a look-ahead of so many steps; none where statsforecast is not installed."""
    if not IS_INSTALLED:
        return []
    models: list[FanModel] = [Forwarded("SeasonalNaive"), Forwarded("AutoETS", is_refitted=False)]
    models += [Forwarded("AutoARIMA"), WithFourierTerms(), Decomposed()]
    return [WithOwnIntervals(CalibratedPath(model, steps)) for model in models]


class Forwarded:
    """A model that takes new values by `forward`, over the newest week."""

    def __init__(self, name: str, *, is_refitted: bool = True) -> None:
        """Take statsforecast's model of this name; one that is not refitted keeps the parameters of its first fit."""
        self.name = name
        self._is_refitted = is_refitted
        self._model: StatsforecastModel | None = None
        self._values: deque[float] = deque(maxlen=_MOST_ROWS)

    def fit(self, history: Series) -> None:
        """Estimate on the newest week, with a season of a day.

        AutoARIMA is given none: with 288 steps a season its search does not end within minutes.
        """
        season = round(_DAY_SECONDS / history.step.total_seconds())
        self._values = deque(history.values[-_MOST_ROWS:].tolist(), maxlen=_MOST_ROWS)
        if self._model is not None and not self._is_refitted:
            return
        self._model = _make(self.name, season_length=1 if self.name == "AutoARIMA" else season)
        self._model.fit(np.array(self._values))

    def observe(self, value: float) -> None:
        """Keep the value for the next `forward`."""
        self._values.append(value)

    def fan(self, steps: int) -> Quantiles:
        """Return the model's own quantiles after the newest value."""
        return _quantiles(_fitted(self._model).forward(np.array(self._values), steps, level=_WIDTHS))


class WithFourierTerms:
    """AutoARIMA with sines and cosines of the day as regressors: the usual way round a season too long for it.

    Hyndman & Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), section 10.5.
    """

    name = "AutoARIMA, Fourier terms"

    def __init__(self) -> None:
        """Start unfitted."""
        self._model: StatsforecastModel | None = None
        self._values: deque[float] = deque(maxlen=_MOST_ROWS)
        self._turn = 0.0  # of the day per step, radians
        self._next = 0  # number of the step after the newest value

    def fit(self, history: Series) -> None:
        """Estimate on the newest week; a refit keeps the parameters, which take seconds, and has seen every value."""
        if self._model is not None:
            return
        self._values = deque(history.values[-_MOST_ROWS:].tolist(), maxlen=_MOST_ROWS)
        self._turn = 2 * np.pi * history.step.total_seconds() / _DAY_SECONDS
        self._next = len(self._values)
        self._model = _make("AutoARIMA", season_length=1)
        self._model.fit(np.array(self._values), X=self._terms(0, self._next))

    def observe(self, value: float) -> None:
        """Keep the value for the next `forward`."""
        self._values.append(value)
        self._next += 1

    def fan(self, steps: int) -> Quantiles:
        """Return the model's own quantiles after the newest value."""
        past = self._terms(self._next - len(self._values), self._next)
        ahead = self._terms(self._next, self._next + steps)
        model = _fitted(self._model)
        return _quantiles(model.forward(np.array(self._values), steps, X=past, X_future=ahead, level=_WIDTHS))

    def _terms(self, first: int, end: int) -> Values:
        angles = self._turn * np.outer(np.arange(first, end), np.arange(1, _FOURIER_PAIRS + 1))
        return np.hstack([np.sin(angles), np.cos(angles)])


class Decomposed:
    """MSTL with its usual AutoETS on what the season leaves.

    MSTL's own `forward` decomposes everything again, at the price of a fit. Here the season stays as fitted, repeated
    from its last day, and AutoETS goes forward on what it leaves of each new value.
    """

    name = "MSTL"

    def __init__(self) -> None:
        """Start unfitted."""
        self._trend: StatsforecastModel | None = None
        self._adjusted: deque[float] = deque(maxlen=_MOST_ROWS)
        self._season: Values = np.zeros(1)  # the day after the newest value, oldest first

    def fit(self, history: Series) -> None:
        """Decompose the newest week with a season of a day."""
        day = round(_DAY_SECONDS / history.step.total_seconds())
        model = _make("MSTL", season_length=[day])
        model.fit(history.values[-_MOST_ROWS:].copy())
        parts = model.model_  # type: ignore[attr-defined]  # a data frame: trend, seasonal, remainder
        self._trend = model.trend_forecaster  # type: ignore[attr-defined]
        self._adjusted = deque((parts["trend"] + parts["remainder"]).tolist(), maxlen=_MOST_ROWS)
        self._season = parts.filter(like="seasonal").sum(axis=1).to_numpy()[-day:]

    def observe(self, value: float) -> None:
        """Take the season off the value, and turn the day on by a step."""
        self._adjusted.append(value - float(self._season[0]))
        self._season = np.roll(self._season, -1)

    def fan(self, steps: int) -> Quantiles:
        """Return AutoETS's quantiles after the newest value, with the season put back."""
        adjusted = _fitted(self._trend).forward(np.array(self._adjusted), steps, level=_WIDTHS)
        return _quantiles(adjusted) + self._season[:steps]


def _make(name: str, **options: object) -> StatsforecastModel:
    models = import_module("statsforecast.models")  # an extra, and slow to import
    return cast("StatsforecastModel", getattr(models, name)(**options))


def _fitted(model: StatsforecastModel | None) -> StatsforecastModel:
    if model is None:
        raise AssertionError("a peer was asked before it was fitted")
    return model


def _quantiles(answer: Mapping[str, Values]) -> Quantiles:
    """Return an answer as rows of `LEVELS`: the mean for 0.5, else the upper end of the interval."""
    above = [np.asarray(answer[f"hi-{width}"], dtype=np.float64) for width in _WIDTHS]
    return np.stack([np.asarray(answer["mean"], dtype=np.float64), *above])
