"""Spec objects as text: YAML with the remarks as comments right above what they are about."""

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.importing.remarks import Remark

WIDTH = 100
_API_VERSION = "reconciler/v1alpha1"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*|(?:[0-9]+[smhdw])+")
_NOT_TEXT = re.compile(r"null|true|false|yes|no|on|off|y|n", re.IGNORECASE)

Scalar = str | int | bool


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping, in the order of its fields."""

    fields: tuple["Field", ...] = ()


Value = Scalar | Section | tuple[str, ...] | tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A key with its value and what is to be said of it."""

    key: str
    value: Value
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class SpecText:
    """One object of a spec file, to be written."""

    kind: str
    name: str
    spec: Section
    remarks: tuple[Remark, ...] = ()

    def remarks_within(self) -> Iterator[Remark]:
        """Yield all remarks of the object."""
        yield from self.remarks
        yield from _remarks(self.spec)

    def __str__(self) -> str:
        metadata = Section((Field("name", self.name),))
        fields = (
            Field("apiVersion", _API_VERSION),
            Field("kind", self.kind),
            Field("metadata", metadata),
            Field("spec", self.spec),
        )
        return comments(self.remarks) + "".join(f"{line}\n" for line in _lines(Section(fields)))


def comments(remarks: tuple[Remark, ...], indent: str = "") -> str:
    """Return remarks as comment lines."""
    return "".join(f"{line}\n" for line in _comments(remarks, indent))


def _remarks(value: Value) -> Iterator[Remark]:
    match value:
        case Section(fields):
            for field in fields:
                yield from field.remarks
                yield from _remarks(field.value)
        case tuple():
            for item in value:
                yield from _remarks(item)


def _comments(remarks: tuple[Remark, ...], indent: str) -> Iterator[str]:
    for remark in remarks:
        yield from textwrap.wrap(
            _one_line(str(remark)),
            WIDTH,
            initial_indent=f"{indent}# ",
            subsequent_indent=f"{indent}#   ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _one_line(text: str) -> str:
    """Escape what would end a comment."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _lines(section: Section, indent: str = "") -> Iterator[str]:
    for field in section.fields:
        yield from _comments(field.remarks, indent)
        head = f"{indent}{field.key}:"
        match field.value:
            case Section() as inner if any(_remarks(inner)) or not _flat(inner):
                yield head
                yield from _lines(inner, f"{indent}  ")
            case tuple() as items if items and all(isinstance(i, Section) for i in items):
                yield head
                for item in items:
                    yield from _item(item, f"{indent}  ")
            case value:
                yield f"{head} {_flow(value)}"


def _item(item: str | Section, indent: str) -> Iterator[str]:
    """Yield a section as an item of a list; comments stand above its dash."""
    if not isinstance(item, Section):
        raise TypeError(item)
    first, *rest = item.fields
    yield from _comments(first.remarks, indent)
    body = [*_lines(Section((Field(first.key, first.value), *rest)), f"{indent}  ")]
    yield f"{indent}- {body[0].lstrip()}"
    yield from body[1:]


def _flat(section: Section) -> bool:
    """Tell whether a section is short enough for one line."""
    plain = all(not isinstance(f.value, Section | tuple) or _is_small(f) for f in section.fields)
    return plain and len(_flow(section)) <= WIDTH // 2


def _is_small(field: Field) -> bool:
    return isinstance(field.value, Section) and len(field.value.fields) <= 1 and _flat(field.value)


def _flow(value: Value) -> str:
    match value:
        case Section(fields):
            return "{" + ", ".join(f"{f.key}: {_flow(f.value)}" for f in fields) + "}"
        case tuple():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
    plain = _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value)
    return value if plain else json.dumps(value, ensure_ascii=False)
