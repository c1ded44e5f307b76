"""What a person has to know about a translation, each with its place in the original."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.desired.diagnostics import Position


class RemarkKind(StrEnum):
    """What follows from a remark."""

    FILL_IN = "fill in"
    """The specs are refused until somebody has."""
    LOST = "no equivalent"
    """It is not in the specs, and what it did is not done."""
    NOTE = "note"
    """It is done otherwise, or need not be said."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know."""

    kind: RemarkKind
    text: str
    """Without a full stop."""
    where: Position

    def __str__(self) -> str:
        return f"{self.where}: {self.kind}: {self.text}"


def fill_in(where: Position, text: str) -> Remark:
    """Return the remark that something has to be filled in."""
    return Remark(RemarkKind.FILL_IN, text, where)


def lost(where: Position, text: str) -> Remark:
    """Return the remark that something has no equivalent."""
    return Remark(RemarkKind.LOST, text, where)


def note(where: Position, text: str) -> Remark:
    """Return a remark that asks for nothing."""
    return Remark(RemarkKind.NOTE, text, where)


def blank(what: str) -> str:
    """Return the text that stands where something has to be filled in.

    `<` and `>` are in no name, address, pattern, duration or time zone.
    """
    return f"<{what}>"
