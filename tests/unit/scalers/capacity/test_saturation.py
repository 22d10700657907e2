"""The Universal Scalability Law, against published fits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalers.capacity.saturation import Measured, Saturation, capacity_of_measured, fit_saturation

# A Sun SPARCcenter 2000 in the SPEC SDM 91 benchmark, scripts per hour by users (Gunther, Guerrilla Capacity Planning).
SDM91 = [
    Measured(users, scripts)
    for users, scripts in (
        (1, 64.9),
        (18, 995.9),
        (36, 1652.4),
        (72, 1853.2),
        (108, 1828.9),
        (144, 1775.0),
        (216, 1702.2),
    )
]

laws = st.builds(
    Saturation,
    gamma=st.floats(0.01, 1000.0),
    alpha=st.just(0.0) | st.floats(1e-12, 5.0),
    beta=st.just(0.0) | st.floats(1e-12, 0.01),
)


def test_the_fit_is_the_published_one() -> None:
    """The coefficients that the R package usl prints for these data (its README)."""
    law = fit_saturation(SDM91)

    assert law.gamma == pytest.approx(89.9952330, abs=1e-6)
    assert law.alpha == pytest.approx(0.0277285, abs=1e-7)
    assert law.beta == pytest.approx(0.0001044, abs=1e-7)


def test_what_the_fit_says_is_as_published() -> None:
    """usl's own tests: fitted values, and the peak at 97 users."""
    law = fit_saturation(SDM91)

    assert [round(law.rate(point.concurrency)) for point in SDM91] == [90, 1078, 1541, 1850, 1879, 1822, 1646]
    assert round(law.busiest) == 97


def test_time_and_throughput_and_concurrency_keep_littles_law() -> None:
    law = Saturation(gamma=10.0, alpha=0.1, beta=0.001)

    assert law.seconds(1.0) == pytest.approx(0.1)
    assert law.seconds(20.0) * law.rate(20.0) == pytest.approx(20.0)


def test_the_capacity_ends_at_the_objective_at_the_peak_and_at_what_was_measured() -> None:
    """Contention alone: time is 0.1 (1 + 0.5 (n - 1)), so 0.3 s allow 5 at once, which finish 5 / 0.3 a second."""
    law = Saturation(gamma=10.0, alpha=0.5, beta=0.0)
    turning = Saturation(gamma=10.0, alpha=0.0, beta=0.01)

    assert law.capacity(seconds=0.3, seen=100) == pytest.approx(5 / 0.3)
    assert law.capacity(seconds=0.3, seen=2) == pytest.approx(2 / 0.15)
    assert turning.capacity(seconds=None, seen=100) == pytest.approx(turning.rate(10.0))


def test_a_replica_that_only_gets_slower_works_on_one_request_at_a_time() -> None:
    law = Saturation(gamma=10.0, alpha=3.0, beta=0.5)

    assert law.busiest == 1.0
    assert law.capacity(seconds=10.0, seen=100) == pytest.approx(10.0)


def test_no_capacity_where_one_request_alone_takes_longer() -> None:
    assert Saturation(gamma=10.0, alpha=0.5, beta=0.0).capacity(seconds=0.05, seen=100) == 0.0


def test_a_point_that_was_fast_enough_counts_though_the_law_denies_it() -> None:
    """The best fit of these puts one request alone above 1 s."""
    points = [Measured(1, 1.0), Measured(2, 0.5), Measured(4, 1.0)]

    assert capacity_of_measured(points, within=1.0) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (SDM91[:2], "at least 3 points"),
        ([*SDM91[:2], SDM91[0]], "at least 3 points"),
        ([*SDM91[:2], Measured(3, 0.0)], "above 0"),
        ([*SDM91[:2], Measured(3, math.nan)], "above 0"),
        ([*SDM91[:2], Measured(0.5, 30.0)], "at least 1"),
    ],
)
def test_points_that_tell_nothing_are_refused(points: list[Measured], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fit_saturation(points)


def test_an_objective_that_no_point_kept_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no point takes at most 0\.001 s"):
        capacity_of_measured(SDM91, within=0.001)


@given(law=laws)
def test_a_law_is_found_again_from_what_it_says(law: Saturation) -> None:
    found = fit_saturation([Measured(n, law.rate(n)) for n in (1, 2, 4, 8, 16, 32, 64)])

    for n in (1, 3, 10, 50):
        assert found.rate(n) == pytest.approx(law.rate(n), rel=1e-4)


@given(law=laws, slack=st.floats(1.0, 100.0))
def test_the_most_within_a_time_takes_that_time(law: Saturation, slack: float) -> None:
    seconds = slack / law.gamma
    most = law.most_within(seconds)

    assert most >= 1.0 - 1e-9
    assert most == math.inf or law.seconds(most) == pytest.approx(seconds, rel=1e-6)


@given(law=laws, seen=st.integers(1, 200), first=st.floats(1.0, 50.0), more=st.floats(1.0, 10.0))
def test_a_looser_objective_never_means_less_capacity(law: Saturation, seen: int, first: float, more: float) -> None:
    tight, loose = (law.capacity(seconds=slack / law.gamma, seen=seen) for slack in (first, first * more))

    assert 0.0 < tight <= loose * (1 + 1e-9)
    assert loose <= max(law.rate(n) for n in range(1, seen + 1)) * (1 + 1e-6) or law.busiest < seen
