"""kopf in a thread and a loop of its own: tells what changes, and writes nothing."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import kopf

from agent.cluster.access import connection
from agent.cluster.documents import Document, Documents

_LONGEST_START = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects that is watched."""

    group: str
    version: str
    plural: str
    kept: Callable[[Document], Document] = dict  # what is kept of an object


class ClusterWatch:
    """Watches kinds of objects in some namespaces, or in all. Started and stopped once.

    Attributes:
        ended: done when the watch has stopped; carries the error if it did so by itself.
        listed: a number that grows where what is there was listed: at first, and after a watch that was cut.
    """

    def __init__(self, kinds: Mapping[Kind, Documents], *, namespaces: Sequence[str] = ()) -> None:
        """Prepare to watch.

        Args:
            kinds: where what is told of each is kept.
            namespaces: to watch; none are all.
        """
        self.ended: Future[None] = Future()
        self.listed = 0
        self._kinds = kinds
        self._namespaces = tuple(namespaces)
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)

    def start(self) -> None:
        """Begin, and return once kopf has taken up its work."""
        self._thread.start()
        self._ready.wait(_LONGEST_START)

    def stop(self) -> None:
        """End the watch; one that never began is no error."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        logging.getLogger("kopf.objects").setLevel(logging.WARNING)  # else a line for each event of each object
        try:
            asyncio.run(self._watch())
        except Exception as error:  # noqa: BLE001 - carried to who waits for it
            self.ended.set_exception(error)
        else:
            self.ended.set_result(None)

    async def _watch(self) -> None:
        await kopf.operator(
            registry=self._registry(),
            settings=_settings(),
            standalone=True,  # no peering: which replica decides is said by a Lease of ours
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=self._stop,
            ready_flag=self._ready,
        )

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(lambda **_: connection())
        for kind, documents in self._kinds.items():
            kopf.on.event(kind.group, kind.version, kind.plural, registry=registry)(self._keeper(kind, documents))
        return registry

    def _keeper(self, kind: Kind, documents: Documents) -> Any:
        async def keep(type: str | None, body: Document, **_: object) -> None:  # noqa: A002 - kopf's name
            if type is None:
                self.listed += 1
            if type == "DELETED":
                documents.remove(body)
            else:
                documents.put(kind.kept(body))

        return keep


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # kopf's own Events about its handlers are nothing to an operator of ours
    settings.watching.server_timeout = 600
    settings.watching.connect_timeout = 10
    settings.networking.request_timeout = 60
    settings.networking.connect_timeout = 10
    settings.networking.error_backoffs = (1, 2, 5, 10, 10, 10)
    settings.scanning.disabled = True  # of new kinds: all that are watched are named
    return settings
