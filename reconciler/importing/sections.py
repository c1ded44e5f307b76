"""A mapping of a configuration file, read key by key; what was never asked for can be told."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.desired.diagnostics import Diagnostic, Position, shown
from reconciler.desired.document import Data, Document, Path, dotted

_YES = frozenset({"y", "yes", "on"})
_NO = frozenset({"n", "no", "off"})
_DURATION = re.compile(r"\s*([0-9]+)\s*([smhdw])\s*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(slots=True)
class Section:
    """A mapping. Values of the wrong type are findings; reading goes on with a default."""

    document: Document
    path: Path
    data: Mapping[str, Data]
    findings: list[Diagnostic]
    asked: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, document: Document, findings: list[Diagnostic]) -> "Section":
        """Return a document's outermost mapping."""
        data = document.data
        if not isinstance(data, dict):
            findings.append(document.at().error("this is not a mapping", "It begins with `jobs:`."))
            data = {}
        return cls(document, (), data, findings)

    def at(self, *keys: str | int) -> Position:
        """Return the place of a value, or of the whole."""
        return self.document.at((*self.path, *keys))

    def key_at(self, key: str) -> Position:
        """Return the place of a key."""
        return self.document.key((*self.path, key))

    def has(self, key: str) -> bool:
        """Whether a key is there and has a value."""
        return self._get(key) is not None

    def left(self) -> Iterator[str]:
        """Yield the keys with a value that nobody has asked for."""
        yield from (k for k, v in self.data.items() if k not in self.asked and v is not None)

    def text(self, key: str, default: str = "") -> str:
        """Return a text."""
        value = self._get(key)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        if isinstance(value, dict | list):
            self._wrong(key, "must be text")
            return default
        return str(value).lower() if isinstance(value, bool) else str(value)

    def needed(self, key: str) -> str:
        """Return a text that must be there."""
        text = self.text(key)
        if not text:
            where, name = self.at(), dotted((*self.path, key))
            self.findings.append(where.error(f"{name} is missing"))
        return text

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return a truth value; YAML 1.1, which zrepl reads, has `yes`, `on` and the like."""
        value = self._get(key)
        if value is None:
            return default
        truth = truth_of(value)
        if truth is None:
            self._wrong(key, "must be true or false")
        return bool(truth)

    def count(self, key: str) -> int:
        """Return a whole number above zero."""
        value = self._get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        self._wrong(key, "must be a whole number above zero")
        return 1

    def seconds(self, key: str) -> int:
        """Return the seconds of a duration like `10m`."""
        found = _DURATION.fullmatch(self.text(key))
        if found is None or int(found[1]) == 0:
            self._wrong(key, "must be a duration like `10m`")
            return 1
        return int(found[1]) * _SECONDS[found[2]]

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._get(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(str(item) for item in value)
        self._wrong(key, "must be a list of texts")
        return ()

    def entries(self, key: str) -> dict[str, Data]:
        """Return a mapping as it is."""
        value = self._get(key)
        if isinstance(value, dict):
            return value
        if value is not None:
            self._wrong(key, "must be a mapping")
        return {}

    def section(self, key: str) -> "Section":
        """Return a mapping to be read; an empty one when it is not there."""
        return self._inner(self.entries(key), key)

    def sections(self, key: str) -> Iterator["Section"]:
        """Yield the mappings of a list."""
        value = self._get(key)
        if value is not None and not isinstance(value, list):
            self._wrong(key, "must be a list")
        for number, item in enumerate(value if isinstance(value, list) else []):
            if isinstance(item, dict):
                yield self._inner(item, key, number)
            else:
                name = dotted((*self.path, key, number))
                self.findings.append(self.at(key, number).error(f"{name} must be a mapping"))

    def refuse(self, key: str, summary: str, detail: str = "") -> None:
        """Record what is wrong with a value."""
        where = self.at(key) if key in self.data else self.at()
        self.findings.append(where.error(summary, detail))

    def _get(self, key: str) -> Data:
        self.asked.add(key)
        return self.data.get(key)

    def _inner(self, data: Mapping[str, Data], *keys: str | int) -> "Section":
        return Section(self.document, (*self.path, *keys), data, self.findings)

    def _wrong(self, key: str, what: str) -> None:
        value = self.data.get(key)
        shape = "a list" if isinstance(value, list) else "a mapping"
        said = shape if isinstance(value, list | dict) else shown("" if value is None else value)
        name = dotted((*self.path, key))
        self.refuse(key, f"{name} is missing" if value is None else f"{name} {what}, not {said}")


def truth_of(value: Data) -> bool | None:
    """Return the truth value that YAML 1.1 sees in a value, None when it sees none."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    return True if word in _YES else False if word in _NO else None
