"""Structured logs without personal data: one JSON object a line, only fields on the list.

A field that is not in `FIELDS` is dropped and its name reported, so that a handle or an address
cannot slip into a log by a careless keyword. Texts of exceptions are never written, because
drivers quote values in them; the class and the places in our code are.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

# Name of the field: what it says. The reference docs print this table.
FIELDS = {
    "event": "what happened, a constant sentence",
    "level": "debug, info, warning, error, critical",
    "timestamp": "UTC, RFC 3339",
    "process": "api, worker, custody, ledger, gateway, witness, ranking, abroad, supervisor",
    "error": "the class of an exception",
    "where": "places of an exception (file:line function), our own code where there is some",
    "job": "the name of a job",
    "cause": "what a film waits for (disk, store), or the class of what went wrong outside",
    "attempt": "how often a job was tried before",
    "duration_ms": "how long it took",
    "method": "HTTP method",
    "route": "the template of the path, never the path itself",
    "status": "the status of an answer, of HTTP or SMTP",
    "code": "the stable code of a refusal",
    "count": "a number of things",
    "log": "which of the cell's logs: access, decisions or border",
    "port": "a TCP port on loopback",
    "epoch": "the number of a period of the key store",
    "migration": "the file name of a migration",
    "step": "a named step of a start or a drill",
    "exit_code": "the exit status of a child process",
    "version": "a version of software",
    "dropped_fields": "names of fields that are not on this list",
}

_OURS = "luciole"


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)
    ours = [f for f in frames if f"/{_OURS}/" in f.filename]
    return [
        f"{frame.filename.rsplit(f'/{_OURS}/', 1)[-1]}:{frame.lineno} {frame.name}"
        for frame in (ours or frames)[-6:]
    ]


def _allow_listed(
    _logger: Any, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    info = entry.pop("exc_info", None)
    if info:
        kind, error, trace = sys.exc_info() if info is True else (type(info), info, None)
        if kind is not None:
            entry.setdefault("error", kind.__name__)
            entry["where"] = _places(trace or (error.__traceback__ if error else None))
    unknown = sorted(set(entry) - set(FIELDS))
    for name in unknown:
        del entry[name]
    if unknown:
        entry["dropped_fields"] = unknown
    return entry


class _Forward(logging.Handler):
    """Takes what libraries log and keeps the logger's name and level only: their messages may
    quote requests or rows."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log.log(record.levelno, f"library {record.name} reported", error=error)


def _on_unhandled(error: BaseException | None) -> None:
    """Says how the process, a thread or a finaliser ended, without the texts that Python would
    print: the error, those in its group, and what they came from."""
    waiting, told = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in told or len(told) > 8:
            continue
        told.add(id(one))
        log.critical("ended by an error", exc_info=one)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        waiting.append(one.__cause__ or (None if one.__suppress_context__ else one.__context__))


def _excepthook(
    _kind: type[BaseException], error: BaseException, _trace: TracebackType | None
) -> None:
    _on_unhandled(error)


def setup(process: str, *, level: str = "info") -> None:
    """Configures logging for this process: JSON lines on standard error, also for what nobody
    handles."""

    def name_process(
        _logger: Any, _method: str, entry: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        # Not by a context variable, which a new thread does not have.
        entry["process"] = process
        return entry

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            name_process,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _allow_listed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(logging.WARNING)
    # Whoever looks after these already, such as a test runner, goes on doing so.
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _excepthook
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = lambda given: _on_unhandled(given.exc_value)
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = lambda given: _on_unhandled(given.exc_value)


log = structlog.get_logger()
