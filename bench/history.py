"""What the history costs: grids in memory, and the store with 10,000 signals."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from agent.history.grid import History
from agent.history.sqlite import SqliteStore
from agent.history.store import StoredSample, StoreLimits
from agent.sources.source import Sample
from bench.figures import Figure

START = datetime(2026, 11, 8, tzinfo=UTC)
STEP = timedelta(seconds=15)
SIGNALS = 10_000
TICKS = 400  # past the 240 at which the shards are compacted, one per tick
LOADED = 14 * 5760  # samples of two weeks


def measure() -> list[Figure]:
    """Return CPU, times and sizes; takes about 20 s and 100 MB of disk."""
    return [*_grids(), *_ticks(), *_load()]


def _grids() -> list[Figure]:
    samples = [Sample(START + i * STEP, float(i % 97)) for i in range(20_000)]
    history = History(STEP, fine_span=timedelta(hours=6), coarse_span=timedelta(days=14))
    began = time.process_time()
    for sample in samples:
        history.append(sample, sample.at)
    append = (time.process_time() - began) / len(samples)
    return [
        Figure("history: append a sample", append * 1e6, "us CPU", 5.0),
        Figure("history: read 6 h of 15 s", _repeated(history.fine, 500) * 1e6, "us CPU", 30.0),
        Figure("history: read 14 d of 1 min", _repeated(history.coarse_mean, 500) * 1e6, "us CPU"),
    ]


def _ticks() -> list[Figure]:
    names = [f"ml/policy-{i:05}/demand" for i in range(SIGNALS)]
    values = np.random.default_rng(1).gamma(4.0, 30.0, SIGNALS).tolist()
    costs = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "foretide.db"
        store = SqliteStore(path, StoreLimits())
        for tick in range(TICKS):
            at = START + tick * STEP
            samples = [StoredSample(name, at, value) for name, value in zip(names, values, strict=True)]
            began = time.process_time()
            store.append_samples(samples)
            costs.append(time.process_time() - began)
        store.compact()
        compacted = _chunk_bytes(store)
        store.close()
        size = path.stat().st_size
    return [
        Figure("history: one tick of 10,000 signals, first", costs[0] * 1e3, "ms CPU"),
        Figure("history: one tick of 10,000 signals, median", statistics.median(costs) * 1e3, "ms CPU", 50.0),
        Figure("history: one tick of 10,000 signals, worst", max(costs[1:]) * 1e3, "ms CPU", 50.0),
        Figure("history: a sample in chunks", compacted / (SIGNALS * TICKS), "bytes"),
        Figure("history: a sample in the file, with the room for ticks", size / (SIGNALS * TICKS), "bytes"),
    ]


def _load() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "foretide.db", StoreLimits())
        for first in range(0, LOADED, 15):
            samples = [StoredSample("ml/chat/demand", START + i * STEP, 1.0) for i in range(first, first + 15)]
            store.append_samples(samples)
            if first % 240 == 225:  # an hour, as compaction leaves it
                store.compact()
        seconds = _repeated(lambda: store.load_samples("ml/chat/demand", since=START, step=STEP), 20)
        store.close()
    return [Figure("history: load 14 d of 15 s of one signal", seconds * 1e3, "ms CPU", 5.0)]


def _chunk_bytes(store: SqliteStore) -> int:
    rows = store._connection.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'chunk%'")  # noqa: SLF001
    return int(rows.fetchone()[0])


def _repeated(work: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times
