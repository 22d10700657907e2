"""`foretide demo` as people start it: a process of its own, with real fits, a real server and a real channel."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from urllib.request import urlopen

import psutil
import pytest

pytestmark = pytest.mark.real
FORETIDE = (sys.executable, "-c", "from agent.cli import main; main()")


def test_one_day_costs_little_more_than_the_hpa_and_leaves_no_more_unserved() -> None:
    done = subprocess.run(
        [*FORETIDE, "demo", "--once", "--json"], capture_output=True, text=True, timeout=120, check=True
    )

    sides = json.loads(done.stdout)
    reactive, foretide = sides["reactive"], sides["foretide"]
    assert set(reactive) == set(foretide) == {"replica_hours", "unserved_pct", "short_pct", "actions_per_h"}
    assert 0 < foretide["unserved_pct"] <= reactive["unserved_pct"]
    assert foretide["replica_hours"] <= 1.1 * reactive["replica_hours"]
    assert done.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_page_cleanly_and_leaves_no_process(number: signal.Signals) -> None:
    with subprocess.Popen(
        [*FORETIDE, "demo", "--http-address", "127.0.0.1:0", "--grpc-address", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as demo:  # fmt: skip
        assert demo.stdout is not None
        page = re.fullmatch(r"the page: (http://127\.0\.0\.1:\d+)\n", demo.stdout.readline())
        assert page is not None
        until_comparing(page[1])
        children = psutil.Process(demo.pid).children(recursive=True)

        demo.send_signal(number)
        _, complaints = demo.communicate(timeout=20)

    assert demo.returncode == 0
    assert "Traceback" not in complaints
    assert children  # the fit worker
    assert not psutil.wait_procs(children, timeout=5)[1]


def until_comparing(page: str) -> None:
    """Wait until the live days have begun: both sides have figures."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urlopen(f"{page}/api/v1/policies/demo/chat/comparison", timeout=5) as reply:
                if json.load(reply)["need"]:
                    return
        except OSError:
            time.sleep(0.2)
    pytest.fail("no comparison within 60 s")
