"""Forgets targets that are gone: kopf tells of none that was deleted while its watch was cut.

Until then decisions would go by the replicas of a target that is no more. Names alone are asked for: whole Deployments
are tens of KiB each, and what changes of those that are there the watch tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from agent.cluster.documents import Documents, Name
from agent.cluster.reading import NotRead, Reader
from agent.cluster.watch import Kind

_PAGE = "500"  # objects of a list at a time
_NAMES_ALONE = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class _Metadata(msgspec.Struct):
    name: str
    namespace: str = ""


class _Object(msgspec.Struct):
    metadata: _Metadata


class _ListMetadata(msgspec.Struct, rename={"position": "continue", "version": "resourceVersion"}):
    version: str
    position: str = ""


class _List(msgspec.Struct):
    metadata: _ListMetadata
    items: tuple[_Object, ...] | None = ()  # null where there is none


_LISTS = msgspec.json.Decoder(_List)


async def forget_gone(reader: Reader, kept: Mapping[Kind, Documents], *, namespaces: Sequence[str]) -> int:
    """Forget what a watch keeps and the API server no longer has; return how many.

    Args:
        reader: of the API server.
        kept: by kind, what a watch has told.
        namespaces: that are watched; none are all.

    Raises:
        NotRead: a list was refused, or nobody answered; what is known stands.
    """
    gone = 0
    for kind, documents in kept.items():
        for namespace in namespaces or (None,):
            names, version = await _listed(reader, kind, namespace)
            gone += documents.forget_missing(names, version=version, namespace=namespace)
    return gone


async def _listed(reader: Reader, kind: Kind, namespace: str | None) -> tuple[set[Name], str]:
    """Return the names of what is there, and the resourceVersion of the list."""
    scope = "" if namespace is None else f"/namespaces/{namespace}"
    path = f"/apis/{kind.group}/{kind.version}{scope}/{kind.plural}"
    names: set[Name] = set()
    position = version = ""
    while True:
        query = (("limit", _PAGE), *([("continue", position)] if position else []))
        body = await reader.get(path, query, accept=_NAMES_ALONE)
        try:
            page = await asyncio.to_thread(_LISTS.decode, body)
        except msgspec.MsgspecError as error:
            raise NotRead(path, None, f"this is no list ({error})") from error
        names |= {(each.metadata.namespace, each.metadata.name) for each in page.items or ()}
        position, version = page.metadata.position, page.metadata.version
        if not position:
            return names, version
