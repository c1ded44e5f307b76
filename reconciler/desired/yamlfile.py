"""Strict YAML: text → plain data with positions. The only home of the yaml package.

YAML 1.2's core schema (so `no` and `22:22` are text) without what makes files surprising: no
duplicate keys, anchors, aliases, merge keys, tags or directives, no number with leading zeros.
Files are small, flat UTF-8 text. The parser's events are read one by one, so that a hostile file
is given up on before it grows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from reconciler.desired.diagnostics import Diagnostic, Position, shown
from reconciler.desired.document import Data, Document, Entry, Mark, Scalar

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20
MAX_DIGITS = 300
MAX_FINDINGS = 20
"""A file with more than this many findings is not read on."""

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


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds, and what is wrong with it as YAML."""

    documents: tuple[Document, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    complete: bool = False
    """Whether the file was read to its end and had something in it."""


def parse(file: str, content: bytes) -> Parsed:
    """Read all documents of a file's content."""
    if isinstance(text := _decode(file, content), Diagnostic):
        return Parsed(diagnostics=(text,))
    reader = _Reader(file, text)
    documents = tuple(reader.documents())
    if not documents and not reader.findings:
        reader.findings.append(Position(file).error(*_NOTHING))
    return Parsed(documents, tuple(reader.findings), reader.at_end and bool(documents))


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
    at_end: bool = False

    def __post_init__(self) -> None:
        self.events = yaml.parse(self.text, Loader=_Loader)

    def documents(self) -> Iterator[Document]:
        """Yield the documents up to the end or to where reading on makes no sense."""
        try:
            for event in self.events:
                if isinstance(event, yaml.DocumentStartEvent):
                    yield self.document(event)
            self.at_end = True
        except yaml.MarkedYAMLError as error:
            self.findings.append(self.syntax_error(error))
        except _GivenUpError:
            pass

    def document(self, start: yaml.DocumentStartEvent) -> Document:
        before = len(self.findings)
        if start.version or start.tags:
            self.refuse(start, "a directive", "Remove the line that begins with `%`.")
        event = next(self.events)
        if isinstance(event, yaml.ScalarEvent) and not event.value and event.implicit[0]:
            where = self.place(event)
            self.add(where.error("the document is empty", "Remove it, or the `---` too many."))
            return Document(self.file, None, Mark(where.line, where.column), broken=True)
        data, mark = self.value(event, 1)
        return Document(self.file, data, mark, broken=len(self.findings) > before)

    def value(self, event: yaml.Event, depth: int) -> tuple[Data, Mark]:
        """Read the value that begins with this event."""
        line, column = _start(event)
        match event:
            case yaml.ScalarEvent():
                self.check_node(event)
                return self.scalar(event), Mark(line, column)
            case yaml.MappingStartEvent():
                self.check_node(event, depth)
                entries, keys = self.mapping(depth)
                return entries, Mark(line, column, keys)
            case yaml.SequenceStartEvent():
                self.check_node(event, depth)
                items = list(self.items(depth))
                return [data for data, _ in items], Mark(line, column, [mark for _, mark in items])
        name = f"*{event.anchor}" if isinstance(event, yaml.AliasEvent) else "*"
        self.refuse(event, f"an alias (`{name}`)", "Write it out; put text with a `*` in quotes.")
        return None, Mark(line, column)

    def items(self, depth: int) -> Iterator[tuple[Data, Mark]]:
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            yield self.value(event, depth + 1)

    def mapping(self, depth: int) -> tuple[dict[str, Data], dict[str, Entry]]:
        """Read keys and values up to the end of a mapping; of duplicate keys the first counts."""
        data: dict[str, Data] = {}
        marks: dict[str, Entry] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event, depth)
            value, mark = self.value(next(self.events), depth + 1)
            if key in marks:
                first = f"It stands in line {marks[key].line} already."
                self.refuse(event, f"the key {shown(key)} a second time", first)
            elif key is not None:
                data[key] = value
                marks[key] = Entry(*_start(event), mark)
        return data, marks

    def key(self, event: yaml.Event, depth: int) -> str | None:
        """Read a key, None when it is not one; everything but text is refused."""
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            self.refuse(event, "a merge key (`<<`)", "Write the entries out.")
            return None
        key, _ = self.value(event, depth + 1)
        if isinstance(key, str):
            return key
        if not isinstance(event, yaml.AliasEvent):
            advice = "Put it in quotes." if isinstance(event, yaml.ScalarEvent) else ""
            self.refuse(event, "a key that is not text", advice)
        return None

    def check_node(self, event: yaml.NodeEvent, depth: int = 0) -> None:
        """Refuse what may stand before a value in YAML, and what is nested beyond all reason."""
        if event.anchor is not None:
            name = shown(f"&{event.anchor}")
            self.refuse(event, f"an anchor ({name})", "Write the value out where it is needed.")
        tag: str | None = getattr(event, "tag", None)
        if tag is not None:
            advice = "Put text with a leading `!` in quotes." if tag.startswith("!") else ""
            self.refuse(event, f"a tag ({shown(tag)})", advice)
        if depth > MAX_DEPTH:
            self.add(self.place(event).error(f"the file is nested deeper than {MAX_DEPTH} levels"))
            raise _GivenUpError

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
            advice = "Leave out the zero, or put it in quotes if it is text."
            self.refuse(event, f"the number {shown(text)} with a leading zero", advice)
            return text
        return _number(text)

    def place(self, event: yaml.Event) -> Position:
        return Position(self.file, *_start(event))

    def refuse(self, event: yaml.Event, what: str, advice: str) -> None:
        """Record that something is YAML but not accepted."""
        self.add(self.place(event).error(f"{what} is not accepted", advice))

    def add(self, finding: Diagnostic) -> None:
        """Record a finding; too many of them are a sign of a wrong or hostile file."""
        self.findings.append(finding)
        if len(self.findings) >= MAX_FINDINGS:
            raise _GivenUpError

    def syntax_error(self, error: yaml.MarkedYAMLError) -> Diagnostic:
        """Say where the text stops being YAML."""
        mark = error.problem_mark or error.context_mark
        where = Position(self.file, mark.line + 1, mark.column + 1) if mark else Position(self.file)
        line = "".join(self.text.splitlines()[where.line - 1 : where.line])[: where.column]
        if "\t" in line and not line.strip():
            return where.error("a tab as indentation is not YAML", "Indent with spaces.")
        context = f" ({error.context})" if error.context else ""
        return where.error(f"this is not YAML: {error.problem}{context}")


def _start(event: yaml.Event) -> tuple[int, int]:
    """Return line and column of where an event begins, from 1."""
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _number(text: str) -> Scalar:
    """Return the number that a plain scalar looks like, else the text."""
    if len(text) > MAX_DIGITS:
        return text  # Python refuses to print such numbers
    if _INT.fullmatch(text):
        return int(text)
    if _BASED_INT.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text
