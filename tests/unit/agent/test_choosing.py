from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.choosing import Chooser
from scalers.contest import Contest, Setting
from scalers.hpa_rules import HpaRules

STEP, HOUR = timedelta(seconds=15), timedelta(hours=1)
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
FAMILIES = {"reactive": "reactive", "seer": "seer"}


NOBODY = np.zeros(0, np.int64)  # no path is a forecaster's


def lived(age: timedelta) -> Contest:
    """A load that doubles for half of every hour; the seer knows it three minutes before."""
    contest = Contest(tuple(FAMILIES), Setting(10.0, STEP, timedelta(minutes=2), late=3, rules=HpaRules()))
    minutes = np.arange(age // STEP) / 4
    demand = np.where(minutes % 60 < 30, 100.0, 200.0)
    soon = np.where((minutes + 3.5) % 60 < 30, 100.0, 200.0)
    for now, then in zip(demand, np.maximum(demand, soon), strict=True):
        contest.step(np.array([now, then]), float(now))
    return contest


@pytest.fixture(scope="module")
def contest() -> Contest:
    return lived(timedelta(days=2))


@pytest.mark.parametrize(("hours", "family"), [(0, "reactive"), (13, "reactive"), (20, "reactive"), (24, "seer")])
def test_a_forecaster_answers_once_half_of_its_record_is_its_own(contest: Contest, hours: int, family: str) -> None:
    chooser = Chooser(FAMILIES, risk=0.01, step=STEP)
    assert chooser.choose(contest, NOW, spoken=np.array([hours * HOUR // STEP]))
    assert chooser.advantage is not None
    assert chooser.advantage.family == family


def test_what_needs_no_record_of_its_own_answers_from_an_hour() -> None:
    chooser = Chooser(FAMILIES, risk=0.01, step=STEP)
    assert not chooser.choose(lived(timedelta(minutes=55)), NOW, spoken=NOBODY)
    assert chooser.choose(lived(timedelta(hours=2)), NOW, spoken=NOBODY)
    assert chooser.advantage is not None
    assert chooser.advantage.family == "seer"


def test_half_a_day_of_its_own_is_the_least(contest: Contest) -> None:
    young = Contest(tuple(FAMILIES), Setting(10.0, STEP, timedelta(minutes=2), late=3, rules=HpaRules()))
    young.restore(contest.encode())
    young.discount()  # a day is left
    chooser = Chooser(FAMILIES, risk=0.01, step=STEP)
    for hours, family in ((11, "reactive"), (12, "seer")):
        chooser.choose(young, NOW, spoken=np.array([hours * HOUR // STEP]))
        assert chooser.advantage is not None
        assert chooser.advantage.family == family
