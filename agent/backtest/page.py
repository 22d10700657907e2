"""A backtest's outcome as one HTML file that asks for nothing else."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import BaseLoader, Environment, StrictUndefined
from markupsafe import Markup

from agent.backtest.backtest import Outcome
from agent.backtest.charts import cost_curve, days, replica_rows, shortage_curves, worst_day
from agent.backtest.score import Score
from agent.backtest.words import NAMES, assumptions, label, percent, verdict
from scalers.sentence import span

_COMPARED = ("hpa", "best_reactive", "foretide")


def report_page(outcome: Outcome) -> str:
    """Return the report."""
    here = files("agent.backtest")
    environment = Environment(
        loader=BaseLoader(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((here / "report.html").read_text("utf-8"))
    everything = replica_rows(outcome, 0, len(outcome.foretide.course.ready))
    day = replica_rows(outcome, *worst_day(outcome))
    return template.render(
        css=Markup((here / "report.css").read_text("utf-8")),  # noqa: S704 - our own file
        origin=outcome.question.origin,
        query=outcome.question.query,
        verdict=verdict(outcome),
        policies=[
            (label(name, outcome), played.score, name == "foretide") for name, played in outcome.policies.items()
        ],
        notices=outcome.notices,
        all=everything,
        each=span(everything.each),
        day=day,
        day_each=span(day.each),
        compared=[NAMES[name] for name in _COMPARED],
        days=days(outcome),
        shortage=shortage_curves(outcome),
        legend=[(name, label(name, outcome)) for name in _COMPARED],
        curve=cost_curve(outcome),
        swept=_swept(outcome),
        assumptions=assumptions(outcome),
        manifest=outcome.manifest,
    )


def _swept(outcome: Outcome) -> list[tuple[str, Score, bool]]:
    if not outcome.swept:
        return []
    ours = [(f"Foretide, risk {percent(100 * risk)}", played.score, True) for risk, played in outcome.swept.items()]
    theirs = [
        (f"reactive, target {percent(100 * target)}", played.score, False)
        for target, played in outcome.reactive.tried.items()
    ]
    return ours + theirs
