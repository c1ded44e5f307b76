"""Reading JSON objects field by field, with errors that name the field.

Only fields that are asked for are looked at, so unknown ones are ignored.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from reconciler.errors import PlanFileError, ReconcilerError
from reconciler.report.figures import parse_timestamp

Json = dict[str, object]

_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)
_GUID = re.compile(r"[0-9]{1,20}")
_PLANNED = re.compile(r"planned:([0-9a-f]{1,16})")


def guid_text(guid: int) -> str:
    """Return a guid as JSON has it: a string, for readers whose numbers have 53 bits.

    A promised version's guid (negative) is `planned:` and hex digits.
    """
    return str(guid) if guid >= 0 else f"planned:{-1 - guid:x}"


class Fields:
    """A JSON object, where it stands in its document, and the error for what is wrong in it."""

    def __init__(
        self, value: object, where: str = "", error: type[ReconcilerError] = PlanFileError
    ) -> None:
        if not isinstance(value, Mapping):
            raise error(f"{where or 'the document'} is no object")
        self._values = value
        self._where = where
        self._error = error

    def text(self, name: str) -> str:
        """Return a text."""
        return self._of(name, str, "a text")

    def number(self, name: str) -> int:
        """Return a whole number."""
        value = self._of(name, int, "a whole number")
        if isinstance(value, bool):
            raise self.wrong(name, "a whole number")
        return value

    def decimal(self, name: str) -> float:
        """Return a number."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, "a number")
        return float(value)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        return self._of(name, bool, "true or false")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        values = self._of(name, list, "a list of texts")
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(name, "a list of texts")
        return tuple(values)

    def word(self, name: str, words: type[_Word]) -> _Word:
        """Return one of the words of an enumeration."""
        text = self.text(name)
        try:
            return words(text)
        except ValueError:
            raise self.wrong(name, "one of " + ", ".join(words)) from None

    def guid(self, name: str) -> int:
        """Return a guid; see `guid_text`."""
        text = self.text(name)
        if planned := _PLANNED.fullmatch(text):
            return -1 - int(planned[1], 16)
        if not _GUID.fullmatch(text):
            raise self.wrong(name, "a guid")
        return int(text)

    def moment(self, name: str) -> int:
        """Return an instant."""
        try:
            return parse_timestamp(self.text(name))
        except ValueError:
            raise self.wrong(name, "a time like 2026-11-22T23:15:00Z") from None

    def instant(self, name: str) -> int:
        """Return an instant; a number of seconds is one, too."""
        return self.moment(name) if isinstance(self._values.get(name), str) else self.number(name)

    def object(self, name: str) -> "Fields":
        """Return an object's fields."""
        return Fields(self._values.get(name), self._path(name), self._error)

    def counts(self, name: str) -> tuple[tuple[str, int], ...]:
        """Return the names of an object's fields, all whole numbers, in their order."""
        fields = self.object(name)
        return tuple((key, fields.number(key)) for key in fields.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields there are."""
        return tuple(str(key) for key in self._values)

    def objects(self, name: str) -> "tuple[Fields, ...]":
        """Return the fields of a list of objects."""
        values = self._of(name, list, "a list")
        path = self._path(name)
        return tuple(
            Fields(value, f"{path}[{index}]", self._error) for index, value in enumerate(values)
        )

    def optional(self, name: str, read: Callable[[str], _T]) -> _T | None:
        """Return None for null, else what `read` makes of the field."""
        return None if self._values.get(name) is None else read(name)

    def wrong(self, name: str, expected: str) -> ReconcilerError:
        """Return the error for a field that is not what it should be."""
        return self._error(f"{self._path(name)} should be {expected}")

    def _of(self, name: str, kind: type[_T], expected: str) -> _T:
        value = self._values.get(name)
        if not isinstance(value, kind):
            raise self.wrong(name, expected)
        return value

    def _path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name
