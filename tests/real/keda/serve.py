"""A server process for the tests: the real board and server, driven by JSON lines.

It prints {"port": N} when it listens. Each line on its standard input publishes one answer:
{"policy": "chat", "replicas": 10.7, "active": true, "at_zero": null, "reason": "...", "valid_for": 60}; a line
{"register": "chat"} only makes a policy known, and {"tell": "rpcs"} asks what was heard of RPCs since the start,
{"tell": "memory"} how many bytes and open files the process has. Each is acknowledged with a line. SIGTERM stops it
gracefully.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import replace
from datetime import timedelta

import psutil

import agent.cli  # noqa: F401 - sets gRPC up as for all commands, which has to come before gRPC
from agent.board import Board
from agent.memory import give_back, share_one_heap
from scalers.jobs import JobsWanted
from scalers.keda.board import Answer
from scalers.keda.limits import Limits
from scalers.keda.server import KedaServer, ServerSettings
from scalers.keda.streams import StreamSettings
from scalers.policy import PolicyKey
from tests.fakes.rpcs import RecordedRpcs


def take(board: Board, rpcs: RecordedRpcs, line: str) -> dict[str, object]:
    """Follow an order, and return what to say of it."""
    order = json.loads(line)
    if order.get("tell") == "memory":
        give_back()  # as the agent does every ten minutes
        memory = psutil.Process().memory_info().rss
        return {"memory": memory, "files": psutil.Process().num_fds()}
    if "tell" in order:
        return {"handled": rpcs.handled, "opened": rpcs.opened, "closed": rpcs.closed, "exceeded": rpcs.exceeded}
    if "register" in order:
        board.register(PolicyKey("ml", order["register"]))
        return {"done": True}
    jobs = JobsWanted(order["jobs"], timedelta(minutes=1)) if "jobs" in order else None
    answer = Answer(
        order["replicas"], order.get("active", False), order.get("reason", ""), order.get("at_zero"), jobs=jobs
    )
    board.publish(PolicyKey("ml", order["policy"]), answer, valid_for=timedelta(seconds=order.get("valid_for", 3600)))
    return {"done": True}


def follow(board: Board, rpcs: RecordedRpcs) -> None:
    for line in sys.stdin:
        print(json.dumps(take(board, rpcs, line)), flush=True)


def main() -> None:
    share_one_heap()
    parser = argparse.ArgumentParser(description=__doc__)
    times = {"drain": 0.5, "patience": 2.0, "keepalive": 30.0, "age": 900.0, "stream-age": 900.0}
    for name, default in times.items():
        parser.add_argument(f"--{name}", type=float, default=default, help="seconds")
    for name in ("calls-per-second", "calls-at-once"):
        parser.add_argument(f"--{name}", type=int, default=100_000)
    options = parser.parse_args()
    board, rpcs = Board(), RecordedRpcs()
    settings = ServerSettings(
        drain_delay=timedelta(seconds=options.drain),
        patience=timedelta(seconds=options.patience),
        keepalive=timedelta(seconds=options.keepalive),
        connection_age=timedelta(seconds=options.age),
        streams=StreamSettings(age=timedelta(seconds=options.stream_age)),
        limits=replace(Limits(), calls_per_second=options.calls_per_second, calls_at_once=options.calls_at_once),
    )
    server = KedaServer(board, rpcs, settings)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(json.dumps({"port": server.start("127.0.0.1:0")}), flush=True)
    threading.Thread(target=follow, args=(board, rpcs), daemon=True).start()
    stop.wait()
    server.stop(timedelta(seconds=5))


if __name__ == "__main__":
    main()
