"""What agents tell each other, in the proto's messages and in ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from agent.cluster.peers.proto import peers_pb2 as proto
from agent.history.chunks import LARGEST_FLOAT32, MICROSECOND, instant_of, microseconds
from agent.history.store import StoredDecision, StoredSample
from agent.snapshot import Condition
from agent.told import Told
from forecasters.series import Series
from scalers.decision import Decision
from scalers.jobs import JobsWanted
from scalers.keda.board import Answer
from scalers.policy import PolicyKey

# for people; not read where it has another form, so that an upgrade can change it
_SHOWN = tuple[Decision | None, tuple[Condition, ...]]
_SAMPLES_A_PAGE = 20_000  # 240 KiB


def samples_message(samples: Iterable[StoredSample]) -> proto.Page:
    """Return a page with samples, by signal."""
    columns: dict[str, proto.Samples] = {}
    page = proto.Page()
    for sample in samples:
        if sample.signal not in columns:
            columns[sample.signal] = page.samples.add(signal=sample.signal)
        columns[sample.signal].at_us.append(microseconds(sample.at))
        columns[sample.signal].values.append(min(sample.value, LARGEST_FLOAT32))
    return page


def series_messages(signal: str, series: Series) -> list[proto.Page]:
    """Return pages with one signal's samples; gaps are left out."""
    (known,) = np.nonzero(np.isfinite(series.values))
    start, step = microseconds(series.start), series.step // MICROSECOND
    at, values = start + known * step, series.values[known]
    return [
        proto.Page(samples=[proto.Samples(signal=signal, at_us=at[i:j].tolist(), values=values[i:j].tolist())])
        for i, j in ((first, first + _SAMPLES_A_PAGE) for first in range(0, len(at), _SAMPLES_A_PAGE))
    ]


def state_message(owner: str, name: str, body: bytes) -> proto.Page:
    """Return a page with one state."""
    return proto.Page(states=[proto.State(owner=owner, name=name, body=body)])


def rows_message(rows: Sequence[StoredDecision]) -> proto.Page:
    """Return a page with rows of the ledger, in their order."""
    return proto.Page(
        decisions=[
            proto.DecisionRow(
                policy=row.policy,
                since_us=microseconds(row.since),
                until_us=microseconds(row.until),
                count=row.count,
                body=row.body,
            )
            for row in rows
        ]
    )


def samples_of(page: proto.Page) -> list[StoredSample]:
    """Return a page's samples."""
    return [
        StoredSample(samples.signal, instant_of(at), value)
        for samples in page.samples
        for at, value in zip(samples.at_us, samples.values, strict=True)
    ]


def rows_of(page: proto.Page) -> list[StoredDecision]:
    """Return a page's rows of the ledger."""
    return [
        StoredDecision(row.policy, instant_of(row.since_us), instant_of(row.until_us), row.count, row.body)
        for row in page.decisions
    ]


def answer_message(told: Told) -> proto.Answer:
    """Return an answer as it is told now."""
    answer, jobs = told.answer, told.answer.jobs
    return proto.Answer(
        namespace=told.key.namespace,
        name=told.key.name,
        replicas=answer.replicas,
        is_active=answer.is_active,
        reason=answer.reason,
        is_at_zero=answer.at_zero,
        jobs=None if jobs is None else jobs.jobs,
        jobs_valid_seconds=0.0 if jobs is None else jobs.valid_for.total_seconds(),
        age_seconds=told.age.total_seconds(),
        valid_seconds=told.valid_for.total_seconds(),
        shown=msgspec.msgpack.encode((told.decision, told.conditions)),
    )


def told_of(message: proto.Answer) -> Told:
    """Return an answer as it was told.

    Raises:
        ValueError: its replicas are no number of replicas.
    """
    decision, conditions = _shown(message.shown)
    jobs = None
    if message.HasField("jobs"):
        jobs = JobsWanted(message.jobs, timedelta(seconds=message.jobs_valid_seconds))
    return Told(
        key=PolicyKey(message.namespace, message.name),
        answer=Answer(
            replicas=message.replicas if message.HasField("replicas") else None,
            is_active=message.is_active,
            reason=message.reason,
            at_zero=message.is_at_zero if message.HasField("is_at_zero") else None,
            jobs=jobs,
        ),
        age=timedelta(seconds=max(0.0, message.age_seconds)),
        valid_for=timedelta(seconds=message.valid_seconds),
        decision=decision,
        conditions=conditions,
    )


def complete_until(message: proto.Position) -> datetime | None:
    """Return from when on a follower's copy may lack something; None where it has none."""
    return instant_of(message.complete_until_us) if message.complete_until_us > 0 else None


def _shown(body: bytes) -> tuple[Decision | None, tuple[Condition, ...]]:
    try:
        decision, conditions = msgspec.msgpack.decode(body, type=_SHOWN)
    except (msgspec.DecodeError, ValueError):
        return None, ()
    return decision, conditions
