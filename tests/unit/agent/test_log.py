"""Log lines: one event each, JSON where machines read, no secret, libraries included."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator

import pytest
import structlog

from agent.log import LogForm, _RedactingHandler, configure, logger, resolve

Lines = Callable[[], str]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """What was written to standard error so far; the process's logging is put back afterwards."""
    root = logging.getLogger()
    level = root.level
    yield lambda: capsys.readouterr().err
    logging.captureWarnings(False)
    root.setLevel(level)
    root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler, _RedactingHandler)]
    structlog.reset_defaults()


def records(lines: Lines) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines().splitlines()]


def test_a_json_line_leads_with_time_level_event_and_logger(lines: Lines) -> None:
    configure(form=LogForm.JSON, level="info")
    logger("agent.engine").info("policy_loaded", policy="ml/chat", step_seconds=15)

    (record,) = records(lines)
    assert list(record) == ["time", "level", "event", "logger", "policy", "step_seconds"]
    assert record | {"time": ""} == {
        "time": "",
        "level": "info",
        "event": "policy_loaded",
        "logger": "agent.engine",
        "policy": "ml/chat",
        "step_seconds": 15,
    }


def test_a_logger_made_before_the_configuration_obeys_it(lines: Lines) -> None:
    early = logger("agent.early")
    configure(form=LogForm.JSON, level="warning")
    early.info("too_quiet")
    early.warning("loud_enough")

    assert [record["event"] for record in records(lines)] == ["loud_enough"]


def test_a_library_record_has_one_event_name_and_its_text_as_a_field(lines: Lines) -> None:
    configure(form=LogForm.JSON, level="info")
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)

    (record,) = records(lines)
    assert (record["event"], record["message"]) == ("library_message", "Started server process [7]")


def test_each_request_of_the_page_is_not_logged(lines: Lines) -> None:
    configure(form=LogForm.JSON, level="info")
    logging.getLogger("uvicorn.access").info("GET /healthz 200")

    assert lines() == ""


def test_a_python_warning_is_a_record(lines: Lines) -> None:
    configure(form=LogForm.JSON, level="info")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("an old option", stacklevel=1)

    (record,) = records(lines)
    assert record["logger"] == "py.warnings"
    assert "an old option" in str(record["message"])


def connect(address: str) -> None:
    password = address.partition("@")[0]  # a local variable, which some renderers print
    raise ConnectionError(f"no route to {address}, tried {len(password)} characters")


@pytest.mark.parametrize("form", [LogForm.JSON, LogForm.CONSOLE])
def test_no_secret_in_fields_messages_or_tracebacks(lines: Lines, form: LogForm) -> None:
    configure(form=form, level="info")
    try:
        connect("https://me:hunter2@host")
    except ConnectionError:
        logger("agent.x").exception("source_failed", headers={"Authorization": "Bearer hunter2"})
        logging.getLogger("lib").exception("at https://me:%s@host", "hunter2")

    written = lines()
    assert written.count("Traceback") == 2
    assert "hunter2" not in written


def test_a_record_that_cannot_be_written_does_not_print_its_arguments(lines: Lines) -> None:
    configure(form=LogForm.JSON, level="info")
    logging.getLogger("lib").warning("%d retries", "password=hunter2")

    written = lines()
    assert "a log record of lib" in written
    assert "hunter2" not in written


def test_without_a_terminal_the_console_form_has_no_colour_codes(lines: Lines) -> None:
    configure(form=LogForm.CONSOLE, level="info")
    logger("agent.x").info("started", port=6000)

    written = lines()
    assert "\x1b" not in written
    assert "port=6000" in written


def test_configuring_twice_writes_each_record_once(lines: Lines) -> None:
    configure(form=LogForm.JSON, level="info")
    configure(form=LogForm.JSON, level="info")
    logger("agent.x").info("started")

    assert len(records(lines)) == 1


def test_an_unknown_level_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="log level 'loud' is not one of debug, info, warning, error"):
        configure(form=LogForm.JSON, level="loud")


@pytest.mark.parametrize(
    ("form", "environment", "is_terminal", "expected"),
    [
        (LogForm.AUTO, {}, True, LogForm.CONSOLE),
        (LogForm.AUTO, {}, False, LogForm.JSON),
        (LogForm.AUTO, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, True, LogForm.JSON),
        (LogForm.CONSOLE, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, False, LogForm.CONSOLE),
    ],
)
def test_auto_is_readable_only_on_a_terminal_outside_a_cluster(
    form: LogForm, environment: dict[str, str], is_terminal: bool, expected: LogForm
) -> None:
    assert resolve(form, environment=environment, is_terminal=is_terminal) is expected


def test_logs_never_reach_standard_output() -> None:
    program = "from agent.log import *; configure(form=LogForm.AUTO, level='info'); logger('x').info('started')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == ""
    assert json.loads(done.stderr)["event"] == "started"
