"""The backtest's report in a real browser, as a file: complete, quiet, and readable on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.backtest.backtest import backtest
from agent.backtest.page import report_page
from tests.fakes.backtest import Silent, hours, load_of, question
from tests.page.conftest import Browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report_page(backtest(load_of(hours(6)), question(query="sum(x)" * 30), Silent())))
    return file


@pytest.mark.parametrize("width", [1440, 360])
def test_the_report_complains_of_nothing_and_asks_for_nothing_but_itself(
    browser: Browser, report: Path, width: int
) -> None:
    browser.open(report.as_uri(), width=width)

    assert browser.complaints() == []
    assert set(browser.requests()) == {report.as_uri()}
    assert browser.run("return document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(16, 20, 23)")])
def test_the_report_follows_the_reader_s_scheme(browser: Browser, report: Path, scheme: str, ground: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.open(report.as_uri())

    assert browser.run("return getComputedStyle(document.body).backgroundColor") == ground
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
