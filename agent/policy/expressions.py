"""Pieces of CEL that read durations and shares, with the API server's regex and string extensions (Kubernetes 1.25)."""

from __future__ import annotations


def duration(path: str) -> str:
    """Return CEL for the length of the duration at a path.

    CEL's own `duration()` knows hours to milliseconds; days, weeks and years are counted apart.
    """
    longer = "".join(
        f" + duration(string(int('0' + {path}.find('[0-9]+{unit}').replace('{unit}', '')) * {hours}) + 'h')"
        for unit, hours in (("d", 24), ("w", 7 * 24), ("y", 365 * 24))
    )
    return f"(duration('0s' + {path}.find('[0-9]+(h|m|s).*')){longer})"


def share(path: str) -> str:
    """Return CEL for the number before the percent sign."""
    return f"double({path}.find('[0-9.]+'))"


def exactly_one(*fields: str) -> str:
    """Return CEL that holds where exactly one of the fields is set."""
    return f"[{', '.join(f'has(self.{field})' for field in fields)}].exists_one(x, x)"
