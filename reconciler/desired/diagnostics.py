"""What is wrong with the specs, as values: collected, sorted and shown all at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.errors import ReconcilerError

MAX_SHOWN = 60
"""Characters of a spec's text that a message repeats."""


class Severity(StrEnum):
    """How bad it is. Any error refuses the whole spec set."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: what, where, and what to do about it."""

    severity: Severity
    summary: str
    """What is wrong, without a full stop."""
    detail: str
    """Why, or what to do; whole sentences, may be empty."""
    file: str
    line: int
    """From 1; a finding about a whole file is at 1:1."""
    column: int
    """From 1, in characters."""

    @property
    def message(self) -> str:
        """Summary and detail as one text."""
        return f"{self.summary}. {self.detail}" if self.detail else self.summary

    def __str__(self) -> str:
        return f"{_printable(self.file)}:{self.line}:{self.column}: {self.message}"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a spec file."""

    file: str
    line: int = 1
    column: int = 1

    def error(self, summary: str, detail: str = "") -> Diagnostic:
        """Return an error at this place."""
        texts = _printable(summary), _printable(detail)
        return Diagnostic(Severity.ERROR, *texts, self.file, self.line, self.column)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class SpecError(ReconcilerError):
    """Raised when specs can't be used; carries everything that is wrong with them."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = in_order(diagnostics)
        super().__init__("\n".join(map(str, self.diagnostics)))


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics by file, line and column, each once."""
    return tuple(sorted(set(diagnostics), key=_place))


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    """Sort key: the place first, then the text, so that the order never depends on luck."""
    here = diagnostic
    return here.file, here.line, here.column, here.summary, here.detail


def shown(value: object) -> str:
    """Return a value from a spec as it is quoted in messages, cut when it is long."""
    text = str(value)
    if not text:
        return "the empty text"
    return f"`{text}`" if len(text) <= MAX_SHOWN else f"`{text[:MAX_SHOWN]}...`"


def _printable(text: str) -> str:
    """Escape what could break the line or steer a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
