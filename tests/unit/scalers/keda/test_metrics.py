from __future__ import annotations

import math

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalers.keda.board import Answer
from scalers.keda.metrics import check_metric_name, metric_spec, metric_value, replicas_of
from scalers.keda.refusal import RpcRefused
from tests.fakes.board import CHAT, REFUSAL, needing
from tests.keda_client import read


def test_the_spec_is_one_constant_name_and_the_target_one_in_both_fields() -> None:
    (spec,) = metric_spec().metricSpecs
    assert (spec.metricName, spec.targetSize, spec.targetSizeFloat) == ("foretide-replicas", 1, 1.0)


@pytest.mark.parametrize(
    ("answer", "number", "whole"),
    [
        (0.0, 0.0, 0),
        (0.0000001, 0.001, 1),  # "%.3f" would make a need of this size 0.000, and scale it in
        (0.0004, 0.001, 1),
        (0.3, 0.3, 1),
        (10.2, 10.2, 11),
        (12.0000001, 12.0, 12),  # noise of floats does not cost a replica
        (40.0, 40.0, 40),
    ],
)
def test_the_value_is_what_keda_will_print_and_the_integer_is_rounded_up(
    answer: float, number: float, whole: int
) -> None:
    value = metric_value("foretide-replicas", answer)
    assert (value.metricValueFloat, value.metricValue) == (number, whole)


@given(st.floats(min_value=0.0, max_value=1e6))
def test_no_version_of_keda_is_told_less_than_the_need_or_something_for_nothing(answer: float) -> None:
    value = metric_value("foretide-replicas", answer)
    assert read(value.metricValueFloat, value.metricValue) >= answer - 0.000501
    assert value.metricValue >= value.metricValueFloat
    assert (value.metricValue == 0) == (value.metricValueFloat == 0) == (answer == 0)


def test_the_value_bears_exactly_the_requested_name() -> None:
    assert metric_value("Foretide-Replicas", 1.0).metricName == "Foretide-Replicas"


@pytest.mark.parametrize("name", ["", "s0-foretide-replicas", "composite-metric", "foretide-replicas2"])
def test_another_metric_is_refused_with_the_name_to_ask_for(name: str) -> None:
    with pytest.raises(RpcRefused, match="ask for 'foretide-replicas'") as caught:
        check_metric_name(name)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


def test_a_metric_is_matched_in_any_case_as_keda_does() -> None:
    check_metric_name("Foretide-Replicas")


def test_a_refusal_is_unavailable_with_the_policy_and_the_reason() -> None:
    with pytest.raises(RpcRefused, match="policy ml/chat has no answer: no samples since 12:04") as caught:
        replicas_of(REFUSAL, CHAT)
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE


def test_an_answer_of_zero_is_no_refusal() -> None:
    assert replicas_of(needing(0.0), CHAT) == 0.0


@pytest.mark.parametrize("replicas", [math.nan, math.inf, -0.1])
def test_what_is_no_number_of_replicas_cannot_become_an_answer(replicas: float) -> None:
    with pytest.raises(ValueError, match="finite and not below 0"):
        Answer(replicas=replicas, is_active=True, reason="a bug")


def test_a_long_reason_is_cut_so_that_it_fits_a_header() -> None:
    assert len(RpcRefused(grpc.StatusCode.UNAVAILABLE, "x" * 9000).sentence) == 600
