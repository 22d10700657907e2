import math
import tracemalloc
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.history.grid import History, Taken
from agent.sources.source import Sample
from forecasters.series import Series

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STEP = timedelta(seconds=15)
NAN = float("nan")


def empty_history(*, step: timedelta = STEP, most: float = math.inf) -> History:
    return History(step, fine_span=timedelta(hours=6), coarse_span=timedelta(days=14), most=most)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def take(history: History, *samples: tuple[float, float]) -> list[Taken]:
    """Append (seconds after noon, value) pairs, each at its own instant."""
    return [history.append(Sample(at(seconds), value), at(seconds)) for seconds, value in samples]


def test_an_empty_history_knows_nothing():
    history = empty_history()

    assert (len(history.fine()), len(history.coarse_mean()), len(history.coarse().largest)) == (0, 0, 0)
    assert history.last is None
    assert history.age(NOON) is None
    assert history.gap_share(NOON) == 1.0
    assert history.span() == timedelta(0)


def test_one_sample_is_the_whole_fine_history():
    history = empty_history()

    assert take(history, (0, 7.5)) == [Taken.ACCEPTED]
    assert (history.fine().start, history.fine().values.tolist()) == (NOON, [7.5])
    assert history.last == Sample(NOON, 7.5)


def test_a_sample_belongs_to_the_grid_point_at_or_before_it():
    history = empty_history()
    take(history, (14.9, 1.0))

    assert history.fine().end == NOON
    assert history.last == Sample(at(14.9), 1.0)


def test_a_missing_tick_is_a_gap_not_a_zero():
    history = empty_history()
    take(history, (0, 1.0), (45, 4.0))

    np.testing.assert_array_equal(history.fine().values, [1.0, NAN, NAN, 4.0])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (NAN, Taken.NOT_FINITE),
        (math.inf, Taken.NOT_FINITE),
        (-math.inf, Taken.NOT_FINITE),
        (-0.1, Taken.NEGATIVE),
    ],
)
def test_a_value_that_is_no_demand_is_dropped_and_counted(value: float, reason: Taken):
    history = empty_history()

    assert take(history, (0, value)) == [reason]
    assert len(history.fine()) == 0
    assert history.dropped == {reason: 1}


def test_a_sample_more_than_a_step_ahead_of_now_is_refused():
    history = empty_history()

    assert history.append(Sample(at(15), 1.0), NOON) is Taken.ACCEPTED
    assert history.append(Sample(at(30.1), 2.0), at(15)) is Taken.FROM_THE_FUTURE
    assert history.fine().values.tolist() == [1.0]


def test_the_first_sample_of_a_grid_point_wins():
    history = empty_history()

    assert take(history, (0, 1.0), (3, 2.0), (15, 5.0), (0, 9.0)) == [
        Taken.ACCEPTED,
        Taken.DUPLICATE,
        Taken.ACCEPTED,
        Taken.OUT_OF_ORDER,
    ]
    assert history.fine().values.tolist() == [1.0, 5.0]
    assert history.dropped == {Taken.DUPLICATE: 1, Taken.OUT_OF_ORDER: 1}


def test_late_data_fills_its_gap_and_does_not_become_the_newest():
    history = empty_history()
    take(history, (0, 1.0), (30, 3.0), (15, 2.0))

    assert history.fine().values.tolist() == [1.0, 2.0, 3.0]
    assert history.last == Sample(at(30), 3.0)


def test_data_older_than_the_fine_grid_is_too_old():
    history = empty_history()

    assert take(history, (0, 1.0), (-6 * 3600, 2.0)) == [Taken.ACCEPTED, Taken.TOO_OLD]


def test_a_clock_set_back_drops_nothing_that_is_held():
    history = empty_history()
    take(history, *((15 * i, float(i)) for i in range(9)))
    before = history.fine().values.tolist()

    taken = take(history, (30, 50.0), (45, 51.0))

    assert taken == [Taken.OUT_OF_ORDER, Taken.OUT_OF_ORDER]
    assert history.fine().values.tolist() == before
    assert history.age(at(30)) == timedelta(seconds=90)  # ahead of the clock is not fresh


def test_a_clock_set_far_ahead_leaves_a_gap_and_keeps_the_coarse_past():
    history = empty_history()
    take(history, *((15 * i, 2.0) for i in range(1, 9)), (86_400, 9.0))

    assert history.fine().values.tolist() == [9.0]
    assert history.coarse_mean().values[:2].tolist() == [2.0, 2.0]
    assert history.coarse_mean().end == at(86_400)
    assert history.gap_share(NOON) == 1438 / 1440


def test_a_coarse_value_stands_for_the_step_that_ends_with_it():
    history = empty_history()
    take(history, (15, 1.0), (30, 2.0), (45, 3.0), (60, 6.0), (75, 100.0))

    assert (history.coarse_mean().end, history.coarse_mean().values.tolist()) == (at(60), [3.0])
    assert history.coarse().largest.tolist() == [6.0]


