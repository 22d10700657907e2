"""Replicas of scale targets that are neither Deployments nor StatefulSets, read from their /scale.

A /scale cannot be watched, so it is asked for now and then; which plural a kind has, discovery says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from agent.cluster.reading import NotRead, Reader
from agent.cluster.target import Target
from agent.snapshot import Unseen

_KINDS_FOR = 600.0  # seconds; a kind may be installed meanwhile


@dataclass(frozen=True, slots=True)
class Scale:
    """What a /scale says."""

    wanted: int
    existing: int
    selector: str  # of its pods, empty where it names none


class NoScale(Exception):
    """Nothing is known of a target's replicas.

    Attributes:
        unseen: why, for a person.
        is_passing: whether it may be otherwise at the next try, without anybody's doing.
    """

    def __init__(self, unseen: Unseen, *, is_passing: bool = False) -> None:
        super().__init__(unseen.message)
        self.unseen = unseen
        self.is_passing = is_passing


class _Resource(msgspec.Struct):
    name: str
    kind: str


class _Resources(msgspec.Struct):
    resources: tuple[_Resource, ...] = ()


class _Spec(msgspec.Struct):
    replicas: int = 0


class _Status(msgspec.Struct):
    replicas: int = 0
    selector: str = ""


class _Scale(msgspec.Struct):
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


@dataclass(frozen=True, slots=True)
class _Kinds:
    read_at: float
    plurals: dict[str, str]  # by kind
    scalable: frozenset[str]  # kinds


class Scales:
    """Reads the /scale of any kind that has one."""

    def __init__(self, reader: Reader, monotonic: Callable[[], float]) -> None:
        """Read through a reader; `monotonic` tells seconds."""
        self._reader = reader
        self._monotonic = monotonic
        self._known: dict[str, _Kinds] = {}  # by group and version

    async def scale(self, target: Target) -> Scale:
        """Return what a target's /scale says.

        Raises:
            NoScale: the kind is not there or has none, the object is not there, or it may not be read.
        """
        if (why := target.out_of_reach) is not None:
            raise NoScale(Unseen("HintsOnly", f"{target.shown}: {why}"))
        plural = await self._plural(target)
        path = f"{target.api}/namespaces/{target.namespace}/{plural}/{target.name}/scale"
        try:
            found = msgspec.json.decode(await self._reader.get(path), type=_Scale)
        except NotRead as error:
            raise _refusal(error, target, plural) from error
        except msgspec.MsgspecError as error:
            raise NoScale(Unseen("NoScale", f"{target.shown}: its /scale cannot be read ({error})")) from error
        return Scale(found.spec.replicas, found.status.replicas, found.status.selector)

    async def _plural(self, target: Target) -> str:
        kinds = await self._kinds(target)
        plural = kinds.plurals.get(target.kind)
        if plural is None:
            near = ", ".join(sorted(kinds.plurals)) or "none"
            raise NoScale(Unseen("NoSuchKind", f"{target.api[6:] or 'v1'} has no kind {target.kind}, but {near[:200]}"))
        if target.kind not in kinds.scalable:
            raise NoScale(Unseen("NoScale", f"{target.kind} has no /scale, so neither KEDA nor an HPA can scale it"))
        return plural

    async def _kinds(self, target: Target) -> _Kinds:
        now, known = self._monotonic(), self._known.get(target.api)
        if known is not None and now - known.read_at < _KINDS_FOR:
            return known
        try:
            found = msgspec.json.decode(await self._reader.get(target.api), type=_Resources).resources
        except NotRead as error:
            if error.status == 404:
                told = f"the cluster has no API {target.group}/{target.version}: install it, or mend scaleTargetRef"
                raise NoScale(Unseen("NoSuchKind", told)) from error
            raise NoScale(Unseen("TargetNotRead", str(error)), is_passing=True) from error
        plain = {each.kind: each.name for each in found if "/" not in each.name}
        with_scale = {each.name.removesuffix("/scale") for each in found if each.name.endswith("/scale")}
        kinds = _Kinds(now, plain, frozenset(kind for kind, plural in plain.items() if plural in with_scale))
        self._known[target.api] = kinds
        return kinds


def _refusal(error: NotRead, target: Target, plural: str) -> NoScale:
    where = f"{target.group}/{plural}/scale" if target.group else f"{plural}/scale"
    if error.status in (401, 403):
        told = (
            f"the service account may not get {where} in namespace {target.namespace}: add "
            f"{{apiGroup: {target.group or chr(34) * 2}, resource: {plural}}} to rbac.targetKinds of the chart"
        )
        return NoScale(Unseen("ScaleForbidden", told))
    if error.status == 404:
        return NoScale(Unseen("NoSuchTarget", f"there is no {target.shown} in namespace {target.namespace}"))
    return NoScale(Unseen("TargetNotRead", str(error)), is_passing=True)
