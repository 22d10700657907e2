"""What a person should know of a past before believing figures about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from agent.backtest.load import SYNC, Load
from agent.backtest.trial import Trial
from forecasters.ceiling import Ceiling, find_ceiling
from forecasters.outage import OutageSpan, find_outages
from forecasters.series import Series
from scalers.sentence import amount, span

_DAYS_TO_LEARN = timedelta(days=3)  # less shows no day often enough to tell what recurs
_SHOWN = 5  # outages that are told one by one
_GLITCH = timedelta(minutes=2)  # shorter falls are a lost scrape
_INTERPOLATED = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing worth knowing."""

    title: str
    what: str


def notices(load: Load, trial: Trial) -> tuple[Notice, ...]:
    """Return what is odd about a past, the gravest first."""
    series = Series(trial.start, SYNC, trial.load)
    found = [_ceiling(find_ceiling(series, load.spacing), trial), _outages(find_outages(series))]
    found += [_short_history(trial), _coarse(load), _gaps(trial)]
    return (
        *(notice for notice in found if notice is not None),
        *(Notice("Left out or put right", note) for note in load.notes),
    )


def _ceiling(ceiling: Ceiling | None, trial: Trial) -> Notice | None:
    if ceiling is None:
        return None
    return Notice(
        "Demand pinned at a ceiling",
        f"it rises to {amount(ceiling.level)}, {amount(ceiling.level / trial.workload.capacity)} replicas' worth, and"
        f" stays there: {ceiling.plateaus} times, {span(ceiling.total)} in all, the longest {span(ceiling.longest)}"
        f" from {ceiling.since:%Y-%m-%d %H:%M} UTC. That is how a served rate looks while a queue builds up before it:"
        " what was asked for may be higher, and every policy here is spared the difference. Use a metric of what"
        " arrives (at the gateway, refused and queued requests included), or take the busy hours' figures as too good",
    )


def _outages(found: tuple[OutageSpan, ...]) -> Notice | None:
    spans = [each for each in found if each.until - each.since >= _GLITCH]
    if not spans:
        return None
    told = "; ".join(
        f"{each.since:%Y-%m-%d %H:%M} UTC for {span(each.until - each.since)}, from {amount(each.before)} to"
        f" {amount(each.during)}"
        for each in spans[:_SHOWN]
    )
    more = f" and {len(spans) - _SHOWN} more" if len(spans) > _SHOWN else ""
    return Notice(
        "Falls to near zero that look like outages",
        f"{told}{more}. They come at once, at no time at which demand is usually low, and end by a return. Scaling in"
        " on them saves replicas here, and in truth leaves too few for the return, when clients retry",
    )


def _short_history(trial: Trial) -> Notice | None:
    history = trial.begin * SYNC
    if history >= _DAYS_TO_LEARN:
        return None
    return Notice(
        "Little history",
        f"decisions begin with {span(history)} of past, which shows no day of the week twice; Foretide's figures after"
        " two weeks are likely to be better. Give 11 days or more",
    )


def _coarse(load: Load) -> Notice | None:
    if load.spacing <= _INTERPOLATED:
        return None
    return Notice(
        "Coarse rows",
        f"they are {span(load.spacing)} apart and straight lines are drawn between them: peaks shorter than that are"
        " not here, and a straight line is easier to foretell than a load. Give rows of 60 s or finer",
    )


def _gaps(trial: Trial) -> Notice | None:
    missing = int(np.isnan(trial.load).sum())
    if not missing:
        return None
    return Notice(
        "Gaps",
        f"{span(missing * SYNC)} of {span(len(trial.load) * SYNC)} have no value. In them every policy holds its"
        " replicas, and they count in no figure",
    )
