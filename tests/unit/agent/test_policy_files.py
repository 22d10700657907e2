from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.configuration import Configuration, PrometheusAddress, SourceAddress
from agent.policy import InvalidPolicy
from agent.policy_files import PolicyFiles
from agent.sources.prometheus import PrometheusSource
from agent.sources.source import SourceError
from agent.sources.table import SourceTable
from scalers.capacity.objective import Limit
from scalers.policy import PolicyKey
from tests.fakes.policies import VALID_TEXT

CHAT = VALID_TEXT
LLM = VALID_TEXT.replace("name: workload, namespace", "name: llm, namespace")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], None]:
    """Replaces a file at once, as an editor or a mounted ConfigMap does."""

    def replace(name: str, text: str) -> None:
        (tmp_path / f"{name}.new").write_text(text)
        (tmp_path / f"{name}.new").rename(tmp_path / name)

    return replace


def files(path: Path) -> PolicyFiles:
    return PolicyFiles(path, SourceTable(Configuration()))


def test_a_folders_policies_are_read_at_start(tmp_path: Path, write: Callable[[str, str], None]) -> None:
    write("chat.yaml", CHAT)
    write("llm.yaml", LLM)
    assert [str(each.policy.key) for each in files(tmp_path).first()] == ["default/workload", "default/llm"]


def test_a_source_that_is_not_configured_is_an_error_in_its_place(
    tmp_path: Path, write: Callable[[str, str], None]
) -> None:
    write("chat.yaml", CHAT)
    (assignment,) = files(tmp_path).first()
    source = assignment.sources["demand"]
    assert isinstance(source, SourceError)
    assert str(source) == "no source is configured, and the policy reads 'default'"


def test_a_learned_capacity_comes_with_what_reads_its_objectives(
    tmp_path: Path, write: Callable[[str, str], None]
) -> None:
    learned = "capacity: {learned: {initial: 12}}\n  objectives: [{name: ttft, query: ttft, below: 2s}]"
    write("chat.yaml", CHAT.replace("capacity: {perReplica: 404.33}", learned))
    address = SourceAddress(prometheus=PrometheusAddress(url="http://prometheus:9090"))
    (assignment,) = PolicyFiles(tmp_path, SourceTable(Configuration(sources={"default": address}))).first()
    (objective,) = assignment.learning["demand"].objectives

    assert assignment.learning["demand"].lesson.policy.declared == 12.0
    assert (objective.name, objective.limit) == ("ttft", Limit(2.0))
    assert isinstance(objective.source, PrometheusSource)


def test_a_wrong_policy_at_start_is_told(tmp_path: Path, write: Callable[[str, str], None]) -> None:
    write("chat.yaml", CHAT.replace("risk: 0.05%", "risk: 200%"))
    with pytest.raises(InvalidPolicy, match="risk"):
        files(tmp_path).first()


def test_nothing_is_reported_while_nothing_changes(tmp_path: Path, write: Callable[[str, str], None]) -> None:
    write("chat.yaml", CHAT)
    watched = files(tmp_path)
    watched.first()
    assert [watched.changed(), watched.changed()] == [None, None]


@pytest.mark.parametrize("is_folder", [True, False], ids=["folder", "file"])
def test_a_change_is_picked_up_once(tmp_path: Path, write: Callable[[str, str], None], is_folder: bool) -> None:
    write("chat.yaml", CHAT)
    watched = files(tmp_path if is_folder else tmp_path / "chat.yaml")
    watched.first()
    write("chat.yaml", CHAT.replace("max: 1000", "max: 50"))
    changed = watched.changed()
    assert changed is not None
    assert [each.policy.bounds.maximum for each in changed] == [50]
    assert watched.changed() is None


def test_policies_that_come_and_go_are_picked_up(tmp_path: Path, write: Callable[[str, str], None]) -> None:
    write("chat.yaml", CHAT)
    watched = files(tmp_path)
    watched.first()
    write("llm.yaml", LLM)
    assert len(watched.changed() or ()) == 2
    (tmp_path / "chat.yaml").unlink()
    assert [each.policy.key.name for each in watched.changed() or ()] == ["llm"]


def test_a_broken_edit_keeps_the_last_good_ones_and_is_logged_once(
    tmp_path: Path, write: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    write("chat.yaml", CHAT)
    watched = files(tmp_path)
    watched.first()
    write("chat.yaml", CHAT.replace("risk:", "rsik:"))
    assert [watched.changed(), watched.changed()] == [None, None]
    assert capsys.readouterr().out.count("policies_refused") == 1
    write("chat.yaml", CHAT)
    assert len(watched.changed() or ()) == 1


@pytest.mark.parametrize(
    "broken", ["", "\x00\x01", "- a\n- b", "kind: Deployment"], ids=["empty", "binary", "list", "other"]
)
def test_a_file_of_anything_else_drops_no_policy(
    tmp_path: Path, write: Callable[[str, str], None], broken: str
) -> None:
    write("chat.yaml", CHAT)
    watched = files(tmp_path)
    watched.first()
    write("chat.yaml", broken)
    assert watched.changed() is None


def test_a_folder_that_is_emptied_or_gone_drops_no_policy(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "chat.yaml").write_text(CHAT)
    watched = files(folder)
    watched.first()
    (folder / "chat.yaml").unlink()
    assert watched.changed() is None
    folder.rmdir()
    assert watched.changed() is None


def test_beyond_its_namespaces_limit_the_first_by_name_are_acted_on(
    tmp_path: Path, write: Callable[[str, str], None]
) -> None:
    write("chat.yaml", CHAT)
    write("llm.yaml", LLM)
    read = PolicyFiles(tmp_path, SourceTable(Configuration()), most=1)
    assert [str(each.policy.key) for each in read.first()] == ["default/llm"]
    assert "namespaceLimits.policies" in read.refused[PolicyKey("default", "workload")]
