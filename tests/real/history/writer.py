"""A process that writes to a data directory and says after each tick that it is kept; to be killed."""

import itertools
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.clock import WallClock
from agent.history.ledger import Ledger
from agent.history.opening import open_store
from agent.history.store import StoredSample
from tests.fakes.history import decided

START = datetime(2026, 11, 22, tzinfo=UTC)
STEP = timedelta(seconds=15)
SIGNALS = 40


def answer_of(tick: int) -> float:
    """Rising and falling, within and across whole replicas."""
    return 10.0 + (tick * 7 % 23) / 4


def main(folder: str, first: int) -> None:
    store = open_store(Path(folder), clock=WallClock())
    ledger = Ledger(store)
    for tick in itertools.count(first):
        at = START + tick * STEP
        store.append_samples([StoredSample(f"s{i}", at, float(tick)) for i in range(SIGNALS)])
        store.put_state("ml/chat", "tick", json.dumps(tick).encode())
        ledger.record(decided(at, answer_of(tick)))
        print(tick, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
