"""Receivers whose sender's filesystem is gone: kept, and said so."""

from collections.abc import Iterator

from reconciler.planner.absence import Absences
from reconciler.planner.plan import Note, Severity


def orphan_notes(absences: Absences) -> Iterator[Note]:
    """Yield a note for each receiver without a sender; what was renamed is told as a conflict."""
    for absence in absences.all:
        if absence.is_selected and absence.place not in absences.moved:
            host, name = absence.place
            yield Note(
                Severity.WARNING,
                f"{absence.sender} {absence.name} is gone; {host} {name} is kept as it is",
                absence.replication.name,
            )
