"""A server process for the tests: the real board and server, driven by JSON lines.

It prints {"port": N} when it listens. Each line on its standard input publishes one answer:
{"policy": "chat", "replicas": 10.7, "active": true, "at_zero": null, "reason": "...", "valid_for": 60}; a line
{"register": "chat"} only makes a policy known. Each is acknowledged with a line. SIGTERM stops it gracefully.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from datetime import timedelta

from agent.board import Board
from scalers.keda.board import Answer
from scalers.keda.server import KedaServer, ServerSettings
from scalers.policy import PolicyKey
from tests.fakes.rpcs import RecordedRpcs


def take(board: Board, line: str) -> None:
    order = json.loads(line)
    if "register" in order:
        board.register(PolicyKey("ml", order["register"]))
        return
    answer = Answer(order["replicas"], order.get("active", False), order.get("reason", ""), order.get("at_zero"))
    board.publish(PolicyKey("ml", order["policy"]), answer, valid_for=timedelta(seconds=order.get("valid_for", 3600)))


def follow(board: Board) -> None:
    for line in sys.stdin:
        take(board, line)
        print(json.dumps({"done": True}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drain", type=float, default=0.5, help="seconds")
    options = parser.parse_args()
    board = Board()
    server = KedaServer(board, RecordedRpcs(), ServerSettings(drain_delay=timedelta(seconds=options.drain)))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(json.dumps({"port": server.start("127.0.0.1:0")}), flush=True)
    threading.Thread(target=follow, args=(board,), daemon=True).start()
    stop.wait()
    server.stop(timedelta(seconds=5))


if __name__ == "__main__":
    main()
