from __future__ import annotations

import pytest

from agent.cluster.kill_switch import ANNOTATION, KillSwitch
from tests.fakes.api_documents import Documents

PATH = "/api/v1/namespaces/foretide"


class Rig:
    """A switch on the namespace `foretide`, and the API server that has it."""

    def __init__(self) -> None:
        self.api = Documents()
        self.switch = KillSwitch("foretide")
        self.annotate({})

    def annotate(self, annotations: dict[str, str] | None) -> None:
        metadata = {"name": "foretide"} if annotations is None else {"name": "foretide", "annotations": annotations}
        self.api.by_path[PATH] = {"kind": "PartialObjectMetadata", "metadata": metadata}

    async def look(self) -> bool:
        await self.switch.look(self.api)
        return self.switch.is_on


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_the_annotation_turns_it_on_and_its_absence_off(rig: Rig) -> None:
    assert await rig.look() is False
    rig.annotate({ANNOTATION: "true", "other": "x"})
    assert await rig.look() is True
    rig.annotate(None)
    assert await rig.look() is False


@pytest.mark.parametrize("status", [0, 403, 404, 500])
async def test_what_cannot_be_read_leaves_it_as_it_was_and_is_told_once(
    rig: Rig, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.annotate({ANNOTATION: "true"})
    await rig.look()
    rig.api.by_path[PATH] = status
    assert await rig.look() is True
    assert await rig.look() is True
    assert capsys.readouterr().out.count("kill_switch_not_read") == 1


async def test_an_answer_that_is_no_namespace_leaves_it_as_it_was(rig: Rig) -> None:
    rig.annotate({ANNOTATION: "true"})
    await rig.look()
    rig.api.by_path[PATH] = {"kind": "Status", "metadata": None}
    assert await rig.look() is True


async def test_a_value_that_means_nothing_is_off_and_told_once_with_its_mend(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.annotate({ANNOTATION: "yes"})
    assert await rig.look() is False
    assert await rig.look() is False
    told = capsys.readouterr().out
    assert told.count("kill_switch_unknown") == 1
    assert 'is "yes"' in told
    assert 'write "true"' in told
