"""Whose fits come next: namespaces take turns, however many policies each has, and so do the policies of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain, zip_longest

from scalers.policy import PolicyKey


class Turns:
    """Remembers when each had its last turn."""

    def __init__(self) -> None:
        self._last: dict[PolicyKey, int] = {}
        self._turn = 0

    def order(self, keys: Iterable[PolicyKey]) -> list[PolicyKey]:
        """Return policies in the order of their turns; those that are not among them are forgotten.

        One policy of each namespace comes before the second of any, and who waits longest comes first.
        """
        known = set(keys)
        self._last = {key: turn for key, turn in self._last.items() if key in known}
        by_namespace: defaultdict[str, list[PolicyKey]] = defaultdict(list)
        for key in sorted(known, key=lambda key: (self._last.get(key, 0), key)):
            by_namespace[key.namespace].append(key)
        waiting = sorted(
            by_namespace, key=lambda name: (max(self._last.get(key, 0) for key in by_namespace[name]), name)
        )
        rounds = zip_longest(*(by_namespace[name] for name in waiting))
        return [key for key in chain.from_iterable(rounds) if key is not None]

    def taken(self, keys: Iterable[PolicyKey]) -> None:
        """Take note of who had a turn now."""
        self._turn += 1
        self._last.update(dict.fromkeys(keys, self._turn))
