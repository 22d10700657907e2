from __future__ import annotations

from dataclasses import replace

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalers.keda.limits import CallRates, Limit, LimitExceeded, Limits, OpenStreams

SLOW = replace(Limits(), calls_per_second=10, calls_at_once=3)
FEW = replace(Limits(), streams_per_connection=2, streams_per_client=3)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(rates: CallRates, namespace: str, calls: int) -> int:
    """Return how many of some calls made at once are taken."""
    count = 0
    for _ in range(calls):
        try:
            rates.take(namespace)
        except LimitExceeded:
            continue
        count += 1
    return count


def test_a_namespace_has_its_reserve_at_once_and_then_its_rate() -> None:
    clock = Clock()
    rates = CallRates(SLOW, clock)
    assert taken(rates, "ml", 10) == 3
    clock.now += 0.1
    assert taken(rates, "ml", 10) == 1
    clock.now += 60.0
    assert taken(rates, "ml", 10) == 3


def test_a_namespace_that_asks_too_much_takes_nothing_from_the_others() -> None:
    rates = CallRates(SLOW, Clock())
    assert taken(rates, "greedy", 1000) == 3
    assert taken(rates, "ml", 3) == 3


def test_who_asks_too_fast_is_told_the_namespace_the_rate_and_the_mend() -> None:
    rates = CallRates(SLOW, Clock())
    taken(rates, "ml", 3)
    with pytest.raises(LimitExceeded) as caught:
        rates.take("ml")
    assert (caught.value.code, caught.value.limit) == (grpc.StatusCode.RESOURCE_EXHAUSTED, Limit.CALLS)
    assert caught.value.sentence == (
        'the triggers of namespace "ml" ask more than 10 times a second: raise the pollingInterval of its '
        "ScaledObjects, or grpc.limits.callsPerSecond of the agent's configuration"
    )


def test_made_up_namespaces_are_forgotten_and_take_no_memory() -> None:
    clock = Clock()
    rates = CallRates(SLOW, clock)
    most = 0
    for number in range(20_000):
        rates.take(f"made-up-{number}")
        clock.now += 0.0001
        most = max(most, len(rates))
    assert most == 4096


def test_a_name_longer_than_any_namespace_is_kept_as_long_as_one() -> None:
    rates = CallRates(SLOW, Clock())
    assert taken(rates, "x" * 1_000_000, 2) == 2
    assert taken(rates, "x" * 63, 10) == 1


@given(waits=st.lists(st.floats(min_value=0, max_value=0.5), max_size=200))
def test_no_pattern_of_asking_gets_more_than_reserve_and_rate(waits: list[float]) -> None:
    clock = Clock()
    rates = CallRates(SLOW, clock)
    count = 0
    for wait in waits:
        clock.now += wait
        count += taken(rates, "ml", 1)
    assert count <= 3 + 10 * (clock.now - 1000.0) + 0.02


def test_a_connection_and_a_client_hold_so_many_streams_and_no_more() -> None:
    streams = OpenStreams(FEW)
    first = [streams.open("ipv4:10.0.0.7:1000") for _ in range(2)]
    with pytest.raises(LimitExceeded, match=r":1000 holds 2 streams open, the most that one connection may"):
        streams.open("ipv4:10.0.0.7:1000")
    streams.open("ipv4:10.0.0.7:2000")
    with pytest.raises(LimitExceeded, match=r"ipv4:10\.0\.0\.7 holds 3 streams .* one client may"):
        streams.open("ipv4:10.0.0.7:2000")
    streams.open("ipv4:10.0.0.8:1000")
    streams.close(first.pop())
    streams.open("ipv4:10.0.0.7:2000")
    assert len(streams) == 4


def test_what_was_refused_or_has_been_closed_is_not_remembered() -> None:
    streams = OpenStreams(FEW)
    for port in range(1000):
        streams.close(streams.open(f"ipv6:[::1]:{port}"))
    assert len(streams) == 0
    assert not streams._of_connections
    assert not streams._of_clients


def test_the_defaults_let_keda_hold_two_streams_for_each_of_ten_thousand_triggers() -> None:
    streams = OpenStreams(Limits())
    for _ in range(20_000):
        streams.open("ipv4:10.0.0.7:1000")


def test_the_defaults_let_a_namespace_of_ten_thousand_scaled_objects_start_and_poll() -> None:
    clock = Clock()
    rates = CallRates(Limits(), clock)
    assert taken(rates, "ml", 30_000) == 30_000  # a stream, a value and an activity each, at once
    for _ in range(60):
        clock.now += 1.0
        assert taken(rates, "ml", 2_000) == 2_000
