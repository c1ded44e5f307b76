"""Lines of text with a style each: what they say is decided here, how they look in `cli`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """What a line is about; a terminal may show it in a colour."""

    PLAIN = "plain"
    TITLE = "title"
    ADD = "add"
    SEND = "send"
    MARK = "mark"
    DESTROY = "destroy"
    QUIET = "quiet"
    WARNING = "warning"
    ERROR = "error"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output. Hosts' own words are in it, so it is printed only as `clean` text."""

    text: str = ""
    style: Style = Style.PLAIN
    aside: str = ""
    """Why; comes after the text and is shown less brightly."""

    @property
    def head(self) -> str:
        """The text, without characters that could steer a terminal or break the line."""
        return clean(self.text)

    @property
    def tail(self) -> str:
        """The aside with what sets it off, or nothing."""
        return f"  # {clean(self.aside)}" if self.aside else ""

    def __str__(self) -> str:
        return self.head + self.tail


def clean(text: str) -> str:
    """Return a text with unprintable characters escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def text_of(lines: Iterable[Line]) -> str:
    """Return lines as plain text."""
    return "".join(f"{line}\n" for line in lines)


def section(title: Line, lines: Iterable[Line]) -> Iterator[Line]:
    """Yield an empty line, the title and the lines; nothing when there are no lines."""
    body = list(lines)
    if body:
        yield Line()
        yield title
        yield from body
