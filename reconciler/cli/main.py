"""The entry point: runs a command and turns whatever came of it into an exit code.

Commands end by raising `Ended`. All else that leaves typer is either an error that is said in a
sentence, or a bug.
"""

import gc
import os
import sys
from collections.abc import Sequence

from reconciler.cli.ending import Ended
from reconciler.cli.output import print_error
from reconciler.errors import HostError, LockHeld, ReconcilerError, UsageError

_TYPER_USAGE = 2
_GARBAGE = 500_000
"""Values made between two looks for garbage in cycles: versions are many, and in none."""

_DONE, _ERROR, _INCOMPLETE, _LOCKED, _USAGE, _INTERRUPTED = 0, 1, 3, 11, 64, 130


def main() -> None:
    """Run the command line of this process."""
    gc.set_threshold(_GARBAGE)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        _never_fail_to_encode(stream)
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        print_error("Interrupted.")
        return _INTERRUPTED
    except ReconcilerError as error:
        print_error(str(error))
        return _code_of(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, it has to be said
        return _bug(error, debug=_wants_debug(arguments))


def _run(arguments: Sequence[str]) -> int:
    from reconciler.cli.app import app

    try:
        app(args=list(arguments), prog_name="reconciler")
    except Ended as ended:
        return int(ended.code)
    except SystemExit as ended:
        return _typer_code(ended.code)
    return _DONE


def _typer_code(code: object) -> int:
    """Return our code for typer's: it ends with 2 on wrong usage, which means changes here."""
    if code == _INTERRUPTED:
        print_error("Interrupted.")
    if code == _TYPER_USAGE:
        return _USAGE
    return code if isinstance(code, int) else _DONE


def _code_of(error: ReconcilerError) -> int:
    if isinstance(error, UsageError):
        return _USAGE
    if isinstance(error, LockHeld):
        return _LOCKED
    return _INCOMPLETE if isinstance(error, HostError) else _ERROR


def _bug(error: Exception, *, debug: bool) -> int:
    from reconciler import __version__

    print_error(f"This is a bug in reconciler {__version__}: {type(error).__name__}: {error}")
    if debug:
        import traceback

        traceback.print_exception(error)
    else:
        print_error("Run it again with --debug to see where; please report it with that.")
    return _ERROR


def _wants_debug(arguments: Sequence[str]) -> bool:
    """Tell whether tracebacks are wanted, also where the arguments could not be read."""
    return "--debug" in arguments or os.environ.get("RECONCILER_DEBUG", "0") not in {"", "0"}


def _never_fail_to_encode(stream: object) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
