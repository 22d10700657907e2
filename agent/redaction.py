"""Takes secrets out of what leaves the process: log lines, messages of exceptions, documents that are shown.

Two nets, because neither is enough. A value under a key that names a secret is replaced whole; any text is searched
for secrets that carry their own mark (credentials in a URL, `Authorization:` lines, bearer tokens, JWTs, private keys,
`password=…`). Where the nets are unsure they take too much: a reader misses a word, a stranger gains nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from datetime import date, timedelta
from numbers import Integral, Real

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]

REDACTED = "[redacted]"
_LONGEST_TEXT = 16_000  # characters: a traceback fits, a body that a server sent back does not
_LONGEST_WORD = 2_000  # characters
_DEEPEST = 8  # levels of nesting: deeper is a mistake or a cycle

_REVEALING = (  # tokens of a language model are counted, not kept: tokenizer, tokens_total, prompt_tokens:rate5m
    r"authorization|passw(?:or)?d|passphrase|secret|token(?!i[sz]|s[_:.])|bearer|credential"
    r"|api[_-]?key|private[_-]?key|access[_-]?key|cookie"
)
_NAMES_A_SECRET = re.compile(_REVEALING, re.IGNORECASE)
_NAMES_ITS_PLACE = re.compile(r"(?:[_.-]|(?<=[a-z])(?=[FPN]))(?:file|path|name)s?$", re.IGNORECASE)
_COUNTS = re.compile(r"tokens$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_URL_CREDENTIALS = re.compile(r"([a-z][a-z0-9+.-]{0,20}://)[^\s/?#]*@", re.IGNORECASE)
# a password with a raw "/" ends the authority for a parser, not for the person who typed it; a port is no password
_URL_ODD_PASSWORD = re.compile(
    r"([a-z][a-z0-9+.-]{0,20}://)[^\s/:@\[]{1,256}:(?!\d+(?:[/?#\s]|$))[^\s@]{0,1024}@", re.IGNORECASE
)
_HEADER = re.compile(
    r"((?:proxy-)?authorization|(?:set-)?cookie)(['\"]?\s*[:=,]\s*)(?!\[redacted\])[^\r\n]+", re.IGNORECASE
)
_SCHEME = re.compile(
    r"\b(bearer|basic)(\s+)(?!(?:auth\w*|tokens?|credentials?|scheme|\[redacted\])\b)[\w.~+/=-]{4,}", re.IGNORECASE
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?")
_ASSIGNMENT = re.compile(
    # from the word that reveals it: what stands before belongs to the key and changes nothing; the end of the text may
    # stand for a closing quote, because the text may have been cut
    rf"((?:{_REVEALING})[\w.-]{{0,40}})(['\"]?\s*[:=]\s*b?)"
    r"(\"(?:[^\"\\]|\\.)*(?:\"|\\?\Z)|'(?:[^'\\]|\\.)*(?:'|\\?\Z)|[^\s,;&\"'(){}]+)",
    re.IGNORECASE,
)


def names_a_secret(key: str) -> bool:
    """Return whether the value under a key is a secret; the name of the file that holds one is not."""
    return bool(_NAMES_A_SECRET.search(key)) and not _NAMES_ITS_PLACE.search(key)


def redact_text(text: str) -> str:
    """Return text without the secrets that carry a mark of their own, cut to what a log can bear."""
    length = len(text)
    if length > _LONGEST_TEXT:  # a word is not cut: without its "@", nothing marks the password of a URL
        text = text[:_LONGEST_TEXT]
        text = text.removesuffix(re.split(r"\s", text[-_LONGEST_WORD:])[-1])
    text = _PRIVATE_KEY.sub(REDACTED, text)
    text = _URL_CREDENTIALS.sub(rf"\1{REDACTED}@", text)
    text = _URL_ODD_PASSWORD.sub(rf"\1{REDACTED}@", text)
    text = _HEADER.sub(rf"\1\2{REDACTED}", text)
    text = _SCHEME.sub(rf"\1\2{REDACTED}", text)
    text = _JWT.sub(REDACTED, text)
    text = _ASSIGNMENT.sub(_redact_assignment, text)
    return text if length <= _LONGEST_TEXT else f"{text}… ({length} characters)"


def redact(value: object) -> Plain:
    """Return a value as JSON can carry it, nested values included, without secrets.

    Numbers that JSON has no word for (NaN, infinities) become text; what is none of JSON's kinds becomes its text.
    """
    return _redact(value, depth=0)


def redact_item(key: object, value: object) -> Plain:
    """Return the value of one mapping entry without secrets; its key may say that the whole value is one."""
    return _redact_item(_text(key), value, depth=0)


def _redact_item(key: str, value: object, *, depth: int) -> Plain:
    is_count = isinstance(value, Real) and _COUNTS.search(key) is not None
    if value is None or is_count or not names_a_secret(key):
        return _redact(value, depth=depth)
    return REDACTED


def _redact(value: object, *, depth: int) -> Plain:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if abs(number) < float("inf") else str(number)  # false for NaN too
    if isinstance(value, Mapping | Sequence | Set) and not isinstance(value, str | bytes | bytearray):
        return "…" if depth >= _DEEPEST else _redact_container(value, depth=depth + 1)
    return redact_text(_text(value))


def _redact_container(
    value: Mapping[object, object] | Sequence[object] | Set[object], *, depth: int
) -> dict[str, Plain] | list[Plain]:
    if isinstance(value, Mapping):
        return {redact_text(_text(key)): _redact_item(_text(key), entry, depth=depth) for key, entry in value.items()}
    items = list(value)
    if _is_pair(items):  # a header as ASGI and requests write it: (b"authorization", b"…")
        return [redact_text(_text(items[0])), _redact_item(_text(items[0]), items[1], depth=depth)]
    return [_redact(item, depth=depth) for item in items]


def _is_pair(items: list[object]) -> bool:
    return len(items) == 2 and isinstance(items[0], str | bytes)


def _text(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", errors="backslashreplace")
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    return str(value) if isinstance(value, BaseException | timedelta) else repr(value)


def _redact_assignment(found: re.Match[str]) -> str:
    key, between, secret = found.groups()
    is_count = _COUNTS.search(key) is not None and _NUMBER.fullmatch(secret) is not None
    if is_count or not names_a_secret(key) or secret.startswith(REDACTED):
        return found.group(0)
    return f"{key}{between}{REDACTED}"
