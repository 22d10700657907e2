"""An outage as a whole decider lives it: held, told, not learned from, and over in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from agent.sources.source import Reading, Sample
from forecasters.series import Series
from scalers.decision import Basis, Decision
from scalers.policy import Mode, ScalingPolicy
from tests.fakes.driven import Driven, past_of
from tests.fakes.engine import START, daily
from tests.fakes.situations import a_policy

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GONE, BACK = START + 10 * MINUTE, START + 40 * MINUTE


@pytest.fixture(scope="module")
def past() -> Series:
    """Nine days up to noon of a Monday, by the minute."""
    return past_of(daily, end=START, span=9 * DAY, noise=1.0, step=MINUTE)


def reacting(**changes: object) -> ScalingPolicy:
    """A policy that reacts with a margin, decided by the minute."""
    signal = replace(a_policy().signals[0], step=MINUTE)
    return a_policy(**{"models": (), "families": (), "signals": (signal,)} | changes)


def smooth(at: datetime) -> float:
    """Demand as a query over the last three minutes shows it: it takes them to be gone, and to be back."""
    seen = [at - back * MINUTE for back in range(3)]
    return sum(0.0 if GONE <= each < BACK else daily(each) for each in seen) / 3


def lived(driven: Driven, demand: Callable[[datetime], float], *, minutes: int = 60) -> dict[datetime, Decision]:
    return {at: driven.read(at, demand(at)) for at in (START + row * MINUTE for row in range(minutes))}


def answers(decisions: dict[datetime, Decision]) -> dict[datetime, float]:
    return {at: each.answer for at, each in decisions.items() if each.answer is not None}


def test_what_was_answered_before_the_fall_is_held_until_demand_has_been_back_for_ten_minutes(past: Series) -> None:
    driven = Driven(reacting())
    driven.learn(past)
    decisions = lived(driven, smooth)
    given, before = answers(decisions), decisions[GONE - MINUTE].answer
    assert before is not None

    noticed = GONE + 2 * MINUTE  # the query shows the whole fall
    assert given[noticed - MINUTE] < 0.6 * before
    held = {at: answer for at, answer in given.items() if noticed <= at < BACK + 11 * MINUTE}
    assert len(held) == 39
    assert min(held.values()) >= before
    assert decisions[noticed].basis is Basis.HELD
    assert decisions[noticed].sentence.startswith("demand fell from 13")
    assert [clamp.name for clamp in decisions[noticed].clamps] == ["outage"]
    assert decisions[BACK + 15 * MINUTE].basis is Basis.REACTIVE


def test_after_two_hours_what_is_there_is_the_load(past: Series) -> None:
    driven = Driven(reacting())
    driven.learn(past)
    given = answers(lived(driven, lambda at: daily(at) if at < GONE else 0.0, minutes=140))

    assert given[GONE + 2 * HOUR - MINUTE] == pytest.approx(given[GONE])
    assert given[GONE + 2 * HOUR] == 1.0


def test_in_shadow_keda_gets_the_raw_need_and_the_record_shows_the_hold(past: Series) -> None:
    driven = Driven(reacting(mode=Mode.SHADOW))
    driven.learn(past)
    decision = lived(driven, smooth)[GONE + 5 * MINUTE]

    assert decision.answer is not None
    assert decision.answer > 11.0
    assert decision.for_keda == 1.0


def test_an_outage_is_not_in_the_records_of_the_experts(past: Series) -> None:
    plain, hit = Driven(reacting()), Driven(reacting())
    for driven, demand in ((plain, daily), (hit, lambda at: 0.0 if GONE <= at < BACK else daily(at))):
        driven.learn(past)
        lived(driven, demand, minutes=120)
    (healthy,), (after,) = plain.signal.peaks.records(), hit.signal.peaks.records()

    assert after.expert == healthy.expert
    assert after.short == pytest.approx(healthy.short, rel=0.02)  # at the return all pods are held, as ours are


@pytest.mark.parametrize("hours", [1, 3])
def test_a_first_start_learns_from_an_outage_what_living_through_it_would_have_taught(hours: int) -> None:
    """Of three hours two are an outage, then what is there is the load: that return all live through."""
    step, gone = 5 * MINUTE, START - 26 * HOUR
    signal = replace(a_policy().signals[0], step=step)
    policy = reacting(signals=(signal,), families=("hold",))
    past = past_of(
        lambda at: 0.0 if gone <= at < gone + hours * HOUR else daily(at),
        end=START,
        span=14 * DAY,
        noise=1.0,
        step=step,
    )
    live, fresh = Driven(policy), Driven(policy)
    live.signal.take_past(fine=past.between(past.start, START - 6 * DAY - step))
    for row, value in enumerate(past.last(6 * DAY // step).values.tolist()):
        at = START + row * step - 6 * DAY
        live.signal.observe(Reading(Sample(at, value), newest=None), at)
    fresh.learn(past)

    lived, walked = live.signal.peaks.records(), fresh.signal.peaks.records()
    assert [each.expert for each in walked] == [each.expert for each in lived]
    assert [each.short for each in walked] == pytest.approx([each.short for each in lived], abs=1e-12)
    assert [each.cost_ratio for each in walked] == pytest.approx([each.cost_ratio for each in lived], rel=1e-9)


def test_demand_at_a_ceiling_is_in_the_record() -> None:
    values = np.minimum(past_of(daily, end=START, span=3 * DAY, noise=2.0, step=MINUTE).values, 110.0)
    driven = Driven(reacting())
    driven.learn(Series(START - 3 * DAY, MINUTE, values))
    ceiling = driven.read(START, 110.0).signals[0].ceiling

    assert ceiling is not None
    assert ceiling.level == pytest.approx(110.0, rel=1e-2)
    driven = Driven(reacting())
    driven.learn(past_of(daily, end=START, span=3 * DAY, noise=2.0, step=MINUTE))
    assert driven.read(START, 110.0).signals[0].ceiling is None
