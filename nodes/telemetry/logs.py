"""The node's log: one line a happening on stderr, as JSON or for people, with region, case, trace and span.

Knows structlog, the standard library's logging that libraries use, and the current hop. Must not know who
logs what. Every line, a library's too, passes `personal`; of an exception it says the type and where it rose,
and its words only when they are ours, for ours echo no personal data.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final, Literal, TextIO

import structlog
from opentelemetry import trace as api
from structlog.typing import EventDict, Processor, WrappedLogger

from nodes.telemetry.hop import HopSpan
from nodes.telemetry.personal import mask_field, mask_text

Form = Literal["json", "console"]
Level = Literal["debug", "info", "warning", "error"]

LOGGER_KEY: Final = "room"
_OURS: Final = ("nodes.", "broker.", "regions.")
_FRAMES: Final = 12
_KEPT_AS_IT_IS: Final = frozenset({"event", "level", "ts", "trace_id", "span_id", "error_at"})
_QUIET: Final = ("opentelemetry.exporter.otlp.proto.grpc.exporter",)
"""Libraries that would repeat for each attempt what our own lines say once."""


def node_log(region: str, room: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines carry the region and the room that speaks. Bind `case_number` to it for a case."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return log.bind(region=region, room=room)


def configure_logs(form: Form | None = None, level: Level = "info", stream: TextIO | None = None) -> None:
    """Sets up the process's log, ours and the libraries'; again: anew.

    form: json, or console for people; None: console when the stream is a terminal. stream: stderr unless
    given. Libraries speak from warning on.
    """
    out = sys.stderr if stream is None else stream
    if form is None:
        form = "console" if out.isatty() else "json"
    least = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        add_hop,
        say_exception,
        without_personal_data,
    ]
    render: Processor = (
        structlog.dev.ConsoleRenderer(colors=out.isatty(), timestamp_key="ts")
        if form == "console"
        else structlog.processors.JSONRenderer(serializer=_as_json)
    )
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    handler = _LibraryHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shared, render],
            foreign_pre_chain=[_library_name],
        )
    )
    root = logging.getLogger()
    for old in [held for held in root.handlers if isinstance(held, _LibraryHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(least, logging.WARNING))
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class _LibraryHandler(logging.StreamHandler[TextIO]):
    """Ours among the root's handlers."""


def _library_name(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Says which library speaks."""
    record = line.get("_record")
    if isinstance(record, logging.LogRecord):
        line.setdefault(LOGGER_KEY, record.name)
        line["level"] = record.levelname.lower()
    return line


def add_hop(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Adds trace, span and case of the current hop, where the line has none of its own. A call that has not
    yet found its case says nothing of its trace, which may still change.
    """
    span = api.get_current_span()
    if isinstance(span, HopSpan):
        if span.is_settled:
            line.setdefault("trace_id", f"{span.trace_id:032x}")
            line.setdefault("span_id", f"{span.span_id:016x}")
        if span.case_number:
            line.setdefault("case_number", span.case_number)
        line.setdefault("region", span.region)
    return line


def say_exception(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Turns exc_info into error_type, error (the words, when ours), error_at (the innermost frames)."""
    given = line.pop("exc_info", None)
    line.pop("stack_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        line["error_type"] = type(error).__name__
        if type(error).__module__.startswith(_OURS):
            line["error"] = str(error)
        elif isinstance(error, OSError) and error.strerror:
            line["error"] = error.strerror
        line["error_at"] = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        ]
        causes = _causes(error)
        if causes:
            line["error_from"] = causes
    return line


def _causes(error: BaseException) -> list[str]:
    """The types of what led to the error, the nearest first."""
    found: list[str] = []
    at = error.__cause__ or error.__context__
    while at is not None and len(found) < _FRAMES:
        found.append(type(at).__name__)
        at = at.__cause__ or at.__context__
    return found


def without_personal_data(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Masks every field by name and by shape; what happened and when stays."""
    clean: MutableMapping[str, Any] = {}
    for field, value in line.items():
        if field == "event":
            clean[field] = mask_text(str(value))
        elif field in _KEPT_AS_IT_IS or field.startswith("_"):
            clean[field] = value
        else:
            clean[mask_text(field)] = mask_field(field, value)
    return clean


def _as_json(line: object, **_: object) -> str:
    return json.dumps(line, ensure_ascii=False, default=lambda value: f"<{type(value).__name__}>")
