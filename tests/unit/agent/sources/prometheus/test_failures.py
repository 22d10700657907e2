from __future__ import annotations

import ssl

import pytest
import requests
from urllib3.exceptions import MaxRetryError

from agent.sources.prometheus.failures import Refusal, from_exception, from_refusal, shorten
from agent.sources.source import SignalState


@pytest.mark.parametrize(
    ("refusal", "state", "is_retriable"),
    [
        (Refusal(400, "bad_data", "parse error"), SignalState.BAD_QUERY, False),
        (Refusal(401, "", ""), SignalState.UNAUTHORIZED, False),
        (Refusal(403, "", ""), SignalState.UNAUTHORIZED, False),
        (Refusal(422, "execution", "too many samples"), SignalState.BAD_QUERY, False),
        (Refusal(422, "execution", "context deadline exceeded"), SignalState.TIMED_OUT, True),
        (Refusal(503, "timeout", "query timed out"), SignalState.TIMED_OUT, True),
        (Refusal(301, "", ""), SignalState.REFUSED, False),
        (Refusal(404, "", ""), SignalState.REFUSED, False),
        (Refusal(429, "", ""), SignalState.REFUSED, True),
        (Refusal(500, "", ""), SignalState.UNAVAILABLE, True),
        (Refusal(504, "", ""), SignalState.UNAVAILABLE, True),
    ],
)
def test_a_refusal_has_a_state_by_its_status(refusal: Refusal, state: SignalState, is_retriable: bool) -> None:
    error = from_refusal("source default: query q", refusal)

    assert (error.state, error.is_retriable) == (state, is_retriable)
    assert error.mend


def test_a_servers_own_words_are_told_on_one_line() -> None:
    error = from_refusal("source default: query q", Refusal(400, "bad_data", "1:5: parse error:\n unexpected end"))

    assert str(error) == "source default: query q: HTTP 400: 1:5: parse error: unexpected end"


def test_an_untrusted_certificate_names_the_authority_file() -> None:
    cause = MaxRetryError(None, "/", ssl.SSLCertVerificationError(1, "self-signed certificate"))  # type: ignore[arg-type]
    error = from_exception("source default", requests.exceptions.SSLError(cause))

    assert error.state is SignalState.UNAVAILABLE
    assert "self-signed certificate" in str(error)
    assert "tls.caFile" in error.mend
    assert not error.is_retriable


def test_a_closed_port_is_told_without_the_libraries_wrapping() -> None:
    cause = MaxRetryError(None, "/", ConnectionRefusedError(111, "Connection refused"))  # type: ignore[arg-type]
    error = from_exception("source default", requests.ConnectionError(cause))

    assert str(error) == "source default: Connection refused"
    assert (error.state, error.is_retriable) == (SignalState.UNAVAILABLE, True)


def test_a_long_text_from_outside_is_cut() -> None:
    assert shorten("a" * 1000) == "a" * 300 + "…"
