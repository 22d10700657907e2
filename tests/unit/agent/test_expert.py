from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.expert import Expert
from agent.fitting.fit import run_fit
from agent.fitting.pool import FitFailed, Fitted
from agent.sources.source import Sample
from forecasters.forecaster import Forecaster
from forecasters.harmonic import Harmonic
from forecasters.last_value import LastValue
from forecasters.seasonal_naive import SeasonalNaive
from forecasters.series import Series
from tests.fakes.loads import MONDAY, daily, series

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LOOK_AHEAD = timedelta(minutes=10)


class Slow(Harmonic):
    """Wants its history coarser than it is kept."""

    def grid(self, step: timedelta) -> timedelta:
        return 5 * step


MODELS = [LastValue(), SeasonalNaive(), Harmonic(), Slow()]


def an_expert(forecaster: Forecaster | None = None, *, step: timedelta = MINUTE) -> Expert:
    return Expert(forecaster or Harmonic(), coarse_step=step)


def fit(expert: Expert, history: Series) -> Fitted | FitFailed:
    """Run the fit that is due and hand it in."""
    job = expert.job("ml/chat/demand", history, now=history.end, horizon=HOUR)
    assert job is not None
    outcome = run_fit(job)
    expert.accept(outcome, history, now=history.end)
    return outcome


def first(history: Series, rows: int) -> Series:
    return Series(history.start, history.step, history.values[:rows])


def seen(expert: Expert, history: Series) -> list[float]:
    """Return what is foretold at the end of a history: the rise, and the fan from a demand of 100 on."""
    rise, fan = expert.rise(history.end, LOOK_AHEAD), expert.fan(Sample(history.end, 100.0), HOUR, (0.1, 0.5, 0.9))
    assert rise is not None
    assert fan is not None
    return [rise, *fan.quantiles.ravel().tolist()]


@pytest.fixture(scope="module")
def history() -> Series:
    """Two days by the minute, quiet enough to be foretold well."""
    return daily(2.0, step=MINUTE, noise=1.0)


def test_an_expert_without_a_fit_foretells_nothing(history: Series) -> None:
    expert = an_expert()
    assert expert.rise(history.end, LOOK_AHEAD) is None
    assert expert.fan(Sample(history.end, 100.0), HOUR, (0.5,)) is None
    assert expert.stored() == {}


def test_too_little_history_is_told_as_what_is_missing() -> None:
    expert = an_expert()
    outcome = fit(expert, series([100.0] * 20, step=MINUTE))
    assert isinstance(outcome, FitFailed)
    assert outcome.reason == "needs 55 min more history (20 of 75 min)"
    assert expert.stored() == {}


def test_a_fit_that_is_due_is_asked_for_once(history: Series) -> None:
    expert = an_expert()
    asked = [expert.job("s", history, now=history.end, horizon=HOUR) for _ in range(2)]
    assert [job is not None for job in asked] == [True, False]


def test_a_fit_that_never_came_back_is_asked_for_again_in_ten_minutes(history: Series) -> None:
    expert = an_expert()
    later = [history.end, history.end + timedelta(minutes=9), history.end + timedelta(minutes=10)]
    asked = [expert.job("s", history, now=now, horizon=HOUR) for now in later]
    assert [job is not None for job in asked] == [True, False, True]


def test_a_refit_comes_after_six_hours_and_keeps_the_calibration(history: Series) -> None:
    expert = an_expert()
    fit(expert, first(history, 1500))
    calibration = expert.calibration
    early = expert.job("s", history, now=history.start + 1499 * MINUTE + 5 * HOUR, horizon=HOUR)
    refit = fit(expert, first(history, 1900))
    assert early is None
    assert isinstance(refit, Fitted)
    assert refit.calibration is None
    assert expert.calibration is calibration


def test_a_failed_refit_leaves_the_model_that_was_there(history: Series) -> None:
    expert = an_expert()
    fit(expert, history)
    before = seen(expert, history)
    expert.accept(FitFailed("s", "harmonic", "killed at its deadline of 60 s", False), history, now=history.end)
    assert seen(expert, history) == before


def test_more_history_makes_a_fit_due_at_once_that_measures_anew(history: Series) -> None:
    expert = an_expert()
    fit(expert, first(history, 1500))
    expert.fit_at_once()
    job = expert.job("s", history, now=history.end, horizon=HOUR)
    assert job is not None
    assert job.measures


def test_history_that_comes_while_a_fit_runs_is_fitted_when_that_is_back(history: Series) -> None:
    expert = an_expert()
    young = first(history, 200)
    job = expert.job("s", young, now=young.end, horizon=HOUR)
    assert job is not None
    expert.fit_at_once()  # the backfill is done meanwhile
    expert.accept(run_fit(job), history, now=history.end)
    again = expert.job("s", history, now=history.end, horizon=HOUR)
    assert expert.rise(history.end, LOOK_AHEAD) is not None
    assert again is not None
    assert again.measures


