"""Why Prometheus gave no answer, in the states and words of the source port."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import requests
import urllib3.exceptions

from agent.sources.source import SignalState, SourceError

LONGEST_REASON = 300  # characters of a server's own words that are repeated


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not 200, as far as it could be read."""

    status: int
    kind: str  # Prometheus's errorType, such as bad_data; empty where a proxy answered
    reason: str  # Prometheus's own words, or the start of what came instead


def from_refusal(subject: str, refusal: Refusal) -> SourceError:
    """Return the error for an answer that is not 200.

    Args:
        subject: what was asked of whom, the start of the message.
        refusal: the answer.
    """
    state, mend, is_retriable = _meaning(refusal)
    reason = shorten(refusal.reason) or "no reason given"
    return SourceError(state, f"{subject}: HTTP {refusal.status}: {reason}", mend=mend, is_retriable=is_retriable)


def from_exception(subject: str, error: requests.RequestException) -> SourceError:
    """Return the error for a request that got no whole answer."""
    cause = _innermost(error)
    if isinstance(error, requests.Timeout) or isinstance(cause, TimeoutError):
        return timed_out(subject)
    if isinstance(error, requests.exceptions.SSLError) or isinstance(cause, ssl.SSLError):
        return SourceError(
            SignalState.UNAVAILABLE,
            f"{subject}: TLS: {shorten(str(cause))}",
            mend="give tls.caFile the authority that signed the server's certificate, or mend certFile and keyFile",
            is_retriable=False,
        )
    return SourceError(
        SignalState.UNAVAILABLE,
        f"{subject}: {shorten(str(getattr(cause, 'strerror', None) or cause))}",
        mend="check that the server runs, its URL and the network policy between it and the agent",
        is_retriable=True,
    )


def timed_out(subject: str) -> SourceError:
    """Return the error for an answer that did not come in time."""
    return SourceError(
        SignalState.TIMED_OUT,
        f"{subject}: no answer in time",
        mend="check the load of the server, make the query cheaper (a recording rule) or raise the source's timeout",
        is_retriable=True,
    )


def malformed(subject: str, what: str) -> SourceError:
    """Return the error for an answer that is not the query API's."""
    return SourceError(
        SignalState.MALFORMED,
        f"{subject}: {what}",
        mend="check that the URL is a Prometheus query API and not a proxy's or login page",
        is_retriable=False,
    )


def shorten(text: str) -> str:
    """Return a text from outside on one line, at most `LONGEST_REASON` characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}…"


def _meaning(refusal: Refusal) -> tuple[SignalState, str, bool]:
    match refusal.status:
        case 401 | 403:
            return SignalState.UNAUTHORIZED, "check the source's credentials, tenant header and rights", False
        case 422 | 503 if refusal.kind == "timeout" or "deadline exceeded" in refusal.reason:
            return SignalState.TIMED_OUT, "make the query cheaper (a recording rule) or raise its time limit", True
        case 400 | 422:
            return SignalState.BAD_QUERY, "run the query in Prometheus's own page and mend it", False
        case 429:
            return SignalState.REFUSED, "the server limits queries: raise the limit or the policy's step", True
        case status if status >= 500:
            return SignalState.UNAVAILABLE, "check the server and what stands before it", True
        case status if 300 <= status < 400:
            return SignalState.REFUSED, "the server redirects: give the final URL as the source's url", False
        case _:
            return SignalState.REFUSED, "check that the source's url is that of a Prometheus query API", False


def _innermost(error: BaseException) -> BaseException:
    """Return what the libraries wrapped: the operating system's or the TLS library's own error."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = [part for part in (*error.args, getattr(error, "reason", None)) if isinstance(part, BaseException)]
        inner += [part for part in (error.__cause__, error.__context__) if part is not None]
        wrappers = (requests.RequestException, urllib3.exceptions.HTTPError)
        if not isinstance(error, wrappers) or not inner:
            break
        error = inner[0]
    return error
