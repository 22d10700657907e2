"""The kill switch of a cluster: an annotation on the agent's own namespace, which needs no rollout of the agent."""

from __future__ import annotations

import msgspec

from agent.cluster.reading import METADATA_ALONE, NotRead, Reader
from agent.log import logger

ANNOTATION = "foretide.dev/reactive"
MEND = 'write "true", or take it away'
ON, _OFF = "true", "false"


class _Metadata(msgspec.Struct):
    annotations: dict[str, str] | None = None


class _Namespace(msgspec.Struct):
    metadata: _Metadata


async def annotated(reader: Reader, namespace: str) -> str:
    """Return the annotation's value, "false" where there is none.

    Raises:
        NotRead: the namespace may not be read, is not there, or nobody answered.
    """
    path = f"/api/v1/namespaces/{namespace}"
    body = await reader.get(path, accept=METADATA_ALONE)
    try:
        annotations = msgspec.json.decode(body, type=_Namespace).metadata.annotations or {}
    except msgspec.MsgspecError as error:
        raise NotRead(path, None, f"this is no namespace ({error})") from error
    return annotations.get(ANNOTATION, _OFF)


def unknown(value: str) -> bool:
    """Whether a value of the annotation is neither of the two that count."""
    return value not in (ON, _OFF)


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
            value = await annotated(reader, self._namespace)
        except NotRead as error:
            self._say("kill_switch_not_read", str(error), effect=f"it stays {'on' if self.is_on else 'off'}")
            return
        if unknown(value):
            found = f'annotation {ANNOTATION} of namespace {self._namespace} is "{value[:40]}"'
            self._say("kill_switch_unknown", found, effect="it is off", mend=MEND)
        else:
            self._said = None
        was_on, self.is_on = self.is_on, value == ON
        if self.is_on is not was_on:
            self._log.warning("kill_switch", is_on=self.is_on, annotation=ANNOTATION, namespace=self._namespace)

    def _say(self, event: str, what: str, **more: str) -> None:
        if what != self._said:
            self._said = what
            self._log.warning(event, found=what, **more)
