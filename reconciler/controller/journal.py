"""What the controller says while it works: the seam between it and the logs."""

from typing import Protocol


class Journal(Protocol):
    """Writes down what happens. Called from several threads."""

    def said(self, level: str, message: str, **fields: object) -> None:
        """Write a sentence; `level` is debug, info, warning or error.

        Fields are what programs look for: host, filesystem, action, replication, reconcile id.
        """
        ...


class Quiet(Journal):
    """Writes nothing down."""

    def said(self, level: str, message: str, **fields: object) -> None:
        """Forget it."""
