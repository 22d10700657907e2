"""The kill switch of a cluster: an annotation on the agent's own namespace, which needs no rollout of the agent."""

from __future__ import annotations

import msgspec

from agent.cluster.reading import METADATA_ALONE, NotRead, Reader
from agent.log import logger

ANNOTATION = "foretide.dev/reactive"


class _Metadata(msgspec.Struct):
    annotations: dict[str, str] = {}


class _Namespace(msgspec.Struct):
    metadata: _Metadata


class KillSwitch:
    """Whether the annotation is "true". What cannot be read leaves the switch as it is.

    Attributes:
        is_on: as it was last read; off before that.
    """

    def __init__(self, namespace: str) -> None:
        """Look at a namespace."""
        self.is_on = False
        self._namespace = namespace
        self._said: str | None = None  # of a value or a failure that was logged
        self._log = logger("cluster")

    async def look(self, reader: Reader) -> None:
        """Read the annotation; a change is logged, and a value that means nothing or a failure, once."""
        try:
            body = await reader.get(f"/api/v1/namespaces/{self._namespace}", accept=METADATA_ALONE)
        except NotRead as error:
            self._say("kill_switch_not_read", str(error), effect=f"it stays {'on' if self.is_on else 'off'}")
            return
        value = msgspec.json.decode(body, type=_Namespace).metadata.annotations.get(ANNOTATION, "false")
        if value not in ("true", "false"):
            found = f'annotation {ANNOTATION} of namespace {self._namespace} is "{value}"'
            self._say("kill_switch_unknown", found, effect="it is off", mend='write "true", or take it away')
        else:
            self._said = None
        was_on, self.is_on = self.is_on, value == "true"
        if self.is_on is not was_on:
            self._log.warning("kill_switch", is_on=self.is_on, annotation=ANNOTATION, namespace=self._namespace)

    def _say(self, event: str, what: str, **more: str) -> None:
        if what != self._said:
            self._said = what
            self._log.warning(event, found=what, **more)
