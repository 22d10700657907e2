"""The objectives by which capacities are learned: does each query give what its limit is held against."""

from __future__ import annotations

from datetime import datetime

from agent.doctor.finding import Finding, Level
from agent.policy import Demand, ForecastPolicy, lessons, signals_by_name
from agent.policy.objectives import Question
from agent.sources.source import SignalState, SourceError
from agent.sources.table import SourceTable
from scalers.capacity.objective import Sense
from scalers.sentence import number

# A share of no requests, and a quantile of none, are not numbers: nothing is wrong with a service that is idle.
_MAY_COME = frozenset({SignalState.EMPTY, SignalState.NOT_A_NUMBER})


async def check_objectives(document: ForecastPolicy, sources: SourceTable, *, now: datetime) -> list[Finding]:
    """Ask for every objective that a capacity is learned by; none is asked for where capacities are declared."""
    demands, namespace, findings = signals_by_name(document), document.key.namespace, []
    for name, lesson in lessons(document).items():
        if lesson.trouble:
            what, _, mend = lesson.trouble.partition(": ")
            check = f"policy {document.key}: {name}: capacity"
            findings.append(Finding(check, Level.WARN, f"it cannot be learned: {what}", mend))
        for question in lesson.questions:
            check = f"policy {document.key}: {name}: objective {question.objective}"
            findings.append(await _asked(check, question, demands[name], sources, namespace=namespace, now=now))
    return findings


async def _asked(
    check: str, question: Question, signal: Demand, sources: SourceTable, *, namespace: str, now: datetime
) -> Finding:
    try:
        reading = await sources.open_query(signal, question.query, namespace=namespace).latest(now)
    except SourceError as error:
        level = Level.WARN if error.state in _MAY_COME else Level.FAIL
        return Finding(check, level, f"{error.state}: {error}; nothing is learned meanwhile", error.mend)
    limit, value = question.limit, reading.sample.value
    kept = "kept" if limit.is_kept(value) else "missed"
    side = "at most" if limit.sense is Sense.AT_MOST else "at least"
    return Finding(check, Level.OK, f"{number(value)} now, {kept}: {side} {number(limit.value)}")
