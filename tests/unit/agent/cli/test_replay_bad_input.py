"""What `replay`, and with it the live agent, makes of bad input once the experts are at work: docs/operations.md."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from tests.fakes.loads import autoregressive
from tests.fakes.policies import VALID_TEXT

POLICY = VALID_TEXT.replace("404.33", "12").replace("0.05%", "1%").replace("max: 1000", "max: 100")
NOON = 1_772_452_800  # a Monday
DAY = 86_400
MOST = 100.0  # replicas


def demands(begin: int, end: int, *, step: int) -> list[tuple[int, float]]:
    """Return time and demand, around 120 with a daily shape and noise, the same for the same times."""
    times = np.arange(begin, end, step)
    noise = autoregressive(len(times), phi=0.9, deviation=2.0)
    return list(zip(times.tolist(), (120.0 - 40.0 * np.cos(2 * np.pi * times / DAY) + noise).tolist(), strict=True))


PAST = demands(NOON - DAY, NOON, step=60)
NOW = demands(NOON + 15, NOON + 15 * 241, step=15)  # an hour


def lines_of(rows: Sequence[tuple[int, float | None]]) -> list[dict[str, object]]:
    return [{"time": at, "demand": demand} for at, demand in rows]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


def run(folder: Path, lines: Sequence[object], past: Sequence[tuple[int, float]]) -> Result:
    history = folder / "history.csv"
    history.write_text("timestamp,value\n" + "".join(f"{at},{value!r}\n" for at, value in past))
    text = "".join(json.dumps(line) + "\n" for line in lines)
    arguments = ["replay", "--policy", str(folder / "policy.yaml"), "--history", str(history)]
    return CliRunner().invoke(main, arguments, input=text)


def replayed(folder: Path, lines: Sequence[object], past: Sequence[tuple[int, float]] = PAST) -> list[dict[str, Any]]:
    result = run(folder, lines, past)
    assert result.exit_code == 0, result.output
    return [json.loads(each) for each in result.stdout.splitlines()]


def replicas(answers: Sequence[dict[str, Any]]) -> list[float]:
    return [each["replicas"] for each in answers]


def test_what_these_tests_look_at_is_answered_by_experts(folder: Path) -> None:
    (first,) = replayed(folder, lines_of(NOW[:1]))
    assert first["replicas"] > 1.02 * NOW[0][1] / 12
    assert "more history" not in first["reason"]


@pytest.mark.parametrize("capacity", ["0", "-12", ".nan"])
def test_a_capacity_that_serves_nothing_is_refused_before_anything_is_read(folder: Path, capacity: str) -> None:
    (folder / "policy.yaml").write_text(POLICY.replace("perReplica: 12", f"perReplica: {capacity}"))
    result = run(folder, lines_of(NOW[:1]), PAST)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "spec.capacity.perReplica" in result.stderr


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_history_shorter_than_the_lead_time_leaves_the_raw_need(folder: Path, rows: int) -> None:
    (folder / "policy.yaml").write_text(POLICY.replace("declared: 120s", "declared: 10m"))
    answers = replayed(folder, lines_of(NOW[:8]), PAST[-rows:])
    assert replicas(answers) == pytest.approx([demand / 12 for _, demand in NOW[:8]])
    assert all("more history" in each["reason"] for each in answers)


@pytest.mark.parametrize(("least", "idle"), [(0, 0.0), (1, 1.0)])
def test_demand_that_was_always_zero_is_idleness_and_the_first_one_is_answered_at_once(
    folder: Path, least: int, idle: float
) -> None:
    (folder / "policy.yaml").write_text(POLICY.replace("min: 1", f"min: {least}"))
    lines = lines_of([(at, 0.0 if row < 60 else 120.0) for row, (at, _) in enumerate(NOW[:64])])
    answers = replicas(replayed(folder, lines, [(at, 0.0) for at, _ in PAST]))
    assert answers[:60] == [idle] * 60
    assert min(answers[60:]) >= 10.0


def test_one_sample_of_a_metric_s_bug_in_the_history_changes_little(folder: Path) -> None:
    spiked = [(at, 1e18 if row == 700 else demand) for row, (at, demand) in enumerate(PAST)]
    plain, hit = (np.array(replicas(replayed(folder, lines_of(NOW), past))) for past in (PAST, spiked))
    assert np.isfinite(hit).all()
    assert np.abs(hit / plain - 1).max() < 0.02


@pytest.mark.parametrize("hours", [10, 24, 48])
def test_one_sample_of_a_metric_s_bug_gets_the_most_replicas_and_is_over_with_the_next(
    folder: Path, hours: int
) -> None:
    past = demands(NOON - hours * 3600, NOON, step=60)
    lines = [(at, 1e18 if row == 40 else demand) for row, (at, demand) in enumerate(NOW)]
    plain, hit = (np.array(replicas(replayed(folder, lines_of(each), past))) for each in (NOW, lines))
    assert hit[:40].tolist() == plain[:40].tolist()
    assert hit[40] == MOST
    assert np.abs(hit[41:] / plain[41:] - 1).max() < 0.01
    assert all(answer >= demand / 12 - 1e-6 for answer, (_, demand) in zip(hit[41:], NOW[41:], strict=True))


@pytest.mark.parametrize("value", [-5.0, float("nan"), float("inf")])
def test_a_demand_that_cannot_be_holds_what_the_experts_answered_and_then_is_an_error(
    folder: Path, value: float
) -> None:
    lines = lines_of([(at, demand if row < 20 else value) for row, (at, demand) in enumerate(NOW[:65])])
    answers = replicas(replayed(folder, lines))
    assert min(answers[20:60]) >= answers[19]
    assert answers[60:] == [None] * 5


def test_negative_rows_of_the_history_are_gaps(folder: Path) -> None:
    """Left out they would have been gaps, too."""
    wrong = set(range(700, 720))
    negative = [(at, -demand if row in wrong else demand) for row, (at, demand) in enumerate(PAST)]
    left_out = [each for row, each in enumerate(PAST) if row not in wrong]
    assert replayed(folder, lines_of(NOW[:20]), negative) == replayed(folder, lines_of(NOW[:20]), left_out)


def test_rows_of_the_history_may_come_in_any_order_and_twice(folder: Path) -> None:
    mixed = [*PAST, *PAST[100:200]]
    random.Random(1).shuffle(mixed)
    assert replayed(folder, lines_of(NOW[:20]), mixed) == replayed(folder, lines_of(NOW[:20]))


@pytest.mark.parametrize("back", [0, 15, 3 * 3600, 400 * DAY])
def test_a_line_whose_time_is_not_after_the_last_is_an_error_and_teaches_nothing(folder: Path, back: int) -> None:
    lines = lines_of(NOW[:40])
    wrong = {"time": NOW[19][0] - back, "demand": 900.0}
    answers = replayed(folder, [*lines[:20], wrong, *lines[20:]])
    assert answers[20]["replicas"] is None
    assert "is not after" in answers[20]["reason"]
    assert [*answers[:20], *answers[21:]] == replayed(folder, lines)


@pytest.mark.parametrize("ahead", [120, 3 * 3600, 40 * DAY, 20_000 * DAY])
def test_after_a_clock_that_jumped_ahead_the_sample_that_came_with_it_is_answered(folder: Path, ahead: int) -> None:
    moved = [(at + ahead, demand) for at, demand in NOW[20:60]]
    answers = replicas(replayed(folder, lines_of([*NOW[:20], *moved])))
    raw = [demand / 12 for _, demand in NOW[20:60]]
    assert all(need - 1e-6 <= answer <= MOST for answer, need in zip(answers[20:], raw, strict=True))
