"""The values of `model` as JSON and back, by their annotations. Defaults are left out."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_Decoder = Callable[[Any], Any]


def encode(value: Any) -> Any:
    """Return a value as what json.dumps takes."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            name: encode(found)
            for name, default in _defaults(type(value))
            if (found := getattr(value, name)) != default
        }
    if isinstance(value, Mapping):
        return {name: encode(found) for name, found in value.items()}
    if isinstance(value, tuple):
        return [encode(found) for found in value]
    if isinstance(value, frozenset):
        return sorted(value)
    return value


def decode(kind: type[T], document: Any) -> T:
    """Return the value of a type; raise ValueError, TypeError or KeyError for what is none."""
    decoder: _Decoder = _decoder(kind)  # type: ignore[arg-type]
    found: T = decoder(document)
    return found


@cache
def _defaults(kind: type) -> list[tuple[str, Any]]:
    return [(field.name, _default(field)) for field in fields(kind)]


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING


@cache
def _decoder(kind: Any) -> _Decoder:
    if is_dataclass(kind):
        return _dataclass_decoder(kind)
    if hasattr(kind, "_fields"):
        return lambda found: kind(*found)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    return _checked(kind) if get_origin(kind) is None else _container_decoder(kind)


def _container_decoder(kind: Any) -> _Decoder:
    origin: Any = get_origin(kind)
    arguments = [argument for argument in get_args(kind) if argument is not types.NoneType]
    inner = _decoder(arguments[-1] if origin is Mapping else arguments[0])
    if origin in {Union, types.UnionType}:
        return lambda found: None if found is None else inner(found)
    if origin is Mapping:
        return lambda found: {name: inner(value) for name, value in found.items()}
    return lambda found: origin(map(inner, found))


def _dataclass_decoder(kind: Any) -> _Decoder:
    hints = get_type_hints(kind)
    decoders = {field.name: _decoder(hints[field.name]) for field in fields(kind)}
    return lambda found: kind(**{name: decoders[name](value) for name, value in found.items()})


def _checked(kind: Any) -> _Decoder:
    def decoder(found: Any) -> Any:
        if type(found) is not kind:
            raise TypeError(f"{found!r} is not of the type {kind.__name__}")
        return found

    return decoder
