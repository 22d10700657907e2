from __future__ import annotations

import numpy as np
import pytest

from forecasters.quantile_regression import fit_quantiles

LEVELS = (0.5, 0.9)


def sample(rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Outcome = 3 x + (1 + x) e with e uniform on [0, 1]: its q quantile is 3 x + (1 + x) q."""
    random = np.random.default_rng(1)
    x = random.uniform(0.0, 2.0, rows)
    return x[:, None], 3 * x + (1 + x) * random.uniform(size=rows)


def below(table: np.ndarray, outcome: np.ndarray, coefficients: np.ndarray) -> float:
    return float((outcome <= table @ coefficients[:-1] + coefficients[-1]).mean())


def test_as_much_lies_below_a_quantile_as_its_level_says() -> None:
    table, outcome = sample()
    median, high = fit_quantiles(table, outcome, LEVELS)
    assert below(table, outcome, median) == pytest.approx(0.5, abs=0.02)
    assert below(table, outcome, high) == pytest.approx(0.9, abs=0.02)


def test_coefficients_are_those_of_the_law_but_for_a_pull_towards_zero() -> None:
    table, outcome = sample()
    median, high = fit_quantiles(table, outcome, LEVELS)
    assert 2.5 < median[0] <= 3.6
    assert 3.0 < high[0] <= 4.0


def test_units_say_nothing() -> None:
    table, outcome = sample(500)
    plain = fit_quantiles(table, outcome, LEVELS)
    scaled = fit_quantiles(table * 1000.0, outcome * 7.0, LEVELS)
    np.testing.assert_allclose(scaled, plain * 7.0 / np.array([1000.0, 1.0]), rtol=1e-6)


def test_a_column_without_evidence_stays_out() -> None:
    table, outcome = sample(500)
    wider = np.column_stack([table, np.zeros(500)])
    assert fit_quantiles(wider, outcome, LEVELS)[:, 1].tolist() == [0.0, 0.0]


def test_one_absurd_outcome_does_not_hide_the_others() -> None:
    table, outcome = sample()
    outcome[7] = 1e18
    median = fit_quantiles(table, outcome, (0.5,))[0]
    assert below(table, outcome, median) == pytest.approx(0.5, abs=0.02)


def test_a_quantile_is_the_same_whichever_others_are_asked_for() -> None:
    table, outcome = sample()
    together = fit_quantiles(table, outcome, (0.5, 0.9, 0.98))
    np.testing.assert_allclose(fit_quantiles(table, outcome, (0.9,))[0], together[1], rtol=1e-9)
