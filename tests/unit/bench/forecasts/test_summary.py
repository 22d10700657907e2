"""Scores become few numbers, and the page shows losses like wins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench.forecasts.figures import figures
from bench.forecasts.page import page
from bench.forecasts.predictor import LEVELS
from bench.forecasts.run import Results
from bench.forecasts.summary import BASELINE, duels, rows
from bench.forecasts.walk import Score


def score(series: str, model: str, loss: float, *, is_peer: bool = False, covered: float = 0.99) -> Score:
    return Score(
        series=series,
        model=model,
        is_peer=is_peer,
        origins=862,
        pinball=dict.fromkeys(LEVELS, loss),
        coverage=dict.fromkeys(LEVELS, covered),
        mase=None if series == "flat" else loss,
        refit_ms=2.0,
        update_ms=0.2,
    )


SCORES = [
    score("day", BASELINE, 0.04),
    score("day", "harmonic", 0.02, covered=0.97),
    score("day", "AutoETS", 0.03, is_peer=True),
    score("flat", BASELINE, 0.01),
    score("flat", "harmonic", 0.02),
    score("flat", "AutoETS", 0.005, is_peer=True),
]


def results(scores: list[Score], peeking: tuple[str, ...] = ()) -> Results:
    return Results(datetime(2026, 11, 27, tzinfo=UTC), {"numpy": "2.4.6"}, scores, [], peeking, 400.0)


def test_a_loss_is_relative_to_persistence_and_every_series_counts_the_same() -> None:
    """Half on one series and twice on the other is no gain."""
    loss = {row.model: row.loss[0.98] for row in rows(SCORES)}

    assert loss == {
        BASELINE: pytest.approx(1.0),
        "harmonic": pytest.approx(1.0),
        "AutoETS": pytest.approx(0.6124, abs=1e-4),
    }


def test_the_least_coverage_of_a_series_is_kept_beside_the_mean() -> None:
    harmonic = rows(SCORES)[1]

    assert (harmonic.coverage[0.98], harmonic.worst_coverage) == (pytest.approx(0.98), 0.97)


def test_a_mase_that_one_series_cannot_have_is_the_mean_of_the_others() -> None:
    assert rows(SCORES)[1].mase == pytest.approx(0.02)


def test_a_duel_is_of_the_best_of_each_side() -> None:
    fought = [(duel.series, duel.ours, duel.peer, round(duel.ratio, 3)) for duel in duels(SCORES)]

    assert fought == [("day", "harmonic", "AutoETS", 0.667), ("flat", BASELINE, "AutoETS", 2.0)]


def test_without_peers_there_is_no_duel() -> None:
    assert duels([found for found in SCORES if not found.is_peer]) == []


def test_the_page_shows_what_is_lost_in_bold() -> None:
    text = page(results(SCORES))

    assert "| day | harmonic | AutoETS | 0.667 |" in text
    assert f"| flat | {BASELINE} | AutoETS | **2.000** |" in text
    assert "| all |  |  | 1.155 |" in text
    assert "There were none where this was measured." in text


def test_a_row_that_sees_the_future_is_over_its_limit_and_named_on_the_page() -> None:
    found = results(SCORES, peeking=("harmonic",))

    assert figures(found)[0].value == 1.0
    assert figures(found)[0].limit == 0.0
    assert "only the future was changed:\nharmonic." in page(found)


def test_what_was_not_measured_is_a_figure_without_a_value() -> None:
    unmeasured = [figure for figure in figures(results(SCORES)) if figure.value is None]

    assert "traces: not measured, there are none" in [figure.name for figure in unmeasured]
