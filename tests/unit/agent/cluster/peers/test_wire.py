"""What agents tell each other arrives as it was."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from agent.cluster.peers.wire import answer_message, samples_message, samples_of, series_messages, told_of
from agent.history.store import StoredSample
from agent.snapshot import Condition
from agent.told import Told
from forecasters.series import Series
from scalers.jobs import JobsWanted
from scalers.keda.board import Answer
from scalers.recommend import recommend
from tests.fakes.peers import CHAT, NOON
from tests.fakes.situations import a_policy, a_signal, a_situation

STEP = timedelta(seconds=15)


def whole() -> Told:
    decision = recommend(a_situation(a_signal(60.0, peak=90.0), replicas=5), a_policy())
    answer = Answer(7.5, True, "why", at_zero=False, jobs=JobsWanted(5.0, timedelta(seconds=45)))
    conditions = (Condition("Ready", None, "Learning", "needs 3 h more history", NOON),)
    return Told(CHAT, answer, timedelta(seconds=1.5), timedelta(minutes=9), decision, conditions)


def test_an_answer_with_all_that_people_are_shown() -> None:
    assert told_of(answer_message(whole())) == whole()
    assert told_of(answer_message(whole())).answer.jobs == JobsWanted(5.0, timedelta(seconds=45))


def test_a_refusal_is_no_number() -> None:
    refused = Told(CHAT, Answer(None, False, "no samples"), timedelta(0), timedelta(minutes=1), None, ())
    assert told_of(answer_message(refused)) == refused


def test_what_another_version_shows_people_is_left_out_and_the_answer_counts() -> None:
    message = answer_message(whole())
    message.shown = b"\x81\xa3new\xa4form"
    assert told_of(message).answer == whole().answer
    assert told_of(message).decision is None


def test_an_answer_that_is_no_number_of_replicas_is_refused() -> None:
    message = answer_message(whole())
    message.replicas = float("nan")
    with pytest.raises(ValueError, match="replicas must be finite"):
        told_of(message)


def test_samples_of_a_tick() -> None:
    samples = [StoredSample("ml/chat/demand", NOON, 60.0), StoredSample("ml/llm/demand", NOON + STEP, 0.5)]
    assert samples_of(samples_message(samples)) == samples


def test_a_series_without_its_gaps() -> None:
    series = Series(NOON, STEP, np.array([1.0, np.nan, 3.0]))
    (page,) = series_messages("ml/chat/demand", series)
    assert samples_of(page) == [
        StoredSample("ml/chat/demand", NOON, 1.0),
        StoredSample("ml/chat/demand", NOON + 2 * STEP, 3.0),
    ]
    assert series_messages("ml/chat/demand", Series(NOON, STEP, np.array([np.nan]))) == []
