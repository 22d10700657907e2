from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from forecasters.state import UnreadableState
from scalers.bounds import whole_gangs
from scalers.choice import Answering, choose, counted_as
from scalers.contest import MARGINS, Contest, Records, Setting
from scalers.hpa_rules import HpaRules
from scalers.simulated_pool import SimulatedPool
from scalers.tolerance import past_tolerance

STEP = timedelta(seconds=15)
SETTING = Setting(capacity=10.0, step=STEP, start_up=timedelta(minutes=2), late=3, rules=HpaRules())
PATHS = ("reactive", "seer")


def lived(hours: float = 30, *, setting: Setting = SETTING, turn: int = 0) -> Contest:
    """A load that doubles for half of every hour; the seer knows it three minutes before."""
    contest = Contest(PATHS, setting, turn=turn)
    minutes = np.arange(round(hours * 240)) / 4
    demand = np.where(minutes % 60 < 30, 100.0, 200.0)
    soon = np.where((minutes + 3.5) % 60 < 30, 100.0, 200.0)
    for now, then in zip(demand, np.maximum(demand, soon), strict=True):
        contest.step(np.array([now, then]), float(now))
    return contest


@pytest.fixture(scope="module")
def contest() -> Contest:
    return lived()


def chosen(contest: Contest, risk: float, allowed: tuple[str, ...] = PATHS) -> str:
    mask = np.array([expert.path in allowed for expert in contest.experts])
    reactive = np.array([expert.path == "reactive" for expert in contest.experts])
    choice = choose(contest.records(), risk=risk, allowed=mask, reactive=reactive, before=None)
    return contest.experts[choice.lead].path


def test_who_foresees_is_cheaper_than_who_keeps_a_margin(contest: Contest) -> None:
    assert chosen(contest, 0.01) == "seer"
    assert chosen(contest, 0.01, ("reactive",)) == "reactive"


def test_reacting_without_a_margin_is_short_and_foreseeing_is_not(contest: Contest) -> None:
    short = {str(expert): share for expert, share in zip(contest.experts, contest.records().short, strict=True)}
    assert short["reactive at 100%"] > 0.03  # about three minutes of every hour
    assert short["seer at 100%"] == 0.0
    assert short["reactive at 46%"] == 0.0  # a margin of more than twice


@pytest.mark.parametrize("turn", [1, 17, 31, 12_345])
def test_records_do_not_depend_on_whose_turn_it_is(turn: int) -> None:
    assert lived(3.1, turn=turn).encode() == lived(3.1).encode()


def test_contests_of_different_turns_do_not_work_in_the_same_step() -> None:
    contests = [Contest(PATHS, SETTING, turn=turn) for turn in range(32)]
    working = []
    for _ in range(128):
        before = [contest._seen for contest in contests]
        for contest in contests:
            contest.step(np.array([100.0, 100.0]), 100.0)
        working.append(sum(contest._seen > seen for contest, seen in zip(contests, before, strict=True)))

    assert max(working) == 1
    assert sum(working) == 128


def test_after_a_change_of_level_the_same_shares_count_for_a_day() -> None:
    contest = lived(hours=60)
    before = contest.records()
    contest.discount()
    after = contest.records()

    assert before.age > timedelta(days=2)
    assert after.age == timedelta(days=1)
    np.testing.assert_allclose(after.short, before.short, rtol=1e-5)
    np.testing.assert_allclose(after.unserved, before.unserved, rtol=1e-5)


def test_records_younger_than_a_day_lose_nothing_by_a_change_of_level() -> None:
    contest = lived(hours=20)
    before = contest.records().age
    contest.discount()
    assert contest.records().age == before


halves = st.integers(1, 80).map(lambda number: number / 2)


@settings(max_examples=200)
@given(
    halves,
    st.lists(st.tuples(halves, halves), min_size=1, max_size=4),
    st.sampled_from([1, 3]),
    st.sampled_from([0.1, 0.2]),
)
@example(7.0, [(8.4, 7.0)], 1, 0.2)  # 8.4 / 1.2 is a hair above 7, and 7 * 1.2 is 8.4
@example(31.0, [(32.550000000000004, 31.0)], 1, 0.1)  # 31 * 1.05, and a hair above 31 when divided again
def test_experts_step_past_the_tolerance_as_live_answers_do(
    first: float, steps: list[tuple[float, float]], gang: int, tolerance: float
) -> None:
    rules = HpaRules(maximum=200, tolerance_up=tolerance, tolerance_down=tolerance, stabilization=timedelta(minutes=45))
    step = timedelta(minutes=15)  # each step is a block of its own, the first one is not scored
    contest = Contest(("seer",), Setting(1.0, step, 2 * step, late=1, rules=rules, gang=gang))
    pools = [
        SimulatedPool(1, first=math.ceil(first), rules=rules, start_up=2 * step, step=step) for _ in contest.experts
    ]
    paid = np.zeros(len(pools))
    for place, (planned, demand) in enumerate([(first, first), *steps]):
        contest.step(np.array([planned]), demand)
        for expert, alone in zip(contest.experts, pools, strict=True):
            need = round(max(planned / expert.margin, demand), 9)  # a quotient may be a hair off
            there = int(alone.existing[0])
            answer = past_tolerance(need, demand, there, tolerance) if expert.passes_tolerance else need
            alone.step(np.array([whole_gangs(answer, gang)]))
        if place:
            paid = paid * math.exp(-step / timedelta(days=7)) + [float(alone.existing[0]) for alone in pools]
    records = contest.records()
    np.testing.assert_allclose(records.paid * (records.age / step), paid, rtol=1e-5)


