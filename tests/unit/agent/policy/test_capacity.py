"""Every way to say what a replica serves, as the documentation shows it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from agent.policy import policy_of, to_scaling_policy
from tests.fakes.policies import document

PAGE = (Path(__file__).parents[4] / "docs" / "capacity.md").read_text()


def shown() -> list[dict[str, object]]:
    """Return the indented pieces of the page, each a part of a spec."""
    pieces = [piece for piece in PAGE.split("\n\n") if piece.startswith("    ")]
    return [yaml.safe_load(dedent(piece)) for piece in pieces]


def capacity_of(part: object) -> float:
    return to_scaling_policy(policy_of(document(capacity=part), origin="here")).signals[0].capacity


@pytest.mark.parametrize("part", shown(), ids=lambda part: next(iter(part)))
def test_what_the_page_shows_is_a_valid_policy(part: dict[str, object]) -> None:
    assert policy_of(document(**part), origin="here").spec.capacity is not None


def test_the_load_test_of_the_page_gives_what_its_points_suggest() -> None:
    """32 at once finish 29.1 a second in 1.1 s, 64 finish 30.5 in 2.1 s: some 30 within 1.5 s, of 350 tokens each."""
    assert 350 * 29.1 < capacity_of(shown()[0]["capacity"]) < 350 * 31.5


def test_the_slots_of_the_page_are_used_to_somewhat_over_half() -> None:
    """Sixteen slots of 2 s finish 8 a second at the most; that 99 % wait half a second at most leaves 4.9."""
    assert capacity_of(shown()[1]["capacity"]) == pytest.approx(4.9, abs=0.05)


@given(
    slots=st.integers(1, 64),
    milliseconds=st.integers(1, 60_000),
    wait=st.integers(0, 60_000),
    kept=st.sampled_from(["1%", "50%", "99%", "99.999999%"]),
    variation=st.sampled_from([0, "0.5", 1, 4]),
)
def test_no_slots_are_so_few_and_no_wait_so_short_that_the_capacity_is_zero(
    slots: int, milliseconds: int, wait: int, kept: str, variation: object
) -> None:
    part = {"slots": slots, "serviceTime": f"{milliseconds}ms", "wait": f"{wait}ms", "kept": kept}

    capacity = capacity_of({"concurrency": {**part, "variation": variation}})
    assert 0.0 < capacity < slots * 1000 / milliseconds


@given(
    times=st.lists(st.integers(1, 3_600_000), min_size=3, max_size=8),
    within=st.integers(1, 3_600_000),
)
@example(times=[10681, 1, 1035, 10224, 13285, 1005, 4276], within=1)  # times that no law gives: a fit overshoots
@example(times=[10577, 1, 1035, 10222, 12380, 829, 1822], within=1)
def test_whatever_was_measured_the_capacity_is_above_zero_or_the_policy_is_refused(
    times: list[int], within: int
) -> None:
    points = [{"concurrency": 2**number, "time": f"{time}ms"} for number, time in enumerate(times)]
    part = {"loadTest": {"points": points, "within": f"{within}ms"}}

    if min(times) <= within:
        assert capacity_of(part) > 0.0
    else:
        with pytest.raises(ValueError, match="must be reached at one of the points"):
            policy_of(document(capacity=part), origin="here")
