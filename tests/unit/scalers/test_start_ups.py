"""Start-ups of pods: how long nine of ten take at most, where the time goes, and what would shorten it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scalers.start_ups import KEPT, Measured, Stages, StartUp, measure
from tests.fakes.start_ups import a_start, seconds


def measured(*starts: StartUp) -> Measured:
    found = measure(starts)
    assert found is not None
    return found


def test_nine_of_ten_start_ups_take_no_longer() -> None:
    # totals 36 to 85 s: position 0.9 * 51 of 50 is the 45.9th
    found = measured(*(a_start(number, pull=1 + number) for number in range(50)))
    assert (found.p90, found.count, found.is_enough) == (seconds(81), 50, True)


def test_of_few_the_longest_counts_and_of_too_few_nothing_is_decided() -> None:
    found = measured(*(a_start(number, pull=pull) for number, pull in enumerate((10, 10, 10, 100))))
    assert (found.p90, found.is_enough) == (seconds(135), False)
    assert measured(*(a_start(number) for number in range(5))).is_enough
    assert measure([]) is None


def test_pods_for_which_a_node_was_there_and_those_that_waited_for_one_are_told_apart() -> None:
    there = [a_start(number) for number in range(5)]
    found = measured(*there, a_start(7, schedule=180, waited=True))
    assert (found.with_node, found.without_node, found.waited) == (seconds(95), seconds(274), 1)
    assert found.stages == Stages(
        schedule=seconds(1), node=seconds(180), start=seconds(4), pull=seconds(60), ready=seconds(30)
    )


def test_another_image_begins_a_sample_of_its_own_and_a_rollback_goes_on_with_the_old_one() -> None:
    old = [a_start(number) for number in range(8)]
    new = [a_start(10 + number, pull=10, image="chat:2") for number in range(2)]
    found = measured(*old, *new)
    assert (found.image, found.count, found.p90) == ("chat:2", 2, seconds(45))
    assert measured(*old, *new, a_start(20)).count == 9


def test_another_class_of_nodes_begins_a_sample_of_its_own_and_two_in_use_are_one() -> None:
    old = [a_start(number, node_class="a10") for number in range(8)]
    new = [a_start(10 + number, pull=10, node_class="l4") for number in range(5)]
    assert measured(*old, *new[:4]).node_classes == ("a10", "l4")
    assert measured(*old, *new[:4]).count == 12
    found = measured(*old, *new)
    assert (found.node_classes, found.count, found.p90) == (("l4",), 5, seconds(45))


def test_what_is_most_of_the_time_is_named_with_what_would_shorten_it() -> None:
    assert measured(a_start()).advice == (
        "most of 95 s is image pull and container start, 60 s: pre-pull the image on the nodes, or make it smaller"
    )
    slow_model = measured(a_start(ready=400))
    assert slow_model.advice.startswith(
        "most of 465 s is the container's own start until it is Ready, 400 s: load less"
    )
    node = measured(a_start(schedule=200, waited=True))
    assert node.advice == "most of 294 s is waiting for a node, 200 s: keep a spare node ready"
    even = measured(a_start(start=30, pull=31, ready=30))
    assert even.advice.startswith("the longest part of 92 s is image pull and container start, 31 s")


def test_the_parts_that_nobody_tells_are_left_out() -> None:
    found = measured(a_start(start=None))
    assert (found.p90, found.stages.start, found.stages.node) == (seconds(91), None, None)


def test_the_newest_start_ups_count_whatever_their_order() -> None:
    starts = [a_start(number, pull=500 if number < 10 else 10) for number in range(10 + KEPT)]
    assert measured(*reversed(starts)).p90 == seconds(45)


@given(st.lists(st.integers(0, 3600), min_size=1, max_size=60), st.integers(0, 3600))
def test_a_longer_start_up_never_shortens_the_p90(pulls: list[int], more: int) -> None:
    starts = [a_start(number, pull=pull) for number, pull in enumerate(pulls)]
    longer = [*starts[:-1], a_start(len(pulls) - 1, pull=pulls[-1] + more)]
    assert measured(*longer).p90 >= measured(*starts).p90
    assert min(each.total for each in starts) <= measured(*starts).p90 <= max(each.total for each in starts)
