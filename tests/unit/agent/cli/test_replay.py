from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.cli import main
from agent.cli.replay import Replay
from agent.policy import parse_policy
from tests.fakes.driven import past_of
from tests.fakes.engine import START
from tests.fakes.policies import VALID_TEXT

POLICY = VALID_TEXT.replace("404.33", "12").replace("0.05%", "1%").replace("max: 1000", "max: 100")
NOON = int(START.timestamp())
WEEK = 7 * 86_400


def line(i: float, demand: float | None, **fields: object) -> dict[str, object]:
    """Return the input of the i-th step after noon."""
    return {"time": NOON + 15 * i, "demand": demand, **fields}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


def replayed(policy: Path, lines: Sequence[object], *options: str) -> list[dict[str, Any]]:
    result = filtered(
        policy, "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in lines), *options
    )
    assert result.exit_code == 0, result.output
    return [json.loads(each) for each in result.stdout.splitlines()]


def filtered(policy: Path, text: str | bytes, *options: str) -> Result:
    return CliRunner().invoke(main, ["replay", "--policy", str(policy), *options], input=text)


def ramp(shift: float = 0.0) -> Any:
    """24 by night, 240 by day, a rise of half an hour between that ends at noon."""

    def demand(at: Any) -> float:
        hour = ((at.timestamp() - shift) % 86_400) / 3600
        return 24.0 + 216.0 * min(max((hour - 11.5) / 0.5, 0.0), 1.0) * (hour < 20)

    return demand


def history_of(path: Path, *, shift: float = 0.0, unit: float = 1.0) -> Path:
    """Write three days, up to half an hour before noon, of the ramp by the minute."""
    end = START - timedelta(minutes=31)
    past = past_of(ramp(), end=end, span=timedelta(days=3), noise=1.0, step=timedelta(minutes=1))
    rows = [
        f"{seconds + shift:.0f},{value * unit!r}"
        for seconds, value in zip(past.seconds(), past.values.tolist(), strict=True)
    ]
    path.write_text("timestamp,value\n" + "\n".join(rows) + "\n")
    return path


def day(shift: float = 0.0, unit: float = 1.0) -> list[dict[str, object]]:
    """Return the lines of twenty minutes from 11:29:15 on."""
    begin, demand = NOON - 1845, ramp()
    return [
        {"time": begin + 15 * i + shift, "demand": unit * demand(START + timedelta(seconds=15 * i - 1845))}
        for i in range(80)
    ]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return history_of(tmp_path_factory.mktemp("history") / "history.csv")


def test_each_line_is_answered_by_one_line(policy: Path) -> None:
    answers = replayed(policy, [line(0, 60.0), line(1, 90.0), line(2, 120.0)])
    assert [(each["time"], each["replicas"]) for each in answers] == [(NOON, 5.0), (NOON + 15, 7.5), (NOON + 30, 10.0)]
    assert answers[0]["reason"] == "60 now needs 5; needs 60 min more history (0 of 60 min); raw need until then"
    assert list(answers[0]) == ["time", "replicas", "reason"]


def test_without_a_history_it_learns_from_the_lines(policy: Path) -> None:
    answers = replayed(policy, [line(i, 60.0) for i in range(9)])
    assert "more history" in answers[-1]["reason"]


