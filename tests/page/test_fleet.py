from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from scalers.policy import PolicyKey
from tests.fakes.book import Scene
from tests.page.conftest import Browser
from tests.page.served import ServedPage, served

NAMES = "return [...document.querySelectorAll('.fleet .c-name a')].map(a => a.textContent)"
FOCUSED = "return document.activeElement.dataset.key ?? document.activeElement.id"


def _names(browser: Browser) -> list[str]:
    names = browser.run(NAMES)
    assert isinstance(names, list)
    return names


def test_what_needs_a_person_stands_first(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url)
    browser.until(".fleet tbody tr")
    wanted = ["rerank", "events-enrich", "fraud-score", "moderation", "code-complete", "guardrails", "asr-stream"]
    assert _names(browser)[:7] == wanted


def test_the_fleet_is_summed_up_in_one_sentence(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url)
    summary = browser.until(".summary")
    assert summary == "20 policies: 14 trusted, 2 learning, 1 reactive, 2 holding for missing data, 1 in conflict."


def test_the_keyboard_filters_moves_and_opens(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url)
    browser.until(".fleet tbody tr")
    browser.press("/")
    assert browser.run(FOCUSED) == "q"
    browser.press("chat\ue00c")  # Esc leaves the filter
    browser.until(".tablefoot", "2 of 20 policies")
    browser.press("j")
    browser.press("j")
    assert browser.run(FOCUSED) == "ml/chat-long"
    browser.press("k")
    browser.press("\ue007")
    browser.until(".title h1", "chat")
    assert browser.driver.current_url == f"{page.url}/policies/ml/chat"


def test_a_filter_without_match_offers_the_nearest_name(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url)
    browser.until(".fleet tbody tr")
    browser.press("/")
    browser.press("chta")
    browser.until(".nothing", "No policy matches “chta”. Nearest name: chat.")
    browser.run("document.querySelector('.nothing .link').click()")
    browser.until_true("return document.querySelectorAll('.fleet .c-name a').length === 2")


def test_a_refresh_changes_numbers_in_place_and_keeps_the_focus(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url)
    browser.until(".fleet tbody tr")
    browser.press("j")
    before = _names(browser)
    page.clock.advance(timedelta(minutes=20))
    browser.until(".bar", "14:49:45")
    assert browser.run(FOCUSED) == "search/rerank"
    assert _names(browser) == before


def test_sorting_by_a_column_says_so_to_a_screen_reader(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url)
    browser.until(".fleet tbody tr")
    browser.run("document.querySelector('th.c-name button').click()")
    assert browser.run("return document.querySelector('th.c-name').ariaSort") == "ascending"
    assert _names(browser) == sorted(_names(browser))


def test_the_fleet_is_quiet_and_asks_nobody_but_the_agent(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url)
    browser.until_true("return document.querySelectorAll('.spark path').length > 20")
    assert [url for url in browser.requests() if not url.startswith((page.url, "data:"))] == []
    assert browser.complaints() == []


@pytest.mark.parametrize("width", [360, 640, 920, 1280])
def test_nothing_scrolls_sideways_at_any_width(browser: Browser, page: ServedPage, width: int) -> None:
    browser.open(page.url, width=width)
    browser.until(".fleet tbody tr")
    assert browser.run("return document.documentElement.scrollWidth") == width


@pytest.fixture
def crowd() -> Iterator[ServedPage]:
    scenes = tuple(Scene(PolicyKey("ml", f"policy-{number:03}")) for number in range(400))
    with served(scenes) as running:
        yield running


def test_of_a_long_list_only_what_is_in_view_is_drawn(browser: Browser, crowd: ServedPage) -> None:
    browser.open(crowd.url)
    browser.until(".tablefoot", "400 of 400 policies")
    drawn = len(_names(browser))
    assert 28 < drawn < 100
    browser.run("scrollTo(0, 6000)")
    browser.until_true("return document.querySelector('.fleet .c-name a').textContent > 'policy-100'")
    rows = "return document.querySelector('.fleet').getAttribute('aria-rowcount')"
    assert browser.run(rows) == "401"


@pytest.fixture
def nobody() -> Iterator[ServedPage]:
    with served(()) as running:
        yield running


def test_an_empty_fleet_says_what_to_do(browser: Browser, nobody: ServedPage) -> None:
    browser.open(nobody.url)
    browser.until(".nothing", "No ForecastPolicy yet. Start in Shadow: it recommends and changes nothing.")
