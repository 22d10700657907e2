"""No secret leaves through a log line, however it is dressed; what is no secret stays readable."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.redaction import redact, redact_item, redact_text

SECRET = "s3cr3t-Hunter2"  # in no text by chance


@dataclass
class Login:
    user: str
    password: str


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://me:{SECRET}@prometheus:9090/api/v1/query",
        f"GET https://me:p@ss@{SECRET}@prometheus:9090",
        f"GET https://me:pa/ss{SECRET}@prometheus:9090/x",
        f"GET https://{SECRET}@prometheus/",
        f"postgresql://foretide:{SECRET}@db/foretide and https://a:{SECRET}@b",
        f"HTTPS://ME:{SECRET}@HOST",
        f"Authorization: Bearer {SECRET}",
        f"authorization: Digest username=me, response={SECRET}",
        f"{{'Authorization': 'Basic {SECRET}'}}",
        f"[('authorization', 'Bearer {SECRET}'), ('accept', '*/*')]",
        f"proxy-authorization={SECRET}",
        f"Set-Cookie: session={SECRET}; Path=/",
        f"server said: bearer {SECRET} is expired",
        f"basic {SECRET}==",
        f"https://host/x?access_token={SECRET}&b=1",
        f'{{"client_secret": "{SECRET}"}}',
        f'password="a \\" b {SECRET}"',
        f"PASSWORD = {SECRET}",
        f"X-Api-Key: {SECRET}",
        f"apiKey={SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET} and then it was cut",
        f"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.{SECRET}",
    ],
)
def test_a_marked_secret_in_text_is_taken_out(text: str) -> None:
    assert SECRET not in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "GET https://prometheus:9090/api/v1/query?query=sum(up)",
        "https://prometheus:9090/graph/@me",
        "mail ops@example.org",
        "sum(rate(vllm:prompt_tokens_total{app='chat'}[1m]))",
        "chat:prompt_tokens:rate5m is 12",
        "generation_tokens=250 per request",
        "bearer_token_file=/var/run/foretide/token",
        "policy ml/chat: raw need 10; the forecast is not used",
        "bearer token is missing",
        "the basic authentication of source default failed",
    ],
)
def test_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "key",
    ["Authorization", "password", "db_passwd", "bearerToken", "X-API-KEY", "client-secret", "cookie", "credentials"],
)
@pytest.mark.parametrize("value", [SECRET, 12345, [SECRET], {"inner": SECRET}, SECRET.encode()])
def test_a_key_that_names_a_secret_loses_its_value(key: str, value: object) -> None:
    assert redact_item(key, value) == "[redacted]"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bearer_token_file", "/etc/foretide/token"),
        ("passwordFile", "/etc/foretide/pw"),
        ("secretName", "prometheus-auth"),
        ("prompt_tokens", 512),
        ("tokenizer", "llama"),
        ("password", None),
    ],
)
def test_where_a_secret_lies_and_what_is_counted_stays(key: str, value: object) -> None:
    assert redact_item(key, value) == value


@pytest.mark.parametrize(
    "value",
    [
        {"source": {"auth": {"password": SECRET}}},
        [{"headers": [("Authorization", SECRET)]}],
        [(b"authorization", b"Bearer " + SECRET.encode())],
        {f"https://me:{SECRET}@host": 1},
        {f"Bearer {SECRET}"},
        Login(user="me", password=SECRET),
        ValueError(f"cannot reach https://me:{SECRET}@host"),
        f"password={SECRET}".encode(),
    ],
)
def test_a_nested_or_foreign_value_keeps_no_secret(value: object) -> None:
    assert SECRET not in json.dumps(redact(value))


def test_a_value_that_contains_itself_ends() -> None:
    loop: dict[str, object] = {"password": SECRET}
    loop["again"] = loop

    assert SECRET not in json.dumps(redact(loop))


@pytest.mark.parametrize("marked", [f"https://me:{SECRET}{'y' * 100}@host", f'password="a {SECRET}{"y" * 100}"'])
@pytest.mark.parametrize("before", range(15_950, 16_010, 3))
def test_a_secret_is_not_saved_by_being_cut(marked: str, before: int) -> None:
    assert SECRET not in redact_text("x" * before + " " + marked)


@pytest.mark.parametrize("piece", ["token", "http://", "a://u:", "eyJabcde-", 'password="', "a.", "-----BEGIN "])
def test_hostile_text_costs_no_more_than_a_long_line(piece: str) -> None:
    began = time.process_time()
    redact_text(piece * 100_000)

    assert time.process_time() - began < 0.5  # seconds; a pattern that backtracks takes minutes


def test_a_long_text_says_how_long_it_was() -> None:
    assert redact_text("x" * 20_000).endswith("… (20000 characters)")


def test_a_number_without_a_word_in_json_becomes_text() -> None:
    assert redact([float("nan"), float("inf"), 1.5]) == ["nan", "inf", 1.5]


@given(st.text(alphabet="abAB01 :/@=?&;,.'\"-_[](){}\n", max_size=80), st.text("/:?#@!x1", max_size=6))
def test_credentials_of_a_url_never_come_through_whatever_stands_around_them(around: str, odd: str) -> None:
    text = f"{around} https://user:{SECRET}{odd}@host {around}"

    assert SECRET not in redact_text(text)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=4)))
def test_what_comes_out_is_json_and_stays_the_same_when_taken_again(value: object) -> None:
    once = redact(value)

    json.dumps(once, allow_nan=False)
    assert redact(once) == once
