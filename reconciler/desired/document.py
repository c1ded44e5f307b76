"""One YAML document as plain data, with the place in the file of every key and value."""

from dataclasses import dataclass
from typing import NamedTuple, TypeGuard

from reconciler.desired.diagnostics import Position

Scalar = str | int | float | bool | None
Data = Scalar | list["Data"] | dict[str, "Data"]
Path = tuple[str | int, ...]


class Mark(NamedTuple):
    """Where a value stands, and where what is inside it stands."""

    line: int
    column: int
    inside: "dict[str, Entry] | list[Mark] | None" = None


class Entry(NamedTuple):
    """Where the key and the value of one entry of a mapping stand."""

    line: int
    column: int
    value: Mark


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file. `broken` ones had findings: their data is not to be relied on."""

    file: str
    data: Data
    mark: Mark
    broken: bool = False

    def at(self, path: Path = ()) -> Position:
        """Return the place of the value at a path, or of the innermost value that is there."""
        return self._position(self._walk(path)[0])

    def key(self, path: Path) -> Position:
        """Return the place of the key that a path ends with."""
        return self._position(self._walk(path)[1])

    def real(self, path: Path) -> Path:
        """Return a path without the numbers of lists that are no lists here.

        Where one mapping may stand for a list of it, findings are about a list.
        """
        data, steps = self.data, []
        for step in path:
            if isinstance(step, int) and isinstance(data, dict):
                continue
            steps.append(step)
            if isinstance(data, dict) and isinstance(step, str):
                data = data.get(step)
            else:
                data = data[step] if isinstance(data, list) and _is_in(step, data) else None
        return tuple(steps)

    def _walk(self, path: Path) -> tuple[Mark | Entry, Mark | Entry]:
        """Return the marks of the last value and of the last key on the way."""
        value: Mark = self.mark
        key: Mark | Entry = value
        for step in path:
            inside = value.inside
            if isinstance(inside, dict) and step in inside:
                key = inside[str(step)]
                value = inside[str(step)].value
            elif isinstance(inside, list) and isinstance(step, int) and step < len(inside):
                key = value = inside[step]
            else:
                return value, value
        return value, key

    def _position(self, mark: Mark | Entry) -> Position:
        return Position(self.file, mark.line, mark.column)


def _is_in(step: str | int, data: list[Data]) -> TypeGuard[int]:
    return isinstance(step, int) and step < len(data)


def dotted(path: Path) -> str:
    """Return a path as people write it.

    >>> dotted(("spec", "targets", 0, "keep"))
    'spec.targets[0].keep'
    """
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
