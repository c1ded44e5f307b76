"""Strict YAML: text → plain data with positions. The only home of the yaml package.

YAML 1.2's core schema (so `no` and `22:22` are text) without what makes files surprising: no
duplicate keys, anchors, aliases, merge keys, tags or directives, no number with leading zeros.
Files are small, flat UTF-8 text. The parser's events are read one by one, so that a hostile file
is given up on before it grows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml

from reconciler.desired.diagnostics import Diagnostic, Position

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20
MAX_FINDINGS = 20
"""A file with more than this many findings is not read on."""

Scalar = str | int | float | bool | None
Data = Scalar | list["Data"] | dict[str, "Data"]
Path = tuple[str | int, ...]

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTANTS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_CONSTANTS |= dict.fromkeys(("true", "True", "TRUE"), True)
_CONSTANTS |= dict.fromkeys(("false", "False", "FALSE"), False)
_MAYBE_NUMBER = frozenset("+-.0123456789")
_INT = re.compile(r"[-+]?[0-9]+")
_BASED_INT = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


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


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds, and what is wrong with it as YAML."""

    documents: tuple[Document, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def parse(file: str, content: bytes) -> Parsed:
    """Read all documents of a file's content."""
    if isinstance(text := _decode(file, content), Diagnostic):
        return Parsed(diagnostics=(text,))
    reader = _Reader(file, text)
    documents = tuple(reader.documents())
    if not documents and not reader.findings:
        reader.findings.append(Position(file).error(*_NOTHING))
    return Parsed(documents, tuple(reader.findings))


_NOTHING = ("the file has no objects", "Remove it or put an object in it.")


def _decode(file: str, content: bytes) -> str | Diagnostic:
    """Return the content as text, or say why it can't be one of our files."""
    if len(content) > MAX_BYTES:
        return Position(file).error("the file is larger than 1 MiB", "Split it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
        return _after(file, before).error("this is not UTF-8 text", "Specs are UTF-8 YAML files.")
    if found := _CONTROL.search(text):
        what = f"control character U+{ord(found[0]):04X}"
        return _after(file, text[: found.start()]).error(what, "Specs are plain text files.")
    return text


def _after(file: str, before: str) -> Position:
    """Return the place right after a piece of text from the file's beginning."""
    return Position(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


class _GivenUpError(Exception):
    """Raised when a file is not worth reading on; the finding is already recorded."""


@dataclass(slots=True)
class _Reader:
    """Builds data and marks from the events of one file and collects findings."""

    file: str
    text: str
    findings: list[Diagnostic] = field(default_factory=list)
    events: Iterator[yaml.Event] = field(init=False)

    def __post_init__(self) -> None:
        self.events = yaml.parse(self.text, Loader=_Loader)

    def documents(self) -> Iterator[Document]:
        """Yield the documents up to the end or to where reading on makes no sense."""
        try:
            for event in self.events:
                if isinstance(event, yaml.DocumentStartEvent):
                    yield self.document(event)
        except yaml.MarkedYAMLError as error:
            self.findings.append(self.syntax_error(error))
        except _GivenUpError:
            pass

    def document(self, start: yaml.DocumentStartEvent) -> Document:
        before = len(self.findings)
        if start.version or start.tags:
            self.report(start, "a directive", "Remove the line that begins with `%`.")
        event = next(self.events)
        if isinstance(event, yaml.ScalarEvent) and not event.value and event.implicit[0]:
            where = Position(self.file, start.start_mark.line + 1, start.start_mark.column + 1)
            self.add(where.error("the document is empty", "Remove it, or the `---` too many."))
            return Document(self.file, None, Mark(where.line, where.column), broken=True)
        data, mark = self.value(event, 1)
        return Document(self.file, data, mark, broken=len(self.findings) > before)

    def value(self, event: yaml.Event, depth: int) -> tuple[Data, Mark]:
        """Read the value that begins with this event."""
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.AliasEvent):
            self.report(
                event, f"an alias (`*{event.anchor}`)", "Write it out; quote text with `*`."
            )
            return None, Mark(line, column)
        self.check_node(event)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event), Mark(line, column)
        if depth > MAX_DEPTH:
            self.add(Position(self.file, line, column).error("the file is nested too deeply"))
            raise _GivenUpError
        if isinstance(event, yaml.MappingStartEvent):
            entries, keys = self.mapping(depth)
            return entries, Mark(line, column, keys)
        items = list(self.items(depth))
        return [data for data, _ in items], Mark(line, column, [mark for _, mark in items])

    def items(self, depth: int) -> Iterator[tuple[Data, Mark]]:
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            yield self.value(event, depth + 1)

    def mapping(self, depth: int) -> tuple[dict[str, Data], dict[str, Entry]]:
        """Read keys and values up to the end of a mapping; of duplicate keys the first counts."""
        data: dict[str, Data] = {}
        marks: dict[str, Entry] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            key = self.key(event, depth)
            value, mark = self.value(next(self.events), depth + 1)
            if key in marks:
                first = f"It stands in line {marks[key].line} already."
                self.report(event, f"the key `{key}` a second time", first)
            elif key is not None:
                data[key] = value
                marks[key] = Entry(line, column, mark)
        return data, marks

    def key(self, event: yaml.Event, depth: int) -> str | None:
        """Read a key, None when it is not one; everything but text is refused."""
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            self.report(event, "a merge key (`<<`)", "Write the entries out.")
            return None
        key, _ = self.value(event, depth + 1)
        if isinstance(key, str):
            return key
        if not isinstance(event, yaml.AliasEvent):
            text = event.value if isinstance(event, yaml.ScalarEvent) else ""
            self.report(
                event, "a key that is not text", f'Put it in quotes: "{text}".' * bool(text)
            )
        return None

    def check_node(self, event: yaml.Event) -> None:
        """Report what may stand before a value but not in our files."""
        if event.anchor is not None:
            self.report(
                event, f"an anchor (`&{event.anchor}`)", "Write the value out where needed."
            )
        if event.tag is not None:
            advice = f'Put text with a leading `!` in quotes: "{event.tag}...".'
            self.report(event, f"a tag (`{event.tag}`)", advice)

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        """Return what a scalar stands for; what is quoted is text."""
        text: str = event.value
        if not event.implicit[0]:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text[0] not in _MAYBE_NUMBER:
            return text
        if _LEADING_ZERO.fullmatch(text):
            advice = f'Write {int(text)}, or "{text}" if it is text.'
            self.report(event, f"the number {text} with a leading zero", advice)
            return text
        return _number(text)

    def report(self, event: yaml.Event, what: str, advice: str) -> None:
        mark = event.start_mark
        where = Position(self.file, mark.line + 1, mark.column + 1)
        self.add(where.error(f"{what} is not accepted", advice))

    def add(self, finding: Diagnostic) -> None:
        """Record a finding; too many of them are a sign of a wrong or hostile file."""
        self.findings.append(finding)
        if len(self.findings) >= MAX_FINDINGS:
            raise _GivenUpError

    def syntax_error(self, error: yaml.MarkedYAMLError) -> Diagnostic:
        """Say where the text stops being YAML."""
        mark = error.problem_mark or error.context_mark
        where = Position(self.file, mark.line + 1, mark.column + 1) if mark else Position(self.file)
        lines = self.text.splitlines()
        line = lines[where.line - 1] if where.line <= len(lines) else ""
        if "\t" in line[: where.column] and not line[: where.column].strip():
            return where.error("a tab as indentation is not YAML", "Indent with spaces.")
        context = f" ({error.context})" if error.context else ""
        return where.error(f"this is not YAML: {error.problem}{context}")


def _number(text: str) -> Scalar:
    """Return the number that a plain scalar looks like, else the text."""
    if _INT.fullmatch(text):
        return int(text) if len(text) < 4000 else float(text)
    if _BASED_INT.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text
