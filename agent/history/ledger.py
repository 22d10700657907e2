"""The decision ledger: a stream of decisions as rows, one per run of decisions that are alike.

What KEDA may have seen must not be forgotten by a kill -9, so `record` comes before the board publishes and returns
only when the newest row of the store has an answer that is not below the recorded one: it writes where a run begins
(other basis, clamps, replicas, model, or another number of whole replicas), and within a run wherever the answer passes
that of the run's row. A run that goes on below it is written every `flush_every`, for its end and count. So a restart
may take the last answer for higher than it was, by less than one replica, and never for lower.
"""

from __future__ import annotations

import json
import math
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent.history.decision_json import decision_to_json
from agent.history.store import Store, StoredDecision
from agent.snapshot import DecisionRun
from scalers.decision import Decision
from scalers.policy import PolicyKey

__all__ = ["Ledger", "decision_to_json"]

FLUSH_EVERY = timedelta(seconds=60)  # how much of a run's end a crash may take
SEARCHED_ROWS = 50  # for the last answer, over rows that are refusals
_EVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Run:
    """Decisions that are alike, the newest of them, and what the store has of it."""

    since: datetime
    newest: Decision
    count: int
    written: Decision | None = None  # the one in the store's row

    @property
    def is_written(self) -> bool:
        return self.written is self.newest

    def must_be_written(self, flush_every: timedelta) -> bool:
        if self.written is None or self.newest.at - self.written.at >= flush_every:
            return True
        return _answer(self.newest) > _answer(self.written)

    def row(self) -> StoredDecision:
        body = json.dumps(decision_to_json(self.newest), allow_nan=False, separators=(",", ":")).encode()
        return StoredDecision(str(self.newest.key), self.since, self.newest.at, self.count, body)


class Ledger:
    """Every policy's decisions, newest runs in memory and all of them in the store; usable from any thread."""

    def __init__(self, store: Store, *, flush_every: timedelta = FLUSH_EVERY) -> None:
        self._store = store
        self._flush_every = flush_every
        self._lock = threading.Lock()
        self._runs: dict[PolicyKey, _Run] = {}
        self._answers: dict[PolicyKey, tuple[float, datetime]] = {}

    def record(self, *decisions: Decision) -> None:
        """Take in decisions of one tick, one per policy; what must be in the store is there on return."""
        with self._lock:
            self._write([run for decision in decisions for run in self._taken(decision)])

    def flush(self) -> None:
        """Write every run as it is now; for a graceful stop."""
        with self._lock:
            self._write([run for run in self._runs.values() if not run.is_written])

    def rows(self, key: PolicyKey, *, since: datetime, until: datetime, limit: int) -> tuple[DecisionRun, ...]:
        """Return runs that touch [since, until], newest first, the one that goes on as it is now."""
        with self._lock:
            run = self._runs.get(key)
            stored = self._store.decisions(str(key), since=since, until=until, limit=limit)
            current = None if run is None or run.newest.at < since or run.since > until else run.row()
        if current is not None:
            stored = [current, *(row for row in stored if row.since != current.since)][:limit]
        return tuple(DecisionRun(row.since, row.until, row.count, json.loads(row.body)) for row in stored)

    def last_answer(self, key: PolicyKey) -> tuple[float, datetime] | None:
        """Return the last answer of a policy and its instant, also that of an earlier process; None without one.

        After a kill -9 it is the answer of the last row in the store, which may be less than one replica too high.
        """
        with self._lock:
            if key not in self._answers:
                found = self._stored_answer(key)
                if found is None:
                    return None
                self._answers[key] = found
            return self._answers[key]

    def forget(self, key: PolicyKey) -> None:
        """Drop what memory holds of a policy that is gone; its rows in the store are the store's to forget."""
        with self._lock:
            self._runs.pop(key, None)
            self._answers.pop(key, None)

    def _taken(self, decision: Decision) -> list[_Run]:
        """Add a decision to its run, or begin one; return the runs that the store must hear of, oldest first."""
        if decision.answer is not None:
            self._answers[decision.key] = decision.answer, decision.at
        run = self._runs.get(decision.key)
        if run is not None and _are_alike(run.newest, decision):
            run.newest, run.count = decision, run.count + 1
            return [run] if run.must_be_written(self._flush_every) else []
        begun = self._runs[decision.key] = _Run(decision.at, decision, 1)
        return [begun] if run is None or run.is_written else [run, begun]

    def _write(self, runs: list[_Run]) -> None:
        if runs:
            self._store.put_decision(*(run.row() for run in runs))
        for run in runs:
            run.written = run.newest

    def _stored_answer(self, key: PolicyKey) -> tuple[float, datetime] | None:
        since, until = _EVER
        for row in self._store.decisions(str(key), since=since, until=until, limit=SEARCHED_ROWS):
            answer = json.loads(row.body)["answer"]
            if answer is not None:
                return float(answer), row.until
        return None


def _are_alike(earlier: Decision, later: Decision) -> bool:
    """Whether two decisions say the same to an operator; time that goes back begins a new run."""
    return earlier.at <= later.at and _likeness(earlier) == _likeness(later)


def _likeness(decision: Decision) -> tuple[object, ...]:
    return (
        decision.basis,
        tuple(clamp.name for clamp in decision.clamps),
        None if decision.answer is None else math.ceil(decision.answer),
        decision.replicas,
        tuple(signal.peak.model for signal in decision.signals if signal.peak is not None and signal.distrust is None),
    )


def _answer(decision: Decision) -> float:
    return -math.inf if decision.answer is None else decision.answer
