"""Logging: one event name per message, facts as fields, JSON for machines and colour for people, never a secret.

Everything goes to standard error, because standard output belongs to the answers of the commands. Records of
libraries that log through the standard library take the same way; their text is the field `message` of one event.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from enum import StrEnum

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from agent.redaction import redact_item

FOREIGN_EVENT = "library_message"
_LEADING_FIELDS = ("time", "level", "event", "logger")
# they bring handlers of their own, or log each request
_NOISY = {"uvicorn": "INFO", "uvicorn.error": "INFO", "uvicorn.access": "WARNING", "urllib3": "WARNING"}


class LogForm(StrEnum):
    """How a log line looks."""

    AUTO = "auto"  # console on a terminal outside a cluster, else JSON
    JSON = "json"
    CONSOLE = "console"


def configure(*, form: LogForm, level: str) -> None:
    """Send every log record of the process to standard error in one form. May be called again.

    Args:
        form: how lines look.
        level: the lowest level shown: `debug`, `info`, `warning` or `error`.

    Raises:
        ValueError: there is no such level.
    """
    threshold = logging.getLevelNamesMapping().get(level.upper())
    if threshold is None:
        raise ValueError(f"log level {level!r} is not one of debug, info, warning, error")
    is_terminal = sys.stderr.isatty()
    resolved = resolve(form, environment=os.environ, is_terminal=is_terminal)
    has_colours = is_terminal and "NO_COLOR" not in os.environ  # https://no-color.org
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_FIELDS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    _take_over_standard_logging(_formatter(resolved, has_colours=has_colours), threshold)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module; it may be made before `configure` is called."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound


def resolve(form: LogForm, *, environment: Mapping[str, str], is_terminal: bool) -> LogForm:
    """Return the form that AUTO stands for here; the other forms stand for themselves."""
    if form is not LogForm.AUTO:
        return form
    is_in_cluster = "KUBERNETES_SERVICE_HOST" in environment
    return LogForm.CONSOLE if is_terminal and not is_in_cluster else LogForm.JSON


def _formatter(form: LogForm, *, has_colours: bool) -> structlog.stdlib.ProcessorFormatter:
    renderer: Processor = (
        # plain: structlog's default would print the local variables of every frame
        structlog.dev.ConsoleRenderer(
            colors=has_colours, timestamp_key="time", exception_formatter=structlog.dev.plain_traceback
        )
        if form is LogForm.CONSOLE
        else structlog.processors.JSONRenderer(ensure_ascii=False, allow_nan=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_FIELDS, _name_foreign_event],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,  # before the redaction: a traceback is text that may hold a secret
            _redact_event,
            _lead_with_the_event,
            renderer,
        ],
    )


def _take_over_standard_logging(formatter: logging.Formatter, threshold: int) -> None:
    handler = _RedactingHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name, lowest in _NOISY.items():
        noisy = logging.getLogger(name)
        noisy.handlers.clear()
        noisy.propagate = True
        noisy.setLevel(max(threshold, logging.getLevelNamesMapping()[lowest]))
    logging.captureWarnings(True)


class _RedactingHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in the stubs only, not at run time
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the standard library's name
        # the standard library would print the record's arguments, which have not passed the redaction
        kind = type(sys.exc_info()[1]).__name__
        sys.stderr.write(f"a log record of {record.name} at {record.pathname}:{record.lineno} was lost: {kind}\n")


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {str(key): redact_item(key, value) for key, value in event.items()}


def _name_foreign_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["message"] = event["event"]
    event["event"] = FOREIGN_EVENT
    return event


def _lead_with_the_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    leading = [name for name in _LEADING_FIELDS if name in event]
    return {name: event[name] for name in (*leading, *event)}


_FIELDS: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
)
