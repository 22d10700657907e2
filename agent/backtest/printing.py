"""A backtest's outcome as JSON for a program, and as tables for people."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from agent.backtest.backtest import Outcome
from agent.backtest.score import Score
from agent.backtest.words import assumptions, label, percent, verdict


def as_json(outcome: Outcome) -> str:
    """Return the outcome as `{"policies": {…}, "manifest": "…"}` and what goes with it."""
    question = outcome.question
    document: dict[str, object] = {
        "policies": {name: asdict(played.score) for name, played in outcome.policies.items()},
        "manifest": outcome.manifest,
        "assumed": {
            "capacity": outcome.trial.workload.capacity,
            "startup_s": question.start_up.total_seconds(),
            "risk_pct": _percent(question.risk),
            "hpa_target_pct": _percent(question.target),
            "best_reactive_target_pct": _percent(outcome.best_target),
            "scored_since": outcome.trial.instant(outcome.trial.begin).isoformat(),
            "scored_until": outcome.trial.instant(len(outcome.trial.load)).isoformat(),
        },
        "notices": [asdict(notice) for notice in outcome.notices],
    }
    if outcome.swept:
        document["sweep"] = {
            "foretide": [
                {"risk_pct": _percent(risk), **asdict(played.score)} for risk, played in outcome.swept.items()
            ],
            "reactive": [
                {"target_pct": _percent(target), **asdict(played.score)}
                for target, played in outcome.reactive.tried.items()
            ],
        }
    return json.dumps(document, ensure_ascii=False)


def _percent(share: float) -> float:
    """Return a share that a person chose, in percent as written: 55, not 55.00000000000001."""
    return round(100 * share, 9)


def show(outcome: Outcome, console: Console) -> None:
    """Print the outcome for people."""
    console.print(Group(*_parts(outcome)), soft_wrap=False)
    console.print("\n[bold]Suggested manifest[/], with the risk that your HPA's shortage corresponds to\n")
    console.print(Text(outcome.manifest), soft_wrap=True)


def _parts(outcome: Outcome) -> list[RenderableType]:
    parts: list[RenderableType] = [policies_table(outcome), Text(verdict(outcome)), Text()]
    if outcome.swept:
        parts += [_sweep(outcome), Text()]
    parts += [_rows("What was assumed", assumptions(outcome))]
    if outcome.notices:
        parts += [Text(), _rows("Worth knowing", tuple((notice.title, notice.what) for notice in outcome.notices))]
    return parts


def policies_table(outcome: Outcome) -> Table:
    """Return the four policies with their figures."""
    table = _scores("The same load under each policy")
    for name, played in outcome.policies.items():
        table.add_row(label(name, outcome), *_figures(played.score), style="bold" if name == "foretide" else None)
    return table


def _sweep(outcome: Outcome) -> Table:
    table = _scores("Foretide at every risk, and reactive scaling at every target")
    for risk, played in outcome.swept.items():
        table.add_row(f"Foretide, risk {percent(100 * risk)}", *_figures(played.score))
    table.add_section()
    for target, played in outcome.reactive.tried.items():
        table.add_row(f"reactive, target {percent(100 * target)}", *_figures(played.score))
    return table


def _scores(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for heading in ("cost", "replica-hours", "unserved", "time short", "changes/h"):
        table.add_column(heading, justify="right")
    return table


def _figures(score: Score) -> tuple[str, ...]:
    return (
        f"{score.cost:.3f}",
        f"{score.replica_hours:,.0f}",
        percent(score.unserved_pct, 3),
        percent(score.short_pct, 2),
        f"{score.actions_per_h:.1f}",
    )


def _rows(title: str, rows: tuple[tuple[str, str], ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, what in rows:
        table.add_row(escape(name), escape(what))
    return table
