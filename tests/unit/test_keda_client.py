"""The arithmetic of the client that plays KEDA, against the figures of KEDA's contract and of its own e2e tests."""

from __future__ import annotations

import math

import pytest

from scalers.keda.proto.externalscaler_pb2 import MetricValue
from tests.keda_client import BackOff, created_jobs, desired_replicas, read, total


@pytest.mark.parametrize(
    ("number", "whole", "expected"),
    [
        (22.222, 0, 22.222),
        (6.1114, 0, 6.111),
        (0.0004, 7, 0.0),
        (0.0, 7, 7.0),
        (-1.0, 7, 7.0),
        (math.nan, 7, 7.0),
        (math.inf, 7, 0.0),
        (0.0, -2, 0.0),
    ],
)
def test_the_float_is_read_if_it_is_above_zero_and_printed_with_three_decimals(
    number: float, whole: int, expected: float
) -> None:
    assert read(number, whole) == expected


def test_several_values_are_added_up_whatever_their_names() -> None:
    assert total([MetricValue(metricName="a", metricValueFloat=1.5), MetricValue(metricName="b", metricValue=2)]) == 3.5


@pytest.mark.parametrize(
    ("value", "target", "current", "expected"),
    [(10, 10, 1, 1), (20, 10, 1, 2), (22.222, 6.111, 1, 4), (21, 1, 20, 20), (11, 1, 10, 10), (11.01, 1, 10, 12)],
)
def test_the_hpa_divides_rounds_up_and_stays_within_its_tolerance(
    value: float, target: float, current: int, expected: int
) -> None:
    assert desired_replicas(value, target, current) == expected


@pytest.mark.parametrize(
    ("queue", "target", "counts", "expected"),
    [
        (30, 10, {"strategy": "default"}, 3),
        (30, 0, {"strategy": "default"}, 0),
        (8, 1, {"strategy": "default", "running": 3}, 5),
        (5, 1, {"strategy": "accurate", "running": 3}, 5),
        (5, 1, {"strategy": "accurate", "pending": 2}, 3),
        (99, 1, {"strategy": "accurate", "running": 15}, 5),
        (9, 1, {"strategy": "eager", "running": 14, "pending": 2}, 4),
        (2.5, 0.1, {"strategy": "default"}, 3),  # a target below 1 is held back by the items themselves
    ],
)
def test_jobs_are_created_by_queue_target_and_strategy(
    queue: float, target: float, counts: dict[str, object], expected: int
) -> None:
    assert created_jobs(queue, target, most=20, **counts) == expected  # type: ignore[arg-type]


def test_the_back_off_doubles_to_a_minute_and_begins_anew_after_a_clean_end() -> None:
    back_off = BackOff()
    pauses = [back_off.next() for _ in range(7)]
    back_off.reset()
    assert [*pauses, back_off.next()] == [2, 4, 8, 16, 32, 60, 60, 2]
