import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.history.data_dir import DataDir
from agent.history.store import DataDirInUse, StoreFailed, StoreLimits

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_missing_folder_is_made(tmp_path: Path):
    folder = DataDir(tmp_path / "a" / "b", StoreLimits())
    folder.open().close()
    folder.release()

    assert (tmp_path / "a" / "b" / "foretide.db").exists()


def test_a_second_agent_is_refused_with_the_mend(tmp_path: Path):
    first = DataDir(tmp_path, StoreLimits())
    first.open().close()

    with pytest.raises(
        DataDirInUse, match=rf"{tmp_path} is in use by process {os.getpid()}: give each agent a --data-dir"
    ):
        DataDir(tmp_path, StoreLimits()).open()
    first.release()


def test_a_folder_that_was_released_can_be_had(tmp_path: Path):
    first = DataDir(tmp_path, StoreLimits())
    first.open().close()
    first.release()

    second = DataDir(tmp_path, StoreLimits())
    second.open().close()
    second.release()


def test_a_file_is_set_aside_under_the_time(tmp_path: Path):
    (tmp_path / "foretide.db").write_text("old")
    (tmp_path / "foretide.db-wal").write_text("log")

    aside = DataDir(tmp_path, StoreLimits()).set_aside(NOON)

    assert aside.name == "foretide.db.set-aside-20261122T120000Z"
    assert sorted(file.name for file in tmp_path.iterdir()) == [aside.name, f"{aside.name}-wal"]


def test_a_path_that_is_a_file_is_trouble(tmp_path: Path):
    (tmp_path / "data").write_text("")

    with pytest.raises(StoreFailed, match="data: File exists"):
        DataDir(tmp_path / "data", StoreLimits()).open()
