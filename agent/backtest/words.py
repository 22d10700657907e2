"""What a backtest says, in the terminal and in its report."""

from __future__ import annotations

from datetime import timedelta

from agent.backtest.backtest import Outcome
from agent.backtest.load import SYNC
from scalers.sentence import number, span

NAMES = {
    "hpa": "HPA as it is",
    "best_reactive": "Best reactive",
    "foretide": "Foretide",
    "perfect": "Future known",
}


def label(policy: str, outcome: Outcome) -> str:
    """Return a policy's name with what is set on it."""
    settings = {
        "hpa": f", target {percent(100 * outcome.question.target)}",
        "best_reactive": f", target {percent(100 * outcome.best_target)}",
        "foretide": f", risk {percent(100 * outcome.question.risk)}",
        "perfect": "",
    }
    return NAMES[policy] + settings[policy]


def percent(value: float, digits: int | None = None) -> str:
    """Return a percentage, with a narrow space that does not break before the sign."""
    return f"{number(value) if digits is None else f'{value:.{digits}f}'}\N{NARROW NO-BREAK SPACE}%"


def verdict(outcome: Outcome) -> str:
    """Return the outcome in one or two sentences: cost never without shortage."""
    foretide, hpa, best = (outcome.policies[name].score for name in ("foretide", "hpa", "best_reactive"))
    saved = 100 * (1 - foretide.replica_hours / hpa.replica_hours)
    against_best = outcome.saved_pct
    return (
        f"Foretide at a risk of {percent(100 * outcome.question.risk)} would have paid {_change(saved)} than the HPA at"
        f" {percent(100 * outcome.question.target)}, with {percent(foretide.unserved_pct, 3)} of the demand unserved"
        f" instead of {percent(hpa.unserved_pct, 3)}. The cheapest reactive target that leaves no more than Foretide"
        f" unserved, found in hindsight, is {percent(100 * outcome.best_target)}"
        + (
            f": Foretide costs {_change(against_best)}."
            if best.unserved_pct <= foretide.unserved_pct
            else f"; none leaves as little, and the one that comes closest leaves {percent(best.unserved_pct, 3)}."
        )
    )


def assumptions(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    """Return what the figures rest on, as name and sentence."""
    question, trial = outcome.question, outcome.trial
    hpa, scored = question.hpa, len(trial.load) - trial.begin
    begin, end = trial.instant(trial.begin), trial.instant(len(trial.load))
    capacity = number(trial.workload.capacity)
    return (
        ("Past", f"{question.origin}" + (f", {question.query}" if question.query else "")),
        (
            "Scored",
            f"{span(scored * SYNC)} from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC; the"
            f" {span(trial.begin * SYNC)} before are the history that decisions may use",
        ),
        (
            "Capacity",
            f"one replica serves {capacity}"
            + (
                ""
                if question.capacity
                else ", by which 30 replicas serve 99.9 % of the history; say yours with --capacity"
            ),
        ),
        ("Start-up", f"a pod serves {span(question.start_up)} after it was created, and is paid for from its creation"),
        (
            "Metric",
            f"the mean over {span(question.view.window)}, {span(question.view.lag)} late, for every policy alike",
        ),
        (
            "HPA",
            f"{hpa.minimum} to {hpa.maximum} replicas, tolerance {percent(100 * hpa.tolerance_up)}, scaling in after"
            f" {span(hpa.stabilization)}, up by at most 100 % or 4 pods per 15 s",
        ),
        (
            "Unserved",
            "demand above the capacity of the ready replicas, step by step of 15 s; nothing queues and nothing retries",
        ),
        (
            "Cost",
            "paid replicas over the fewest that serve everything when the future is known, which is the row of 1.000",
        ),
    )


def hours(outcome: Outcome) -> float:
    """Return the length of the scored part in hours."""
    return (len(outcome.trial.load) - outcome.trial.begin) * (SYNC / timedelta(hours=1))


def _change(saved_pct: float) -> str:
    size = percent(abs(saved_pct), 1)
    return f"{size} less" if saved_pct >= 0 else f"{size} more"
