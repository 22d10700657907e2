"""Chromium over the built page and an invented book; skipped, with the reason, where either is missing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from dashboards import page_directory
from tests.page.served import ServedPage, served

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
PATIENCE_SECONDS = 10
CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")


class Browser:
    """Chromium, and what it asked for and complained about since a page was opened."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str, *, width: int = 1440, theme: str = "light") -> None:
        """Open a page at a width, in a theme, and wait for its first picture."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        chosen = f"localStorage.setItem('foretide-theme', {json.dumps(theme)})"
        script = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": chosen})
        self.requests()
        self.complaints()
        self.driver.get(url)
        self.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
        self.until("main *")

    def run(self, script: str, *arguments: object) -> object:
        return self.driver.execute_script(script, *arguments)  # type: ignore[no-untyped-call]  # selenium's own

    def until(self, selector: str, text: str = "") -> str:
        """Wait until an element is there and its text contains some words; return the whole text."""
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent).join('\\n') || null"

        def shown(_: object) -> str | None:
            found = self.run(script, selector)
            return found if isinstance(found, str) and text in found else None

        found = WebDriverWait(self.driver, PATIENCE_SECONDS, poll_frequency=0.1).until(
            shown, f"{selector!r} with {text!r}"
        )
        assert isinstance(found, str)
        return found

    def until_true(self, script: str) -> None:
        """Wait until a script returns something true."""
        WebDriverWait(self.driver, PATIENCE_SECONDS, poll_frequency=0.1).until(lambda _: self.run(script), script)

    def press(self, key: str) -> None:
        """Press a key on whatever has the focus."""
        webdriver.ActionChains(self.driver).send_keys(key).perform()

    def complaints(self) -> list[str]:
        """Return what was written to the console, CSP reports included, and forget it."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def requests(self) -> list[str]:
        """Return the addresses that the page asked for, and forget them."""
        entries = self.driver.get_log("performance")  # type: ignore[no-untyped-call]  # selenium's own
        events = [json.loads(entry["message"])["message"] for entry in entries]
        return [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("no chromium and chromedriver (Debian: chromium, chromium-driver): the page is not looked at")
    if page_directory() is None:
        pytest.skip("the page is not built (make page): the page is not looked at")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser(driver: webdriver.Chrome) -> Iterator[Browser]:
    yield Browser(driver)
    driver.get("about:blank")


@pytest.fixture
def page() -> Iterator[ServedPage]:
    with served() as running:
        yield running
