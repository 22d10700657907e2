"""The newest answer per policy: written by the engine, read by the gRPC loop, which never waits and never computes.

An entry is immutable and replaced whole; a reader looks one up in a dict, which needs no lock. How old an answer is
counts on this process's monotonic clock, so a stepped wall clock neither expires nor revives it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from difflib import get_close_matches

from agent.budget import Budget
from scalers.keda.board import Answer, UnknownPolicy
from scalers.policy import PolicyKey

_UNDECIDED = Answer(
    replicas=None,
    is_active=False,
    reason="no decision yet: the agent has just taken the policy up",
    is_awaited=True,
)
# An unknown policy must stay cheap to refuse. The nearest name costs 4 ms among 200: it is not looked for among more,
# nor for more unknown names than people mistype.
_MOST_NAMES = 200
_MOST_HINTS = 256
_HINTS_A_SECOND = 5.0
_HINTS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class _Entry:
    """One answer and when it stops being one."""

    answer: Answer
    published_at: float  # seconds, monotonic
    expires_at: float


class Board:
    """The agent's `AnswerBoard`. Every method may be called from any thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._writing = threading.Lock()
        self._entries: dict[PolicyKey, _Entry | None] = {}  # None: the policy exists and has no answer yet
        self._names: dict[str, frozenset[str]] = {}  # by namespace
        self._subscribers: dict[PolicyKey, tuple[Callable[[], None], ...]] = {}
        self._refused: Mapping[PolicyKey, str] = {}
        # a trigger with a typo asks several times a minute, always the same
        self._hints: dict[tuple[str, frozenset[str]], str | None] = {}
        self._hinting = Budget(_HINTS_A_SECOND, at_once=_HINTS_AT_ONCE, monotonic=monotonic)

    def answer(self, key: PolicyKey) -> Answer:
        """Return the newest answer, or a refusal where there is none yet or it is too old.

        Raises:
            UnknownPolicy: the policy is not registered.
        """
        try:
            entry = self._entries[key]
        except KeyError:
            raise UnknownPolicy(self._unknown(key)) from None
        return self._seen(entry)

    def register(self, key: PolicyKey) -> None:
        """Make a policy known; until its first decision it is refused. A policy that has an answer keeps it."""
        with self._writing:
            self._add(key)

    def publish(self, key: PolicyKey, answer: Answer, *, valid_for: timedelta, age: timedelta = timedelta(0)) -> None:
        """Replace a policy's answer, for at most `valid_for`; tell the subscribers if it differs from what was seen.

        Publishing what is there already only makes it younger. The policy is registered if it was not.

        Args:
            key: the policy.
            answer: its answer.
            valid_for: from now on.
            age: of an answer that was made elsewhere.
        """
        with self._writing:
            self._add(key)
            before = self._seen(self._entries[key])
            now = self._monotonic()
            made_at = now - age.total_seconds()
            published = replace(answer, published_at=made_at)
            self._entries[key] = _Entry(published, made_at, now + valid_for.total_seconds())
        if answer != before:
            self._tell(key)

    def explain(self, refused: Mapping[PolicyKey, str]) -> None:
        """Say from now on why these policies are not known, in place of whatever was said before."""
        self._refused = dict(refused)

    def remove(self, key: PolicyKey) -> None:
        """Forget a policy; it is unknown from now on. One that is not there is no error."""
        with self._writing:
            if key not in self._entries:
                return
            del self._entries[key]
            left = self._names[key.namespace] - {key.name}
            if left:
                self._names[key.namespace] = left
            else:
                del self._names[key.namespace]
        self._tell(key)

    def subscribe(self, key: PolicyKey, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed`, in the publisher's thread, after each answer that differs; return what ends it.

        A call that is already on its way may still arrive after the end.
        """
        with self._writing:
            self._subscribers[key] = (*self._subscribers.get(key, ()), changed)
        return lambda: self._unsubscribe(key, changed)

    def is_ready(self) -> bool:
        """Whether every registered policy has had an answer or a refusal of the engine's own."""
        return None not in list(self._entries.values())  # the copy is one atomic step

    def _add(self, key: PolicyKey) -> None:
        if key not in self._entries:
            self._entries[key] = None
            self._names[key.namespace] = self._names.get(key.namespace, frozenset()) | {key.name}

    def _seen(self, entry: _Entry | None) -> Answer:
        if entry is None:
            return _UNDECIDED
        now = self._monotonic()
        if now <= entry.expires_at:
            return entry.answer
        age = _in_words(now - entry.published_at)
        return Answer(None, False, f"last decision is {age} old; the agent's decision loop is not running")

    def _tell(self, key: PolicyKey) -> None:
        for changed in self._subscribers.get(key, ()):
            changed()

    def _unsubscribe(self, key: PolicyKey, changed: Callable[[], None]) -> None:
        with self._writing:
            left = list(self._subscribers.get(key, ()))
            if changed in left:
                left.remove(changed)
            if left:
                self._subscribers[key] = tuple(left)
            else:
                self._subscribers.pop(key, None)

    def _unknown(self, key: PolicyKey) -> str:
        if key in self._refused:
            return f'ForecastPolicy "{key.name}" in namespace "{key.namespace}" is not acted on: {self._refused[key]}'
        names = self._names.get(key.namespace, frozenset())
        near = self._nearest(key.name, names) if len(names) <= _MOST_NAMES else None
        hint = f'did you mean "{near}"?' if near else "a trigger finds the policies of its own namespace only"
        return f'there is no ForecastPolicy "{key.name}" in namespace "{key.namespace}": {hint}'

    def _nearest(self, name: str, names: frozenset[str]) -> str | None:
        """Return the name that was meant, None where none is like it or too many are asked for."""
        asked = (name, names)
        if asked not in self._hints:
            if not self._hinting.take():
                return None
            if len(self._hints) >= _MOST_HINTS:
                self._hints.clear()
            self._hints[asked] = next(iter(get_close_matches(name, sorted(names), n=1)), None)
        return self._hints[asked]


def _in_words(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"
