from __future__ import annotations

from datetime import timedelta

import pytest

from scalers.trust import Trust

MINUTE = timedelta(minutes=1)


def scored(trust: Trust, minutes: int, **losses: float) -> None:
    for _ in range(minutes):
        trust.score({name.replace("_", "-"): loss for name, loss in losses.items()})


def test_nobody_is_trusted_before_an_hour_was_scored() -> None:
    trust = Trust(step=MINUTE)
    scored(trust, 50, reactive=2.0, harmonic=1.0)
    assert trust.trusted is None
    scored(trust, 10, reactive=2.0, harmonic=1.0)
    assert trust.trusted == "harmonic"


def test_a_forecaster_dearer_than_reactive_is_not_trusted() -> None:
    trust = Trust(step=MINUTE)
    scored(trust, 120, reactive=1.0, harmonic=1.5)
    assert trust.trusted is None
    assert trust.loss_ratio("harmonic") == pytest.approx(1.5)


def test_trust_is_lost_the_way_it_was_earned() -> None:
    trust = Trust(step=MINUTE)
    scored(trust, 120, reactive=2.0, harmonic=1.0)
    scored(trust, 600, reactive=1.0, harmonic=3.0)
    assert trust.trusted is None


def test_noise_does_not_swap_the_trusted_forecaster() -> None:
    trust = Trust(step=MINUTE)
    scored(trust, 120, reactive=2.0, arima=1.0, harmonic=1.2)
    scored(trust, 600, reactive=2.0, arima=1.0, harmonic=0.98)
    assert trust.trusted == "arima"
    scored(trust, 600, reactive=2.0, arima=1.0, harmonic=0.5)
    assert trust.trusted == "harmonic"


def test_records_outlive_the_process() -> None:
    trust = Trust(step=MINUTE)
    scored(trust, 120, reactive=2.0, harmonic=1.0)
    again = Trust(step=MINUTE)
    again.restore(trust.encode())
    assert again.trusted == "harmonic"
    assert again.loss_ratio("harmonic") == trust.loss_ratio("harmonic")


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"records": {"harmonic": 3}}'])
def test_records_that_cannot_be_read_are_earned_anew(body: bytes) -> None:
    trust = Trust(step=MINUTE)
    trust.restore(body)
    assert trust.trusted is None


def test_a_load_that_never_changes_needs_no_forecast_and_costs_none() -> None:
    trust = Trust(step=MINUTE)
    scored(trust, 120, reactive=0.0, harmonic=0.0)
    assert trust.loss_ratio("harmonic") == 1.0
