"""The agent's KEDA server over the agent's board, without the agent: so that what streams cost can be told.

Prints its port; each line on standard input, "true" or "false", is published as the activity of ml/policy-0.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta

import agent.cli  # noqa: F401 - tells gRPC what the commands tell it, before it is loaded
from agent.clock import WallClock
from agent.memory import share_one_heap
from agent.wiring import build_keda_server, build_parts
from scalers.keda.board import Answer
from scalers.policy import PolicyKey


def main() -> None:
    share_one_heap()
    parts = build_parts(clock=WallClock(), data_dir=None)
    server = build_keda_server(parts, drain=timedelta(0))
    key = PolicyKey("ml", "policy-0")
    parts.board.publish(key, Answer(10.7, is_active=False, reason="first"), valid_for=timedelta(hours=1))
    print(json.dumps({"port": server.start("127.0.0.1:0")}), flush=True)
    for line in sys.stdin:
        began = time.time_ns()
        answer = Answer(10.7, is_active=line.strip() == "true", reason="told")
        parts.board.publish(key, answer, valid_for=timedelta(hours=1))
        print(json.dumps({"published_ns": began}), flush=True)


if __name__ == "__main__":
    main()
