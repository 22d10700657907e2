from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from scalers.advantage import Account, Advantage, in_words, rival
from scalers.ledger import Records

NOON = datetime(2026, 11, 17, 12, 30, tzinfo=UTC)
BOUGHT = Advantage(
    own=Account("quantile-0.95 at 77%", 8.1, 0.004),
    family="quantile-regression",
    is_reactive=False,
    keeps_risk=True,
    since=datetime(2026, 11, 17, 12, 4, tzinfo=UTC),
    lately=timedelta(days=5, hours=22, minutes=10),
    reactive=Account("reactive at 55%", 9.6, 0.006),
)
LATELY = "in the simulation of the last 5 d 22 h it took"
REACTIVE = replace(BOUGHT, own=Account("reactive at 55%", 9.6, 0.006), family="reactive", is_reactive=True)


@pytest.mark.parametrize(
    ("advantage", "said"),
    [
        (
            BOUGHT,
            f"quantile-0.95 at 77% answers since 12:04:00; {LATELY} 8.1 replicas where reactive at 55% takes 9.6 "
            "(16 % fewer); short 0.4 % of the time, that one 0.6 %, risk 1 %",
        ),
        (
            replace(BOUGHT, own=Account("hold-15m at 63%", 10.08, 0.0), since=NOON - timedelta(days=2)),
            f"hold-15m at 63% answers since 15 Nov 12:30; {LATELY} 10.08 replicas where reactive at 55% takes 9.6 "
            "(5 % more); short 0 % of the time, that one 0.6 %, risk 1 %",
        ),
        (
            replace(BOUGHT, own=Account("hold-15m at 55%", 9.61, 0.006)),
            f"hold-15m at 55% answers since 12:04:00; {LATELY} 9.61 replicas where reactive at 55% takes 9.6, as many; "
            "short 0.6 % of the time, that one 0.6 %, risk 1 %",
        ),
        (
            replace(BOUGHT, reactive=None),
            f"quantile-0.95 at 77% answers since 12:04:00; {LATELY} 8.1 replicas and was short 0.4 % of the time, "
            "risk 1 %; no reactive margin keeps the risk",
        ),
        (
            REACTIVE,
            f"reactive at 55% answers since 12:04:00; {LATELY} 9.6 replicas and was short 0.6 % of the time, "
            "risk 1 %; no forecast has cost less and kept the risk",
        ),
        (
            replace(REACTIVE, own=Account("reactive at 20%", 30.0, 0.021), keeps_risk=False, reactive=None),
            f"reactive at 20% answers since 12:04:00; {LATELY} 30 replicas and was short 2.1 % of the time; "
            "none keeps the risk of 1 %",
        ),
    ],
    ids=["fewer", "more", "as many", "no rival", "reactive", "none keeps the risk"],
)
def test_a_saving_is_told_against_what_over_how_long_and_beside_the_shortage(advantage: Advantage, said: str) -> None:
    assert in_words(advantage, risk=0.01, now=NOON) == said


def test_what_is_saved_is_a_share_of_the_reactive_replicas() -> None:
    assert BOUGHT.saved == pytest.approx(0.15625)


def test_a_reactive_expert_saves_nothing_against_itself() -> None:
    assert REACTIVE.saved is None


def records(paid: list[float], short: list[float]) -> Records:
    none = np.zeros(len(paid))
    return Records(timedelta(days=1), np.array(short), np.array(short), np.array(paid), none, none)


NAMES = ("quantile-0.9 at 95%", "reactive at 70%", "reactive at 55%", "reactive at 46%")
IS_REACTIVE = np.array([False, True, True, True])


def test_the_rival_is_the_cheapest_reactive_expert_that_keeps_the_risk() -> None:
    known = records([6.0, 7.5, 9.6, 11.0], [0.0, 0.03, 0.006, 0.001])
    assert rival(known, risk=0.01, reactive=IS_REACTIVE, names=NAMES) == Account("reactive at 55%", 9.6, 0.006)


def test_where_no_reactive_margin_keeps_the_risk_there_is_no_rival() -> None:
    known = records([6.0, 7.5, 9.6, 11.0], [0.0, 0.05, 0.04, 0.03])
    assert rival(known, risk=0.01, reactive=IS_REACTIVE, names=NAMES) is None
