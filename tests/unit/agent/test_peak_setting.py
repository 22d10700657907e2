"""Experts are at work for every pair of a signal's step and an HPA's period that a policy may have."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agent.peak_setting import setting_of, step_of
from tests.fakes.driven import Driven, past_of
from tests.fakes.engine import START
from tests.fakes.situations import a_policy

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PAIRS = [
    (15 * SECOND, 15 * SECOND),
    (15 * SECOND, 10 * MINUTE),
    (45 * SECOND, 15 * SECOND),
    (SECOND, 7 * SECOND),
    (5 * MINUTE, 15 * SECOND),
    (7 * MINUTE, 10 * MINUTE),
]


def wave(at: datetime) -> float:
    return 120.0 + 80.0 * math.sin(at.timestamp() / 1800)


@pytest.mark.parametrize(("step", "sync"), PAIRS)
def test_a_row_of_the_past_has_a_whole_number_of_steps(step: timedelta, sync: timedelta) -> None:
    policy = a_policy(sync=sync)
    signal = replace(policy.signals[0], step=step)
    row = max(step, MINUTE)
    assert not row % step_of(policy, signal, row)


@pytest.mark.parametrize(("step", "sync"), PAIRS)
def test_experts_scale_out_in_simulation(step: timedelta, sync: timedelta) -> None:
    policy = a_policy(sync=sync)
    rules = setting_of(policy, policy.signals[0], step_of(policy, policy.signals[0], max(step, MINUTE))).rules
    assert rules.up_percent >= 100.0
    assert rules.up_pods >= 4


@pytest.mark.parametrize(("step", "sync"), PAIRS)
def test_a_past_is_lived_through_and_an_expert_answers(step: timedelta, sync: timedelta) -> None:
    policy = a_policy(sync=sync, models=(), families=("quantile-regression", "hold"))
    policy = replace(policy, signals=(replace(policy.signals[0], step=step),))
    driven = Driven(policy)
    start = START + -(START - datetime(1970, 1, 1, tzinfo=START.tzinfo)) % step
    driven.learn(past_of(wave, end=start, span=timedelta(hours=5), step=step))
    assert driven.signal.peaks.is_choosing
    decisions = [driven.read(start + row * step, wave(start + row * step)) for row in range(10)]
    assert all(decision.need is not None and decision.raw_need is not None for decision in decisions)
    assert all((decision.need or 0.0) >= (decision.raw_need or 0.0) for decision in decisions)