def test_no_expert_needs_less_than_the_demand_takes(contest: Contest) -> None:
    needs = contest.needs(np.array([50.0, np.nan]), 80.0, np.arange(len(contest)))
    assert len(needs) == 2 * len(MARGINS) * 2
    assert needs.min() == 8.0


def test_what_is_stored_goes_on_as_if_nothing_had_been(contest: Contest) -> None:
    again = Contest(PATHS, SETTING)
    again.restore(contest.encode())
    for each in (contest, again):
        for _ in range(200):
            each.step(np.array([150.0, 170.0]), 150.0)
    np.testing.assert_array_equal(again.records().paid, contest.records().paid)
    np.testing.assert_array_equal(again.records().short, contest.records().short)


@pytest.mark.parametrize("body", [b"", b"{", b"\0" * 40])
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableState):
        Contest(PATHS, SETTING).restore(body)


def test_another_contests_record_is_refused(contest: Contest) -> None:
    with pytest.raises(UnreadableState):
        Contest(("reactive",), SETTING).restore(contest.encode())


def records(age: timedelta = timedelta(days=2), **columns: list[float]) -> Records:
    count = len(columns["paid"])
    zeros = {name: np.zeros(count) for name in ("short", "short_lately", "actions", "unserved")}
    return Records(age=age, **(zeros | {name: np.array(values) for name, values in columns.items()}))  # type: ignore[arg-type]


EVERYBODY = np.array([True, True, True])


def test_the_cheapest_that_keeps_the_risk_leads() -> None:
    known = records(paid=[10.0, 8.0, 6.0], short=[0.0, 0.005, 0.02])
    choice = choose(known, risk=0.01, allowed=EVERYBODY, reactive=~EVERYBODY, before=None)
    assert (choice.lead, choice.keeps_risk) == (1, True)


def test_where_nobody_keeps_the_risk_the_least_short_leads() -> None:
    known = records(paid=[10.0, 8.0, 6.0], short=[0.3, 0.2, 0.4])
    choice = choose(known, risk=0.01, allowed=EVERYBODY, reactive=~EVERYBODY, before=None)
    assert (choice.lead, choice.keeps_risk) == (1, False)


@pytest.mark.parametrize(("age", "lead"), [(timedelta(hours=23), 1), (timedelta(hours=24), 0)])
def test_where_nobody_keeps_the_risk_a_record_of_hours_does_not_let_the_dearest_lead(age: timedelta, lead: int) -> None:
    known = records(age, paid=[30.0, 10.0, 8.0], short=[0.1, 0.2, 0.9])
    choice = choose(known, risk=0.01, allowed=EVERYBODY, reactive=~EVERYBODY, before=None)
    assert (choice.lead, choice.keeps_risk) == (lead, False)


def test_the_lead_stays_until_another_is_clearly_better() -> None:
    known = records(paid=[10.0, 9.95, 12.0])
    assert choose(known, risk=0.01, allowed=EVERYBODY, reactive=~EVERYBODY, before=0).lead == 0
    known = records(paid=[10.0, 9.5, 12.0])
    assert choose(known, risk=0.01, allowed=EVERYBODY, reactive=~EVERYBODY, before=0).lead == 1


def test_a_looser_risk_never_costs_more() -> None:
    known = records(paid=[10.0, 8.0, 6.0], short=[0.0, 0.005, 0.02])
    costs = [
        choose(known, risk=risk, allowed=EVERYBODY, reactive=~EVERYBODY, before=None).cost for risk in (1e-4, 0.01, 0.1)
    ]
    assert costs == sorted(costs, reverse=True)


def noisy(seed: int, steps: int) -> Contest:
    """A load that leaps and drifts; the seer knows it three minutes before, the liar half of the time."""
    random = np.random.default_rng(seed)
    contest = Contest(("reactive", "seer", "liar"), SETTING)
    places = np.arange(steps)
    demand = 60.0 + 20.0 * np.sin(places / 300) + 80.0 * (places % 240 < 60) * random.random(steps)
    for row, now in enumerate(demand[:-12]):
        soon = float(demand[row : row + 12].max())
        contest.step(np.array([now, soon, soon if random.random() < 0.5 else now]), float(now))
    return contest


@pytest.fixture(scope="module", params=[(1, 6000), (2, 6000), (3, 8000)])  # records of 23 h, and of more than a day
def mixed(request: pytest.FixtureRequest) -> Contest:
    return noisy(*request.param)


def asked(contest: Contest, risk: float, planned: list[float], demand: float) -> float:
    records, everybody = contest.records(), np.ones(len(contest), np.bool_)
    reactive = np.array([expert.path == "reactive" for expert in contest.experts])
    choice = choose(records, risk=risk, allowed=everybody, reactive=reactive, before=None)
    answering = Answering.of(records, choice, risk=risk, allowed=everybody, passing=contest.passing)
    return answering.need(contest.needs(np.array(planned), demand, answering.places))


risks = st.floats(1e-7, 0.99)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(risks, risks, st.floats(1, 500), st.lists(st.floats(0, 1000), min_size=3, max_size=3))
def test_more_risk_never_asks_for_more(
    mixed: Contest, one: float, other: float, demand: float, planned: list[float]
) -> None:
    strict, loose = sorted((one, other))
    assert asked(mixed, loose, planned, demand) <= asked(mixed, strict, planned, demand) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("risk", "step"), [(0.01, 0.01), (0.0001, 0.0001), (0.1 * 3, 0.3), (0.0499, 0.03), (0.99, 0.7), (1e-6, 0.0)]
)
def test_a_risk_counts_as_the_step_that_is_not_above_it(risk: float, step: float) -> None:
    assert counted_as(risk) == pytest.approx(step)
