"""Which kinds this agent may watch: one that it may not would end the watch of all the others with its own.

The API server is asked rather than tried: kopf tries for half a minute, and then ends as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agent.cluster.reviewing import Ask, NotReviewed, Reviewer
from agent.cluster.watch import Kind
from agent.log import logger

_VERBS = ("list", "watch")


class WatchRights:
    """What may be watched, as it was when it was last looked at. For the agent's loop.

    Attributes:
        missing: kinds that may not be watched, and what a person can do about each.
    """

    def __init__(self, reviewer: Reviewer, namespaces: Sequence[str]) -> None:
        """Ask a reviewer for some namespaces; none are all."""
        self.missing: Mapping[Kind, str] = {}
        self._reviewer = reviewer
        self._namespaces = tuple(namespaces) or ("",)
        self._log = logger("cluster")

    async def look(self, kinds: Iterable[Kind]) -> bool:
        """Ask for some kinds; return whether others than before may be watched. Without an answer nothing changes."""
        found: dict[Kind, str] = {}
        try:
            for kind in kinds:
                if (told := await self._missing(kind)) is not None:
                    found[kind] = told
        except NotReviewed as error:
            self._log.warning("rights_not_known", error=str(error), effect="what was known of them stands")
            return False
        for kind, told in found.items():
            if kind not in self.missing:
                self._log.error("kind_not_watched", kind=f"{kind.plural}.{kind.group}", error=told)
        has_changed = found.keys() != self.missing.keys()
        self.missing = found
        return has_changed

    async def _missing(self, kind: Kind) -> str | None:
        for namespace in self._namespaces:
            asks = [Ask(kind.group, kind.plural, verb, namespace) for verb in _VERBS]
            verbs = [ask.verb for ask in asks if not await self._reviewer.allows(ask)]
            if verbs:
                where = f" in namespace {namespace}" if namespace else ""
                return f"let the service account {' and '.join(verbs)} {kind.plural}.{kind.group}{where}"
        return None
