"""Logs: loguru to stderr, with the libraries' own logging led into it.

Values are bound, never formatted into the message: names on hosts may have braces in them.
"""

import logging
import sys
from types import FrameType
from typing import TYPE_CHECKING

from loguru import logger

from reconciler.report.lines import clean

if TYPE_CHECKING:
    from loguru import Message, Record

FORMAT = "{time:HH:mm:ss.SSS} {level:<7} {message}"


def configure(*, debug: bool) -> None:
    """Send logs to stderr, in detail when debugging, else only what nobody else tells.

    paramiko reports each connection that breaks, with a traceback; without --debug that is said in
    a sentence elsewhere.
    """
    logger.remove()
    # diagnose would print the values of variables, and so what is secret.
    level = "DEBUG" if debug else "WARNING"
    logger.add(_sink, level=level, format=_format, diagnose=False, backtrace=False, colorize=False)
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
