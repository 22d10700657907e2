"""HTTP/2 and gRPC frames by hand (RFC 9113, RFC 7541): for what no well-behaved client can be made to send."""

from __future__ import annotations

from collections.abc import Iterable

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, GOAWAY = 0, 1, 4, 7
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return one frame; the payload is at most 2^24 - 1 bytes."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def opening() -> bytes:
    """Return what a client says first: the preface, and settings that change nothing."""
    return PREFACE + frame(SETTINGS, 0, 0, b"")


def request(path: bytes, message: bytes, *, stream: int = 1, extra: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """Return a gRPC call with one message on one stream, which is an odd number that grows."""
    fields = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path),
        (b":authority", b"foretide"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        *extra,
    ]
    block = b"".join(_literal(name, value) for name, value in fields)
    body = b"\0" + len(message).to_bytes(4, "big") + message
    return frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, body)


def _literal(name: bytes, value: bytes) -> bytes:
    """Return a field that is neither indexed nor Huffman coded."""
    return b"\0" + _text(name) + _text(value)


def _text(text: bytes) -> bytes:
    return _integer(len(text)) + text


def _integer(number: int) -> bytes:
    """Return an integer with a prefix of seven bits."""
    if number < 127:
        return bytes([number])
    rest, coded = number - 127, b"\x7f"
    while rest >= 128:
        rest, low = divmod(rest, 128)
        coded += bytes([low + 128])
    return coded + bytes([rest])