@pytest.mark.parametrize(
    "forecaster", [LastValue(), SeasonalNaive(), Harmonic(), Slow()], ids=lambda f: type(f).__name__
)
def test_a_fit_that_took_long_is_carried_up_to_the_present(forecaster: Forecaster) -> None:
    slow, stepped = an_expert(forecaster), an_expert(forecaster)
    young = daily(3.0, step=MINUTE, noise=1.0)
    asked = first(young, 3600)
    job = slow.job("s", asked, now=asked.end, horizon=HOUR)
    assert job is not None
    outcome = run_fit(replace(job, measures=False))
    slow.accept(outcome, young, now=young.end)
    stepped.accept(outcome, asked, now=asked.end)
    for rows in range(3601, len(young) + 1, 37):
        stepped.advance(first(young, rows))
    stepped.advance(young)
    assert seen(slow, young) == pytest.approx(seen(stepped, young), rel=1e-9)


def test_the_state_is_carried_over_a_gap_as_time_that_has_passed() -> None:
    whole = daily(4.0, step=MINUTE, noise=1.0)
    known = whole.values.copy()
    known[4500:5100] = np.nan
    broken = Series(whole.start, MINUTE, known)
    stepped, at_once = an_expert(), an_expert()
    for expert in (stepped, at_once):
        fit(expert, first(broken, 4320))
    for rows in range(4321, len(broken) + 1):
        stepped.advance(first(broken, rows))
    at_once.advance(broken)
    assert seen(stepped, whole) == seen(at_once, whole)
    assert stepped.rise(whole.end, HOUR) == pytest.approx(40.0 * np.sin(2 * np.pi / 24), abs=4.0)


def test_a_restored_expert_goes_on_as_if_it_had_never_stopped(history: Series) -> None:
    running = an_expert()
    fit(running, first(history, 2000))
    restarted = an_expert()
    restarted.restore(dict(running.stored()))
    for expert in (running, restarted):
        expert.advance(history)
    assert seen(restarted, history) == seen(running, history)


def test_a_history_that_begins_after_the_state_is_time_that_nobody_saw(history: Series) -> None:
    running, restarted = an_expert(), an_expert()
    fit(running, first(history, 2000))
    restarted.restore(dict(running.stored()))
    known = history.values.copy()
    known[2000:2400] = np.nan
    running.advance(Series(history.start, MINUTE, known))
    restarted.advance(history.between(history.start + 2400 * MINUTE, history.end))
    assert seen(restarted, history) == seen(running, history)


def test_a_state_that_a_jump_of_the_clock_left_far_behind_foretells_nothing(history: Series) -> None:
    """To walk a path of decades minute by minute would keep every answer waiting."""
    expert = an_expert()
    fit(expert, history)
    assert expert.rise(history.end + timedelta(days=3), LOOK_AHEAD) is not None
    assert expert.rise(history.end + timedelta(days=20_000), LOOK_AHEAD) is None


def test_a_state_on_another_grid_is_not_taken_up(history: Series) -> None:
    former = an_expert()
    fit(former, history)
    expert = an_expert(step=timedelta(minutes=5))
    expert.restore(dict(former.stored()))
    assert expert.rise(history.end, LOOK_AHEAD) is None
    assert expert.job("s", history.coarsened(5 * MINUTE), now=history.end, horizon=HOUR)


@pytest.mark.parametrize(
    "stored", [{}, {"state": b"?", "fan": b"?"}, {"state": b""}], ids=["nothing", "damaged", "half"]
)
def test_what_cannot_be_restored_is_fitted_anew(stored: dict[str, bytes], history: Series) -> None:
    expert = an_expert()
    expert.restore(stored)
    assert expert.stored() == {}
    assert isinstance(fit(expert, history), Fitted)


def test_a_damaged_calibration_takes_its_state_with_it(history: Series) -> None:
    former = an_expert()
    fit(former, history)
    expert = an_expert()
    expert.restore({**former.stored(), "fan": b"damaged"})
    assert expert.stored() == {}


def test_a_state_from_days_ago_is_fitted_anew_instead_of_walked_across_them(history: Series) -> None:
    expert = an_expert()
    fit(expert, history)
    late = series([100.0] * 100, step=MINUTE)
    expert.advance(Series(MONDAY + timedelta(days=9), MINUTE, late.values))
    assert expert.stored() == {}
    assert expert.is_due(history.end)


def test_where_the_path_falls_no_rise_is_foretold() -> None:
    expert, past = an_expert(), daily(5.5, step=MINUTE, noise=0.0)
    fit(expert, past)
    assert expert.rise(past.end, LOOK_AHEAD) == 0.0
    assert expert.rise(past.end + 12 * HOUR, LOOK_AHEAD) > 1.0


def test_a_fan_reaches_one_step_where_the_horizon_is_shorter_than_the_grid(history: Series) -> None:
    expert = an_expert(step=timedelta(minutes=30))
    past = daily(4.0, step=timedelta(minutes=30))
    fit(expert, past)
    fan = expert.fan(Sample(past.end, 100.0), timedelta(minutes=10), (0.5,))
    assert fan is not None
    assert fan.steps == 1


@settings(max_examples=15)
@given(st.lists(st.sampled_from([0, 1, 3, 40]), min_size=1, max_size=12))
def test_however_the_present_arrives_the_state_is_the_same(pieces: list[int]) -> None:
    whole = daily(1.0, step=MINUTE, noise=1.0)
    piecewise, at_once = an_expert(), an_expert()
    for expert in (piecewise, at_once):
        fit(expert, first(whole, 300))
    for end in np.cumsum(pieces):
        piecewise.advance(first(whole, 300 + int(end)))
    at_once.advance(first(whole, 300 + sum(pieces)))
    assert seen(piecewise, whole) == seen(at_once, whole)