def test_late_data_corrects_its_coarse_step():
    history = empty_history()
    take(history, (15, 1.0), (30, 1.0), (60, 1.0), (75, 1.0))
    assert history.coarse().largest.tolist() == [1.0]

    take(history, (45, 9.0))

    assert history.coarse_mean().values.tolist() == [3.0]
    assert history.coarse().largest.tolist() == [9.0]


def test_a_step_cut_short_by_a_jump_still_counts():
    history = empty_history()
    take(history, (15, 1.0), (30, 3.0), (8 * 3600, 5.0))

    assert history.coarse_mean().start == at(60)
    assert history.coarse_mean().values[0] == 2.0


def test_a_step_of_five_minutes_is_its_own_coarse_step():
    history = empty_history(step=timedelta(minutes=5))
    take(history, (0, 1.0), (300, 2.0), (900, 4.0))

    assert history.coarse_step == timedelta(minutes=5)
    np.testing.assert_array_equal(history.coarse().largest, [1.0, 2.0, NAN, 4.0])


def test_a_backfill_fills_gaps_and_live_samples_win():
    history = empty_history()
    take(history, (30, 3.0), (60, 6.0))

    history.backfill_fine(Series(at(-15), STEP, np.array([9.0, 9.0, NAN, 9.0, 9.0, 9.0, 7.0])))

    np.testing.assert_array_equal(history.fine().values, [9.0, 9.0, NAN, 3.0, 9.0, 6.0, 7.0])
    assert history.last == Sample(at(75), 7.0)


def test_a_long_fine_backfill_also_makes_the_coarse_past():
    history = empty_history()
    history.backfill_fine(Series(at(15 - 14 * 86_400), STEP, np.full(14 * 5760, 5.0)))

    assert len(history.fine()) == 1440
    assert history.coarse_mean().values.tolist() == [5.0] * 20_160
    assert history.span() == timedelta(days=14) - timedelta(minutes=1)
    assert history.gap_share(at(-3600)) == 0.0


def test_a_coarse_backfill_needs_mean_and_largest_and_live_steps_win():
    history = empty_history()
    minute = timedelta(minutes=1)
    take(history, (15, 1.0), (30, 1.0), (45, 1.0), (60, 1.0))

    history.backfill_coarse(
        Series(at(-60), minute, np.array([4.0, 5.0, 6.0])), Series(at(-120), minute, np.array([8.0, 8.0, NAN, 8.0]))
    )

    np.testing.assert_array_equal(history.coarse_mean().values, [4.0, NAN, 1.0])
    np.testing.assert_array_equal(history.coarse().largest, [8.0, NAN, 1.0])


def test_what_a_backfill_cannot_mean_is_counted_not_kept():
    history = empty_history(most=100.0)
    history.backfill_fine(Series(NOON, STEP, np.array([1.0, -1.0, math.inf, NAN, -math.inf, 1e18, 2.0])))

    np.testing.assert_array_equal(history.fine().values, [1.0, NAN, NAN, NAN, NAN, NAN, 2.0])
    assert history.dropped == {Taken.NEGATIVE: 1, Taken.NOT_FINITE: 2, Taken.BEYOND_BELIEF: 1}


def test_a_live_sample_beyond_belief_is_the_newest_and_a_gap():
    history = empty_history(most=100.0)
    taken = take(history, (15, 100.0), (30, 1e18), (45, 3.0), (60, 2.0))

    assert taken == [Taken.ACCEPTED] * 4
    np.testing.assert_array_equal(history.fine().values, [100.0, NAN, 3.0, 2.0])
    assert history.coarse().largest.tolist() == [pytest.approx(100.0, rel=1e-3)]  # is kept rounded
    take(history, (75, 1e18))
    assert history.last == Sample(at(75), 1e18)
    assert [history.believes(Sample(at(75), value)) for value in (100.0, 100.1)] == [True, False]


def test_an_empty_backfill_changes_nothing():
    history = empty_history()
    history.backfill_fine(Series(NOON, STEP, np.full(10, NAN)))
    history.backfill_coarse(
        Series(NOON, timedelta(minutes=1), np.array([])), Series(NOON, timedelta(minutes=1), np.array([1.0]))
    )

    assert history.last is None
    assert len(history.coarse_mean()) == 0


def test_a_backfill_on_another_grid_is_refused():
    with pytest.raises(ValueError, match="grid of 0:00:15, got one of 0:01:00"):
        empty_history().backfill_fine(Series(NOON, timedelta(minutes=1), np.array([1.0])))


def test_spans_that_cannot_hold_two_coarse_steps_are_refused():
    with pytest.raises(ValueError, match="two coarse steps"):
        History(STEP, fine_span=timedelta(seconds=60), coarse_span=timedelta(days=1))
    with pytest.raises(ValueError, match="step must be above 0"):
        History(timedelta(0), fine_span=timedelta(hours=1), coarse_span=timedelta(days=1))


def test_two_weeks_of_a_signal_stay_below_200_kib():
    tracemalloc.start()
    history = empty_history()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(history.fine()) == 0
    assert 150 * 1024 < size < 200 * 1024
