"""Erlang's formula and what is built on it, against published numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalers.capacity.waiting import (
    Service,
    WaitObjective,
    erlang_b,
    erlang_c,
    highest_rate,
    keeps,
    mean_wait,
    replicas_for,
    share_waiting_longer,
)

CALL = Service(seconds=180.0)  # of a call centre with 100 calls in half an hour: 10 erlangs
CALLS_PER_SECOND = 100 / 1800

services = st.builds(Service, seconds=st.floats(0.001, 100.0), variation=st.floats(0.0, 5.0))
objectives = st.builds(WaitObjective, seconds=st.floats(0.0, 100.0), share=st.floats(0.01, 0.9999))
slots = st.integers(1, 64)


@pytest.mark.parametrize(("servers", "load"), [(5, 1.361), (10, 4.461), (20, 12.03)])
def test_one_percent_is_blocked_where_erlangs_tables_say_so(servers: int, load: float) -> None:
    """The 1 % column of the Erlang B tables, which give 3 to 4 digits of the load."""
    assert erlang_b(servers, load) == pytest.approx(0.01, rel=2e-3)


@pytest.mark.parametrize(("servers", "waiting"), [(11, 0.682), (14, 0.174)])
def test_who_waits_in_a_call_centre_is_as_published(servers: int, waiting: float) -> None:
    """The worked example that call centres use: 10 erlangs, 68.2 % wait for 11 agents and 17.4 % for 14."""
    assert erlang_c(servers, 10.0) == pytest.approx(waiting, abs=5e-4)


def test_the_service_level_of_the_call_centre_is_as_published() -> None:
    """14 agents: 88.8 % are answered within 20 s, after 7.8 s in the mean."""
    assert 1.0 - share_waiting_longer(20.0, 14, CALLS_PER_SECOND, CALL) == pytest.approx(0.888, abs=5e-4)
    assert mean_wait(14, CALLS_PER_SECOND, CALL) == pytest.approx(7.8, abs=0.05)


def test_the_queue_of_the_eye_clinic_is_as_in_the_textbook() -> None:
    """Gross & Harris, Fundamentals of Queueing Theory: 6 patients an hour, 3 doctors, 20 min each; 8/9 of one waits."""
    assert 6 / 3600 * mean_wait(3, 6 / 3600, Service(seconds=1200.0)) == pytest.approx(8 / 9)


def test_many_servers_overflow_nothing() -> None:
    """Values of an independent program, 4 digits."""
    assert erlang_c(132, 123.0) == pytest.approx(0.3211, abs=5e-5)
    assert erlang_c(12421, 12345.0) == pytest.approx(0.3812, abs=5e-5)


@pytest.mark.parametrize(("variation", "seconds"), [(0.0, 2.0), (1.0, 4.0), (2.0, 10.0)])
def test_one_server_waits_as_pollaczek_and_khinchine_say(variation: float, seconds: float) -> None:
    """rho / (1 - rho) x (1 + variation^2) / 2 x service time, at rho = 0.8 and 1 s: 4 x (1 + variation^2) / 2."""
    assert mean_wait(1, 0.8, Service(1.0, variation)) == pytest.approx(seconds)


def test_at_the_load_of_all_servers_everyone_waits_for_ever() -> None:
    assert erlang_c(4, 4.0) == 1.0
    assert mean_wait(4, 4.0, Service(1.0)) == math.inf
    assert share_waiting_longer(10.0, 4, 4.0, Service(1.0)) == 1.0


def test_nobody_waits_where_nobody_comes() -> None:
    assert share_waiting_longer(0.0, 2, 0.0, Service(1.0)) == 0.0
    assert replicas_for(0.0, WaitObjective(0.0, 0.99), 4, Service(1.0)) == 0


def test_replicas_for_the_call_centre_are_the_agents_it_is_told_to_have() -> None:
    """The example's target is 80 % within 20 s, which 14 agents reach and 13 do not."""
    assert replicas_for(CALLS_PER_SECOND, WaitObjective(20.0, 0.8), 1, CALL) == 14


@pytest.mark.parametrize(("seconds", "share"), [(-1.0, 0.9), (math.nan, 0.9), (1.0, 0.0), (1.0, 1.0)])
def test_an_objective_that_cannot_be_is_refused(seconds: float, share: float) -> None:
    with pytest.raises(ValueError, match="wait objective must be"):
        WaitObjective(seconds, share)


@pytest.mark.parametrize(("seconds", "variation"), [(0.0, 1.0), (math.inf, 1.0), (1.0, -0.1), (1.0, math.nan)])
def test_a_service_that_cannot_be_is_refused(seconds: float, variation: float) -> None:
    with pytest.raises(ValueError, match="of a service must be"):
        Service(seconds, variation)


@given(objective=objectives, slots=slots, service=services)
def test_the_highest_rate_keeps_the_objective_and_a_little_more_does_not(
    objective: WaitObjective, slots: int, service: Service
) -> None:
    rate = highest_rate(objective, slots, service)

    assert 0.0 < rate < slots / service.seconds
    assert keeps(objective, slots, rate, service)
    assert not keeps(objective, slots, rate * (1 + 2e-6), service)


@given(objective=objectives, slots=slots, service=services, busy=st.floats(0.01, 50.0))
def test_the_replicas_keep_the_objective_and_one_fewer_does_not(
    objective: WaitObjective, slots: int, service: Service, busy: float
) -> None:
    rate = busy * slots / service.seconds
    replicas = replicas_for(rate, objective, slots, service)

    assert keeps(objective, replicas * slots, rate, service)
    assert replicas == 1 or not keeps(objective, (replicas - 1) * slots, rate, service)


@given(objective=objectives, slots=slots, service=services, busy=st.floats(0.01, 20.0), more=st.floats(1.0, 3.0))
def test_more_demand_never_means_fewer_replicas(
    objective: WaitObjective, slots: int, service: Service, busy: float, more: float
) -> None:
    rate = busy * slots / service.seconds

    assert replicas_for(rate, objective, slots, service) <= replicas_for(more * rate, objective, slots, service)


@given(objective=objectives, slots=slots, service=services, replicas=st.integers(1, 20))
def test_one_queue_for_all_never_takes_more_replicas_than_a_queue_each(
    objective: WaitObjective, slots: int, service: Service, replicas: int
) -> None:
    rate = replicas * highest_rate(objective, slots, service)

    assert replicas_for(rate, objective, slots, service) <= replicas
