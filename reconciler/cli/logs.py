"""Logs: loguru to stderr, with the libraries' own logging led into it.

Values are bound, never formatted into the message: names on hosts may have braces in them.
"""

import json
import logging
import sys
import traceback
from types import FrameType
from typing import TYPE_CHECKING

from loguru import logger

from reconciler.controller.journal import Journal
from reconciler.report.figures import timestamp
from reconciler.report.lines import clean

if TYPE_CHECKING:
    from loguru import Message, Record

FORMAT = "{time:HH:mm:ss.SSS} {level:<7} {message}"


def configure(*, debug: bool, service: bool = False) -> None:
    """Send logs to stderr, in detail when debugging, else only what nobody else tells.

    A service's logs are all that is told: they say what is done, too, and on what is no terminal
    they are JSON, one object a line. paramiko reports each connection that breaks, with a
    traceback; without --debug that is said in a sentence elsewhere.
    """
    logger.remove()
    level = "DEBUG" if debug else "INFO" if service else "WARNING"
    for_programs = service and not sys.stderr.isatty()
    logger.add(
        _json_sink if for_programs else _sink,
        level=level,
        format="{message}" if for_programs else _format,
        # diagnose would print the values of variables, and so what is secret.
        diagnose=False,
        backtrace=False,
        colorize=False,
    )
    logging.basicConfig(handlers=[_Intercept()], level=logging.NOTSET, force=True)
    logging.getLogger("paramiko").setLevel(logging.DEBUG if debug else logging.CRITICAL)
    for library in ("fabric", "invoke"):
        # Their debug output is their whole configuration, many times over.
        logging.getLogger(library).setLevel(logging.WARNING)


def _format(record: "Record") -> str:
    """Return the template for a record: what was bound comes last, if anything was."""
    return FORMAT + (" {extra}" if record["extra"] else "") + "\n{exception}"


def _sink(message: "Message") -> None:
    """Print on what is stderr at the time: a live display may have taken its place."""
    lines = message.rstrip("\n").split("\n")
    sys.stderr.write("".join(f"{clean(line)}\n" for line in lines))


def _json_sink(message: "Message") -> None:
    """Print a record as one JSON object."""
    sys.stderr.write(json_line(message.record) + "\n")
    sys.stderr.flush()


def json_line(record: "Record") -> str:
    """Return a record as JSON: time, level, message, then what was bound, then a bug's place."""
    document: dict[str, object] = {
        "time": timestamp(record["time"].timestamp()),
        "level": record["level"].name.lower(),
        "message": record["message"],
    }
    document |= {name: _plain(value) for name, value in record["extra"].items()}
    error = record["exception"]
    if error is not None and error.traceback is not None:
        frames = traceback.extract_tb(error.traceback)
        document["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return json.dumps(document, ensure_ascii=False)


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


class LogJournal(Journal):
    """What the controller says, written to the log."""

    def said(self, level: str, message: str, **fields: object) -> None:
        """Log a sentence; an exception among the fields shows where a bug is."""
        error = fields.pop("error", None)
        exception = error if isinstance(error, BaseException) else None
        given = {name: value for name, value in fields.items() if value is not None}
        logger.opt(exception=exception).bind(**given).log(level.upper(), message)


class _Intercept(logging.Handler):
    """Hands records of the standard library's logging to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record at its level and place."""
        try:
            level: str | int = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        frame: FrameType | None = logging.currentframe()
        depth = 0
        while frame is not None and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame, depth = frame.f_back, depth + 1
        logger.opt(depth=depth, exception=record.exc_info).log(level, record.getMessage())
