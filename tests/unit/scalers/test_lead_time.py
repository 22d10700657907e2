"""Which lead time decisions take: declared until measured, changed rarely, kept over a restart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from forecasters.packing import UnreadableState
from scalers.lead_time import Adopted, LeadTimeState, adopt, decode, encode, report, with_start_ups
from tests.fakes.start_ups import NOON, a_start, seconds

DECLARED = timedelta(minutes=2)
HOUR = timedelta(hours=1)


def state(*pulls: float, adopted: Adopted | None = None, image: str = "chat:1") -> LeadTimeState:
    """Start-ups of 35 s beside the pull of the image."""
    starts = [a_start(number, pull=pull, image=image) for number, pull in enumerate(pulls)]
    return with_start_ups(LeadTimeState("Deployment/chat", adopted=adopted), starts)


def test_the_declared_lead_time_counts_until_enough_start_ups_were_seen() -> None:
    few = adopt(state(25, 25, 25, 25), declared=DECLARED, now=NOON)
    assert few.adopted is None
    assert report(few, declared=DECLARED).sentence == (
        "2 min, as declared; 4 of 5 start-ups of this image and class of nodes were seen"
    )
    enough = adopt(state(25, 25, 25, 25, 25), declared=DECLARED, now=NOON)
    assert enough.adopted == Adopted(seconds(60), NOON, 5)
    assert report(enough, declared=DECLARED).used == seconds(60)
    assert report(enough, declared=DECLARED).sentence == (
        "1 min, measured from 5 start-ups; 1 min where a node was there; "
        "the longest part of 60 s is the container's own start until it is Ready, 30 s: load less or from nearer, or "
        "ask the readiness probe sooner and more often"
    )


@pytest.mark.parametrize(("pull", "is_adopted"), [(85, False), (109, False), (110, True), (61, False), (60, True)])
def test_a_measured_lead_time_is_taken_where_it_differs_by_more_than_a_fifth(pull: float, is_adopted: bool) -> None:
    found = adopt(state(*[pull] * 5), declared=DECLARED, now=NOON)
    assert (found.adopted is not None) == is_adopted


def test_short_start_ups_that_differ_by_seconds_change_nothing() -> None:
    before = Adopted(seconds(40), NOON - timedelta(days=1), 9)
    assert adopt(state(*[15] * 5, adopted=before), declared=DECLARED, now=NOON).adopted == before  # 50 s
    assert adopt(state(*[16] * 5, adopted=before), declared=DECLARED, now=NOON).adopted == Adopted(seconds(51), NOON, 5)


def test_a_longer_one_is_taken_after_an_hour_and_a_shorter_one_after_six() -> None:
    before = Adopted(seconds(100), NOON, 9)

    def taken(pull: float, after: timedelta) -> bool:
        return adopt(state(*[pull] * 5, adopted=before), declared=DECLARED, now=NOON + after).adopted != before

    assert not taken(200, HOUR - seconds(1))
    assert taken(200, HOUR)
    assert not taken(10, 6 * HOUR - seconds(1))
    assert taken(10, 6 * HOUR)


def test_with_another_image_the_last_measured_one_stands_until_enough_of_it_were_seen() -> None:
    before = Adopted(seconds(60), NOON - timedelta(days=1), 9)
    old = state(*[25] * 9, adopted=before)
    few = with_start_ups(old, [a_start(20 + number, pull=300, image="chat:2") for number in range(4)])
    assert adopt(few, declared=DECLARED, now=NOON).adopted == before
    told = report(few, declared=DECLARED).sentence
    assert told == ("1 min, measured from 9 start-ups; 4 of 5 start-ups of this image and class of nodes were seen")
    enough = with_start_ups(few, [a_start(30, pull=300, image="chat:2")])
    assert adopt(enough, declared=DECLARED, now=NOON).adopted == Adopted(seconds(335), NOON, 5)


def test_a_pod_that_becomes_ready_again_is_no_start_up() -> None:
    before = state(25, 25)
    assert with_start_ups(before, [a_start(0, pull=900), a_start(1, pull=900)]) == before


def test_a_state_comes_back_as_it_was() -> None:
    before = adopt(
        with_start_ups(state(*[25] * 5), [a_start(9, start=None, waited=True, node_class="l4")]),
        declared=DECLARED,
        now=NOON,
    )
    assert before.adopted is not None
    assert decode(encode(before)) == before
    assert decode(encode(state())) == state()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"kind":"lead time","version":9}', b"[1]", encode(state(25))[:-9]])
def test_damaged_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(UnreadableState, match="lead time"):
        decode(body)


def test_pods_that_do_not_become_ready_are_told_beside() -> None:
    told = report(state(), declared=DECLARED, trouble="2 pods do not become Ready: CrashLoopBackOff").sentence
    assert told == (
        "2 min, as declared; no start-up was seen yet, 5 are needed; 2 pods do not become Ready: CrashLoopBackOff"
    )
