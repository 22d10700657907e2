from __future__ import annotations

from datetime import timedelta

import pytest

from tests.page.conftest import Browser
from tests.page.served import ServedPage

CHAT = "/policies/ml/chat"
PIXELS = "return document.querySelector('#{}-plot canvas').toDataURL()"


def test_the_answer_stands_first_in_one_sentence_with_its_arithmetic(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url + CHAT)
    sentence = browser.until(".decision p", "needed by")
    assert sentence == "14 replicas needed by 14:32: 159.3 by 14:32:15 needs 13.27; one replica serves 12."
    assert browser.until(".chain").startswith("159 ÷ 12 = 13.27raw need 10.94 is below")


@pytest.mark.parametrize("plot", ["demand", "replica"])
def test_the_charts_move_with_the_agents_time(browser: Browser, page: ServedPage, plot: str) -> None:
    browser.open(page.url + CHAT)
    browser.until_true(f"return document.querySelector('#{plot}-plot canvas') !== null")
    browser.until(".lane", "now 14:29:45")
    before = browser.run(PIXELS.format(plot))
    page.clock.advance(timedelta(minutes=4))
    browser.until(".lane", "now 14:33:45")
    assert browser.run(PIXELS.format(plot)) != before


def test_the_chart_draws_demand_in_ink_and_the_forecast_in_accent(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url + CHAT)
    browser.until(".lane", "now")
    count = """
        const canvas = document.querySelector('#demand-plot canvas'), wanted = arguments[0];
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let found = 0;
        for (let i = 0; i < data.length; i += 4) if (wanted.every((c, k) => data[i + k] === c)) found += 1;
        return found;
    """
    ink, accent = [0x15, 0x19, 0x1D], [0x0B, 0x66, 0xA0]
    assert browser.run(count, ink) > 200  # type: ignore[operator]
    assert browser.run(count, accent) > 200  # type: ignore[operator]


def test_the_page_is_quiet_and_asks_nobody_but_the_agent(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url + CHAT)
    browser.until(".ledger tbody tr")
    strangers = [url for url in browser.requests() if not url.startswith((page.url, "data:"))]
    assert strangers == []
    assert browser.complaints() == []


@pytest.mark.parametrize(("theme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(16, 20, 23)")])
def test_both_themes_are_there_from_the_start(browser: Browser, page: ServedPage, theme: str, ground: str) -> None:
    browser.open(page.url + CHAT, theme=theme)
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == ground


def test_t_changes_the_theme_and_the_charts_with_it(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url + CHAT, theme="light")
    browser.until(".lane", "now")
    before = browser.run(PIXELS.format("demand"))
    browser.press("t")
    browser.until("#theme", "Theme: dark")
    assert browser.run("return document.documentElement.dataset.theme") == "dark"
    browser.until_true(f"return document.querySelector('#demand-plot canvas').toDataURL() !== {before!r}")


def test_nothing_scrolls_sideways_at_360_px(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url + CHAT, width=360)
    browser.until(".ledger tbody tr")
    assert browser.run("return document.documentElement.scrollWidth") == 360


def test_a_past_decision_shows_its_whole_record(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url + CHAT)
    browser.until(".ledger tbody tr")
    browser.press("\ue012")  # arrow left: the decision before
    record = browser.until("tr.inputs", "--at 2026-11-17T14:28:30Z")
    assert "From need to answer" in record
    browser.press("\ue010")  # End: the newest
    browser.until("tr.inputs", "--at 2026-11-17T14:29:45Z")


def test_the_demo_shows_cost_beside_shortage(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url + CHAT)
    words = browser.until(".side section", "Same load, two ways")
    assert [row for row in ("Replica-hours", "Time short", "Requests unserved") if row not in words] == []


def test_trust_names_who_answers_and_what_it_buys_beside_its_shortage(browser: Browser, page: ServedPage) -> None:
    browser.open(f"{page.url}/policies/ml/translate")
    words = browser.until(".side section .bought", "answers since").replace("\u202f", " ")
    assert words == (
        "harmonic at 77% answers since 13:57:15"
        "16 % fewerreplicas, short 0.4 % of the time"
        "In the simulation of the last 5 d 22 h: 8.1 replicas where reactive at 55% takes 9.6; "
        "short 0.4 % of the time where that is 0.6 %; risk 1 %."
    )
    assert browser.until(".side .bought + table tr.on") == "harmonic answers0.84"


def test_a_reactive_answer_says_why_no_forecast_does(browser: Browser, page: ServedPage) -> None:
    browser.open(f"{page.url}/policies/vision/moderation")
    words = browser.until(".side section .bought", "reactive at 55% answers since")
    assert "no forecast has cost less and kept the risk" in words


def test_the_same_numbers_are_there_as_a_table(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url + CHAT)
    browser.until(".head .link", "Show as table")
    browser.run("[...document.querySelectorAll('.head .link')].find(b => b.textContent === 'Show as table').click()")
    assert browser.run("return document.querySelectorAll('.numbers tbody tr').length") > 20  # type: ignore[operator]


@pytest.mark.parametrize(
    ("policy", "lead"),
    [
        ("ml/code-complete", "11 replicas by raw need:"),
        ("batch/events-enrich", "7 replicas are held:"),
        ("risk/fraud-score", "No answer is given:"),
        ("search/rerank", "The raw need is answered:"),
        ("vision/moderation", "11 replicas needed now:"),
        ("vision/caption", "6 replicas would be needed by 14:32:"),
    ],
)
def test_every_state_has_its_words(browser: Browser, page: ServedPage, policy: str, lead: str) -> None:
    browser.open(f"{page.url}/policies/{policy}")
    assert browser.until(".decision p b", lead) == lead


def test_a_mistyped_policy_leads_to_the_nearest(browser: Browser, page: ServedPage) -> None:
    browser.open(f"{page.url}/policies/ml/chta")
    browser.until(".nothing", "There is no policy ml/chta. Nearest name: ml/chat.")


def test_an_agent_that_stops_answering_is_said_and_its_last_picture_stays(browser: Browser, page: ServedPage) -> None:
    browser.open(page.url + CHAT)
    browser.until(".decision p", "needed by")
    page.stop()
    banner = browser.until(".banner", "No answer from the agent since")
    assert "This is the picture of 14:29:45." in banner
    assert "needed by 14:32" in browser.until(".decision p")
