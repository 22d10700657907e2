"""The page over the real demo: what `make demo` shows."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.page.conftest import Browser

PIXELS = "return document.querySelector('#demand-plot canvas').toDataURL()"


@pytest.fixture
def demo() -> Iterator[str]:
    """The address of a running demo, fast enough that a minute of it passes in a second."""
    command = [sys.executable, "-m", "agent", "demo", "--speed", "60"]
    command += ["--http-address", "127.0.0.1:0", "--grpc-address", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            address = re.fullmatch(r"the page: (http://\S+)\n", process.stdout.readline())
            assert address is not None
            yield address[1]
        finally:
            process.terminate()


def test_chromium_sees_the_demos_chart_move_and_the_decision_in_words(browser: Browser, demo: str) -> None:
    browser.open(f"{demo}/policies/demo/chat")
    sentence = browser.until(".decision p", "needed")
    assert "one replica serves 12" in sentence or "now needs" in sentence
    browser.until_true("return document.querySelector('#demand-plot canvas') !== null")
    first, before = browser.until(".lane", "now"), browser.run(PIXELS)
    browser.until_true(f"return document.querySelector('.lane').textContent !== {first!r}")
    browser.until_true(f"{PIXELS} !== {before!r}")
    assert browser.until("main", "HPA at 70") is not None
    assert browser.complaints() == []
