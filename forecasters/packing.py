"""Arrays with a header as bytes: plain JSON and numbers, so that reading one runs nothing (a pickle would).

Layout: 4 bytes of magic, 4 bytes little-endian header length, the header, then the arrays one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"FTD1"
_PREFIX = len(_MAGIC) + 4
_DOUBLE, _SINGLE = np.dtype("<f8"), np.dtype("<f4")

_Number = TypeVar("_Number", bound=np.float64 | np.float32)


class UnreadableState(ValueError):
    """Stored bytes are damaged, or were written by a version that this one does not know. Fit anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """What was packed: a kind with its version, text and numbers, arrays."""

    kind: str
    version: int
    texts: Mapping[str, str]
    numbers: Mapping[str, float]
    doubles: Mapping[str, NDArray[np.float64]]
    singles: Mapping[str, NDArray[np.float32]]


def pack(packed: Packed) -> bytes:
    """Return the bytes of a value, the same for the same value."""
    header = {
        "kind": packed.kind,
        "version": packed.version,
        "texts": dict(packed.texts),
        "numbers": dict(packed.numbers),
        "doubles": {name: array.shape for name, array in packed.doubles.items()},
        "singles": {name: array.shape for name, array in packed.singles.items()},
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    parts = [_MAGIC, len(text).to_bytes(4, "little"), text]
    parts += [array.astype(_DOUBLE).tobytes() for array in packed.doubles.values()]
    parts += [array.astype(_SINGLE).tobytes() for array in packed.singles.values()]
    return b"".join(parts)


def unpack(body: bytes, *, kind: str, version: int) -> Packed:
    """Return what `pack` was given.

    Raises:
        UnreadableState: the bytes are of another kind or version, cut short or damaged.
    """
    if body[: len(_MAGIC)] != _MAGIC:
        raise UnreadableState(f"stored {kind} does not begin with {_MAGIC!r}: not written by this program, fit anew")
    length = int.from_bytes(body[len(_MAGIC) : _PREFIX], "little")
    try:
        header = json.loads(body[_PREFIX : _PREFIX + length])
        found = (header["kind"], header["version"])
        if found == (kind, version):
            return _read(header, body[_PREFIX + length :])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnreadableState(f"stored {kind} of {len(body)} bytes is damaged ({error}): fit anew") from error
    raise UnreadableState(f"stored {found[0]} has version {found[1]}, this program reads {kind} {version}: fit anew")


def _read(header: Mapping[str, Mapping[str, list[int]]], body: bytes) -> Packed:
    doubles, rest = _arrays(header["doubles"], body, _DOUBLE)
    singles, rest = _arrays(header["singles"], rest, _SINGLE)
    if rest:
        raise ValueError(f"{len(rest)} bytes too many")
    return Packed(
        str(header["kind"]),
        int(str(header["version"])),
        {name: str(text) for name, text in header["texts"].items()},
        {name: float(str(number)) for name, number in header["numbers"].items()},
        doubles,
        singles,
    )


def _arrays(
    shapes: Mapping[str, list[int]], body: bytes, dtype: np.dtype[_Number]
) -> tuple[dict[str, NDArray[_Number]], bytes]:
    arrays: dict[str, NDArray[_Number]] = {}
    for name, shape in shapes.items():
        count = int(np.prod(shape, dtype=np.int64))
        size = count * dtype.itemsize
        if not 0 <= size <= len(body):
            raise ValueError(f"array {name} wants {size} bytes, {len(body)} are left")
        arrays[name] = np.frombuffer(body[:size], dtype=dtype).reshape(shape).copy()
        body = body[size:]
    return arrays, body
