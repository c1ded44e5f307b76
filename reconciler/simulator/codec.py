"""The values of `model` as JSON and back, by their annotations. Defaults are left out.

State files are written at every change: what a value of a type is made of is found out once.
"""

import types
from collections.abc import Callable, Container, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_Coder = Callable[[Any], Any]


def encode(value: Any) -> Any:
    """Return a value of the model as what json.dumps takes."""
    kind: Any = type(value)
    return _encoder(kind)(value)


def changes(before: T, after: T, *, without: Container[str]) -> dict[str, Any]:
    """Return the fields of a value that are others than those of an earlier one, encoded."""
    kind: Any = type(after)
    return {
        field.name: field.encode(found)
        for field in _fields(kind)
        if field.name not in without
        and (found := getattr(after, field.name)) is not getattr(before, field.name)
    }


def decode(kind: type[T], document: Any) -> T:
    """Return the value of a type; raise ValueError, TypeError or KeyError for what is none."""
    decoder: _Coder = _decoder(kind)  # type: ignore[arg-type]
    found: T = decoder(document)
    return found


def changed(before: T, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that `changes` encoded; raise as `decode` does."""
    kind: Any = type(before)
    decoders = _decoders(kind)
    return {name: decoders[name](value) for name, value in document.items()}


# -- fields ----------------------------------------------------------------------------------------


class _Field(NamedTuple):
    name: str
    default: Any
    encode: _Coder
    decode: _Coder


@cache
def _fields(kind: Any) -> tuple[_Field, ...]:
    hints = get_type_hints(kind)
    return tuple(
        _Field(
            field.name, _default(field), _encoder(hints[field.name]), _decoder(hints[field.name])
        )
        for field in fields(kind)
    )


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING


# -- values to JSON --------------------------------------------------------------------------------


@cache
def _encoder(kind: Any) -> _Coder:
    if is_dataclass(kind):
        return _dataclass_encoder(kind)
    inner = _inner(kind)
    if inner is None:
        return _itself
    origin: Any = get_origin(kind)
    encoder = _encoder(inner)
    if origin in {Union, types.UnionType}:
        return lambda found: None if found is None else encoder(found)
    if origin is frozenset:
        return sorted
    if origin is Mapping:
        return _mapping_encoder(encoder)
    return lambda found: [encoder(value) for value in found]


def _mapping_encoder(encoder: _Coder) -> _Coder:
    if encoder is _itself:
        return dict
    return lambda found: {name: encoder(value) for name, value in found.items()}


def _dataclass_encoder(kind: Any) -> _Coder:
    known = _fields(kind)
    return lambda value: {
        field.name: field.encode(found)
        for field in known
        if (found := getattr(value, field.name)) != field.default
    }


def _itself(value: Any) -> Any:
    """Return what json.dumps takes as it is: texts, numbers, named tuples of those."""
    return value


# -- JSON to values --------------------------------------------------------------------------------


@cache
def _decoder(kind: Any) -> _Coder:
    if is_dataclass(kind):
        return _dataclass_decoder(kind)
    if hasattr(kind, "_fields"):
        return lambda found: kind(*found)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    inner = _inner(kind)
    return _checked(kind) if inner is None else _container_decoder(kind, _decoder(inner))


def _container_decoder(kind: Any, inner: _Coder) -> _Coder:
    origin: Any = get_origin(kind)
    if origin in {Union, types.UnionType}:
        return lambda found: None if found is None else inner(found)
    if origin is Mapping:
        return lambda found: {name: inner(value) for name, value in found.items()}
    return lambda found: origin(map(inner, found))


def _dataclass_decoder(kind: Any) -> _Coder:
    decoders = _decoders(kind)
    return lambda found: kind(**{name: decoders[name](value) for name, value in found.items()})


@cache
def _decoders(kind: Any) -> Mapping[str, _Coder]:
    return {field.name: field.decode for field in _fields(kind)}


def _checked(kind: Any) -> _Coder:
    def decoder(found: Any) -> Any:
        if type(found) is not kind:
            raise TypeError(f"{found!r} is not of the type {kind.__name__}")
        return found

    return decoder


def _inner(kind: Any) -> Any:
    """Return the type of what a container holds, None for what is no container."""
    arguments = [argument for argument in get_args(kind) if argument is not types.NoneType]
    if not arguments:
        return None
    return arguments[-1] if get_origin(kind) is Mapping else arguments[0]
