"""Pieces of CEL that read durations and shares, with the API server's regex and string extensions (Kubernetes 1.25).

The API server bounds the cost of a rule before it runs it, from the bounds of what the rule touches. `string(int)` has
no bound, so durations are compared as whole milliseconds.
"""

from __future__ import annotations


def milliseconds(path: str) -> str:
    """Return CEL for the length of the duration at a path, in milliseconds.

    CEL's own `duration()` knows hours to milliseconds; days, weeks and years are counted apart.
    """
    longer = "".join(
        f" + int('0' + {path}.find('[0-9]+{unit}').replace('{unit}', '')) * {days * 86_400_000}"
        for unit, days in (("d", 1), ("w", 7), ("y", 365))
    )
    return f"(duration('0s' + {path}.find('[0-9]+(h|m|s).*')).getMilliseconds(){longer})"


def share(path: str) -> str:
    """Return CEL for the number before the percent sign."""
    return f"double({path}.find('[0-9.]+'))"


def exactly_one(*fields: str) -> str:
    """Return CEL that holds where exactly one of the fields is set."""
    return f"[{', '.join(f'has(self.{field})' for field in fields)}].exists_one(x, x)"
