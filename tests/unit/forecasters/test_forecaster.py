"""What a model says when it knows too little."""

from __future__ import annotations

from datetime import timedelta

import pytest

from forecasters.forecaster import TooLittleHistory, require_history
from tests.fakes.loads import series


@pytest.mark.parametrize(
    ("have", "need", "said"),
    [
        (timedelta(hours=41), timedelta(hours=72), "needs 31 h more history (41 of 72 h)"),
        (timedelta(hours=41, minutes=20), timedelta(hours=72), "needs 31 h more history (41 of 72 h)"),
        (timedelta(0), timedelta(days=2), "needs 48 h more history (0 of 48 h)"),
        (timedelta(minutes=10), timedelta(hours=1), "needs 50 min more history (10 of 60 min)"),
        (timedelta(seconds=15), timedelta(minutes=3), "needs 3 min more history (0 of 3 min)"),
    ],
)
def test_the_message_says_how_much_is_missing(have: timedelta, need: timedelta, said: str) -> None:
    assert str(TooLittleHistory(have=have, need=need)) == said


def test_gaps_do_not_count_as_history() -> None:
    with pytest.raises(TooLittleHistory) as refusal:
        require_history(series([1.0, float("nan"), 3.0]), timedelta(minutes=15))
    assert refusal.value.have == timedelta(minutes=10)


def test_enough_history_passes() -> None:
    require_history(series([1.0, 2.0, 3.0]), timedelta(minutes=15))
