"""A whole backtest on hours of load, with the real engine: its four policies, its words, JSON and report."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from agent.backtest.backtest import Outcome, backtest
from agent.backtest.charts import days, replica_rows, worst_day
from agent.backtest.page import report_page
from agent.backtest.printing import as_json, show
from agent.backtest.score import Course
from agent.backtest.words import verdict
from agent.policy import parse_policy
from tests.fakes.backtest import Silent, hours, load_of, question

FIGURES = {"cost", "replica_hours", "unserved_pct", "short_pct", "actions_per_h"}
HOSTILE = "<script>alert('demand')</script>"


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return backtest(load_of(hours(6)), question(), Silent())


@pytest.fixture(scope="module")
def swept(outcome: Outcome) -> Outcome:
    """The outcome with a curve, whose points are made from what was played."""
    return replace(outcome, swept={0.2: outcome.reactive.tried[0.7], 0.1: outcome.reactive.tried[0.5]})


def test_the_json_has_four_policies_with_all_figures_and_a_manifest_that_parses(outcome: Outcome) -> None:
    document = json.loads(as_json(outcome))

    assert list(document["policies"]) == ["hpa", "best_reactive", "foretide", "perfect"]
    assert all(set(figures) == FIGURES for figures in document["policies"].values())
    assert parse_policy(document["manifest"], file="manifest", note=lambda _: None)[0].key.name == "chat"
    assert "sweep" not in document


def test_the_best_reactive_leaves_no_more_unserved_than_foretide(outcome: Outcome) -> None:
    policies = outcome.policies

    least = min(played.score.unserved_pct for played in outcome.reactive.tried.values())
    wanted = max(policies["foretide"].score.unserved_pct, least)  # where none leaves as little, the one with the least

    assert policies["best_reactive"].score.unserved_pct <= wanted
    assert policies["perfect"].score.cost == 1.0


def test_the_suggested_policy_has_the_risk_that_the_hpa_runs_and_room_above_what_was_seen(outcome: Outcome) -> None:
    hpa = outcome.reactive.hpa

    assert outcome.suggested.risk == pytest.approx(hpa.score.short_pct / 100, rel=0.06)
    assert outcome.suggested.maximum >= 1.5 * hpa.course.existing.max()


def test_the_progress_ends_where_it_said(outcome: Outcome) -> None:
    progress = Silent()
    backtest(load_of(hours(6)), question(), progress)
    promised = sum(steps for _, steps in progress.parts)

    assert [what for what, _ in progress.parts] == ["HPAs at every target, and Foretide at a risk of 1 %"]
    assert 0.8 * promised <= progress.steps <= promised


def test_the_same_question_has_the_same_answer(outcome: Outcome) -> None:
    again = backtest(load_of(hours(6)), question(), Silent())

    assert as_json(again) == as_json(outcome)


def test_a_sweep_s_json_has_both_curves(swept: Outcome) -> None:
    document = json.loads(as_json(swept))["sweep"]

    assert [row["risk_pct"] for row in document["foretide"]] == [20.0, 10.0]
    assert [row["target_pct"] for row in document["reactive"]] == list(range(20, 101, 5))
    assert all(set(row) > FIGURES for rows in document.values() for row in rows)


def test_the_verdict_names_cost_never_without_shortage(outcome: Outcome) -> None:
    sentence = verdict(outcome)

    assert re.search(r"would have paid [\d.]+\N{NARROW NO-BREAK SPACE}% (less|more) than the HPA at 70", sentence)
    assert "of the demand unserved instead of" in sentence


def test_people_get_a_table_the_assumptions_and_the_manifest(outcome: Outcome) -> None:
    console = Console(width=100, file=StringIO())
    show(outcome, console)
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue().replace("\N{NARROW NO-BREAK SPACE}", " ")

    assert re.search(r"Foretide, risk 1 % +\d\.\d{3} +\d+ +\d\.\d{3} % +\d+\.\d\d % +\d+\.\d\n", text)
    assert "one replica serves 10" in text
    assert "kind: ForecastPolicy" in text
    assert "Little history" in text


class Page(HTMLParser):
    """Collects what a page refers to, and checks that what is opened is closed."""

    VOID = frozenset({"meta", "path", "br", "hr", "img", "input", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.labels: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        self.references += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "action"}]
        self.labels += [value or "" for name, value in attrs if name == "aria-label"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_is_one_file_that_asks_for_nothing_and_runs_nothing(swept: Outcome) -> None:
    text = report_page(swept)
    page = Page(text)

    assert page.open == []
    assert page.references == []
    assert not page.tags & {"script", "link", "iframe", "img"}
    assert "url(" not in text
    assert "@import" not in text


def test_each_chart_of_the_report_has_a_sentence(swept: Outcome) -> None:
    labels = Page(report_page(swept)).labels

    assert len(labels) == 8
    assert all("unserved" in label or "at the end" in label for label in labels)


def test_what_users_name_is_shown_as_text(outcome: Outcome) -> None:
    hostile = replace(outcome, question=replace(outcome.question, query=HOSTILE, origin=HOSTILE))
    page = report_page(hostile)

    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


def test_the_report_uses_the_page_s_colours() -> None:
    def tokens(text: str) -> list[str]:
        return re.findall(r"(--[a-z0-9-]+): (#[0-9a-f]+);", text)

    root = Path(__file__).parents[4]
    page = tokens((root / "dashboards" / "page" / "src" / "tokens.css").read_text())
    report = tokens((root / "agent" / "backtest" / "report.css").read_text())

    assert len(report) > 20
    assert set(report) <= set(page)


def test_no_shortage_is_lost_between_two_points_of_a_chart(outcome: Outcome) -> None:
    ready = np.full(len(outcome.foretide.course.ready), 100.0)
    ready[777] = 1.0  # short for one step of 15 s, in a chart whose points stand for more
    course = Course(ready, ready)
    short = replace(outcome, foretide=replace(outcome.foretide, course=course))
    rows = replica_rows(short, 0, len(ready))

    assert rows.each > timedelta(seconds=15)
    assert rows.plots[-1].drawing.count('class="short"') == 1


def test_the_day_that_is_looked_at_holds_the_greatest_shortage(outcome: Outcome) -> None:
    since, until = worst_day(outcome)
    load = outcome.trial.load[outcome.trial.begin :]
    shortage = load - 10 * outcome.reactive.hpa.course.ready

    assert since <= shortage.argmax() < until <= len(load)


def test_the_days_of_the_table_add_up_to_the_figures(outcome: Outcome) -> None:
    total = sum(figures[0][0] for _, figures in days(outcome))

    assert total == pytest.approx(outcome.reactive.hpa.score.replica_hours)
