from __future__ import annotations

import socket
from pathlib import Path

from agent.doctor.finding import Level
from agent.doctor.machine import check_addresses, check_data_dir


def test_a_folder_that_can_be_written_is_well_and_left_as_it_was(tmp_path: Path) -> None:
    finding = check_data_dir(tmp_path / "data")[0]

    assert finding.what.startswith(f"{tmp_path / 'data'} can be written, ")
    assert list(tmp_path.iterdir()) == []


def test_a_path_under_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finding = check_data_dir(tmp_path / "file" / "data")[0]

    assert finding.level is Level.FAIL
    assert "cannot be written: Not a directory" in finding.what


def test_no_folder_is_a_warning() -> None:
    assert check_data_dir(None)[0].level is Level.WARN


def test_a_taken_address_fails_and_a_free_one_does_not() -> None:
    with socket.socket() as taken, socket.socket() as free:
        for each in (taken, free):
            each.bind(("127.0.0.1", 0))
        taken.listen()
        grpc = f"127.0.0.1:{taken.getsockname()[1]}"
        http = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        findings = check_addresses(grpc=grpc, http=http)

    assert [finding.level for finding in findings] == [Level.FAIL, Level.OK]
    assert findings[0].what == f"{grpc} is taken, and not by an agent"


def test_what_is_no_address_fails() -> None:
    assert check_addresses(grpc="6000", http="127.0.0.1:0")[0].what == "'6000' is no address"