def test_each_line_is_answered_before_the_next_is_read() -> None:
    read = []

    def lines() -> Any:
        for i in range(3):
            read.append(i)
            yield json.dumps(line(i, 60.0)).encode()

    answers = Replay(parse_policy(POLICY, file="policy.yaml")[0]).answers(lines())
    assert [len(read) for _ in answers] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("17", "is not a JSON object but 17"),
        ("{}", "time must be unix seconds, from 1970 to 2200, got None"),
        ('{"time": "noon"}', "time must be a number, got 'noon'"),
        ('{"time": true}', "time must be a number, got True"),
        ('{"time": NaN}', "time must be unix seconds, from 1970 to 2200, got nan"),
        ('{"time": 1700000000000}', "time must be unix seconds, from 1970 to 2200, got 1700000000000"),
        ('{"time": -1}', "time must be unix seconds, from 1970 to 2200, got -1"),
        ('{"time": 1' + 400 * "0" + "}", "time must be a number, got one of 401 digits"),
        ('{"time": 1772452801, "demand": "12"}', "demand must be a number, got '12'"),
        ('{"time": 1772452801, "demand": [12]}', "demand must be a number, got [12]"),
        ('{"time": 1772452801, "demand": 1' + 400 * "0" + "}", "demand must be a number, got one of 401 digits"),
        ('{"time": 1772452801, "replicas": -1}', "replicas must be a whole number from 0 up, got -1"),
        ('{"time": 1772452801, "replicas": 1.5}', "replicas must be a whole number from 0 up, got 1.5"),
        ('{"time": 1772452801, "replicas": 2147483648}', "replicas must be a whole number from 0 up, got 2147483648"),
        ('{"time": 1772452801, "replicas": 3, "ready": "2"}', "ready must be a whole number from 0 up, got '2'"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_gets_null_and_the_reason_and_the_filter_goes_on(
    policy: Path, text: str, reason: str
) -> None:
    before, wrong, after = replayed(policy, [line(0, 60.0), text, line(1, 90.0)])
    assert (wrong["time"], wrong["replicas"]) == (None, None)
    assert wrong["reason"].startswith(f"line 2: {reason}")
    assert (before["replicas"], after["replicas"]) == (5.0, 7.5)


def test_text_that_is_no_utf_8_is_a_line_that_cannot_be_read(policy: Path) -> None:
    result = filtered(policy, b'\xff\xfe\n{"time": 1700000000, "demand": 60}\n')
    first, second = (json.loads(each) for each in result.stdout.splitlines())
    assert (first["replicas"], second["replicas"]) == (None, 5.0)


@pytest.mark.parametrize("step", [0, -1])
def test_time_that_does_not_go_forward_is_refused(policy: Path, step: int) -> None:
    answers = replayed(policy, [line(1, 60.0), line(1 + step, 0.0), line(2, 90.0)])
    assert [each["replicas"] for each in answers] == [5.0, None, 7.5]
    assert answers[1]["reason"] == f"line 2: time {NOON + 15 + 15 * step} is not after {NOON + 15}, which is known"


def test_a_null_demand_holds_and_is_an_error_past_staleness_data(policy: Path) -> None:
    answers = replayed(policy, [line(0, 240.0), *(line(i, None) for i in range(1, 42))])
    assert [each["replicas"] for each in answers] == [20.0] * 41 + [None]
    assert answers[1]["reason"].endswith("raw need until then") or answers[4]["reason"].startswith("no samples since")


@pytest.mark.parametrize("demand", [math.nan, math.inf, -1.0])
def test_a_demand_that_cannot_be_scales_nothing_in(policy: Path, demand: float) -> None:
    answers = replayed(policy, [line(0, 240.0), *(line(i, demand) for i in range(1, 42))])
    assert [each["replicas"] for each in answers] == [20.0] * 41 + [None]


def test_a_first_line_without_demand_is_an_error_not_a_zero(policy: Path) -> None:
    assert replayed(policy, [line(0, None)])[0]["replicas"] is None


def test_replicas_that_are_there_count_for_the_tolerance(policy: Path) -> None:
    plain, tolerant = replayed(policy, [line(0, 122.4), line(1, 122.4, replicas=10, ready=9)])
    assert plain["replicas"] == pytest.approx(10.2)
    assert tolerant["replicas"] == 11.01


def test_the_same_input_gives_the_same_output(policy: Path, history: Path) -> None:
    first, second = (replayed(policy, day(), "--history", str(history)) for _ in range(2))
    assert first == second


def test_a_history_makes_the_first_answer_a_foretold_one(policy: Path, history: Path) -> None:
    first = replayed(policy, day()[:1], "--history", str(history))[0]
    assert "by 11:31" in first["reason"] or "no more is expected" in first["reason"]
    assert replayed(policy, day()[:1])[0]["reason"].endswith("raw need until then")


def test_a_ramp_that_comes_every_day_is_answered_before_it_comes(policy: Path, history: Path) -> None:
    answers = replayed(policy, day(), "--history", str(history))
    raw = [float(str(each["demand"])) / 12 for each in day()]
    assert all(each["replicas"] >= need - 1e-6 for each, need in zip(answers, raw, strict=True))
    early = answers[12]  # 11:32:15, two minutes into the ramp
    assert raw[12] == pytest.approx(3.35)
    assert early["replicas"] > raw[20]  # what the demand will be when a replica asked for now is ready


def test_answers_know_nothing_of_later_lines(policy: Path, history: Path) -> None:
    lines = day()
    other = [*lines[:40], *(line | {"demand": 9000.0} for line in lines[40:])]
    whole, changed = (replayed(policy, each, "--history", str(history)) for each in (lines, other))
    assert changed[:40] == whole[:40]
    assert changed[40] != whole[40]


def test_a_line_before_the_end_of_the_history_is_refused(policy: Path, history: Path) -> None:
    before, after = replayed(policy, [line(-1000, 60.0), line(0, 60.0)], "--history", str(history))
    assert before["replicas"] is None
    assert "is not after" in before["reason"]
    assert after["replicas"] is not None


def test_the_unit_of_demand_does_not_matter(tmp_path: Path, policy: Path, history: Path) -> None:
    scaled = tmp_path / "scaled.yaml"
    scaled.write_text(POLICY.replace("perReplica: 12", "perReplica: 12000"))
    large = history_of(tmp_path / "large.csv", unit=1000.0)
    plain = replayed(policy, day(), "--history", str(history))
    other = replayed(scaled, day(unit=1000.0), "--history", str(large))
    assert np.allclose([each["replicas"] for each in plain], [each["replicas"] for each in other], rtol=1e-6)


def test_whole_weeks_later_the_same_is_answered(tmp_path: Path, policy: Path, history: Path) -> None:
    later = history_of(tmp_path / "later.csv", shift=3.0 * WEEK)
    plain = replayed(policy, day(), "--history", str(history))
    shifted = replayed(policy, day(shift=3 * WEEK), "--history", str(later))
    assert np.allclose([each["replicas"] for each in plain], [each["replicas"] for each in shifted], rtol=1e-6)


@settings(max_examples=40)
@given(st.lists(st.text(max_size=30) | st.dictionaries(
    st.sampled_from(["time", "demand", "replicas", "ready"]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just([]),
).map(json.dumps), max_size=8))  # fmt: skip
def test_whatever_is_read_one_line_in_is_one_line_out(lines: list[str]) -> None:
    replay = Replay(parse_policy(POLICY, file="policy.yaml")[0])
    answers = list(replay.answers(each.encode(errors="surrogatepass") for each in lines))
    assert len(answers) == len(lines)
    for answer in answers:
        assert list(answer) == ["time", "replicas", "reason"]
        json.dumps(answer, allow_nan=False)


def test_the_history_and_the_policy_are_checked_before_anything_is_read(policy: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("timestamp,value\nnoon,12\n")
    result = filtered(policy, "", "--history", str(wrong))
    assert result.exit_code == 2
    assert "wrong.csv" in result.stderr
    policy.write_text(POLICY.replace("risk: 1%", "risk: 100%"))
    result = filtered(policy, "")
    assert result.exit_code == 2
    assert "spec.risk" in result.stderr


def test_a_file_with_several_policies_is_refused(policy: Path) -> None:
    policy.write_text(POLICY + "---\n" + POLICY.replace("name: workload, namespace", "name: other, namespace"))
    result = filtered(policy, "")
    assert result.exit_code == 2
    assert "holds 2 policies; replay takes a file with one" in result.stderr


def test_a_policy_with_several_signals_is_refused(policy: Path) -> None:
    signals = """\
  signals:
  - {name: chat, prometheus: {query: a}, step: 15s}
  - {name: tokens, prometheus: {query: b}, step: 15s}
"""
    policy.write_text(POLICY.replace("  demand: {prometheus: {query: demand}, step: 15s}\n", signals))
    result = filtered(policy, "")
    assert result.exit_code == 2
    assert "policy default/workload has 2 signals, and a line has one demand" in result.stderr
