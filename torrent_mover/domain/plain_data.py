"""Records as plain data and back: frozen dataclasses of texts, numbers, paths, infohashes, enumerations, tuples and each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Mapping, Sequence
from enum import Enum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from torrent_mover.domain.paths import ClientPath, HostPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash

Record = TypeVar("Record")

_AS_IT_IS = {str, int, float, bool}
_AS_TEXT = (ClientPath, HostPath, LocalPath, InfoHash)


def to_plain(value: object) -> Any:  # noqa: ANN401  what JSON can say
    """The value as JSON can say it. Raises TypeError for what no record holds."""
    return _writer(cast(Hashable, type(value)))(value)


@cache
def _writer(kind: type[Any]) -> Callable[[Any], Any]:  # noqa: PLR0911  one kind of value a line
    """Says values of one kind as JSON can. Made once for each."""
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, str | int | float | NoneType):
        return lambda value: value
    if kind is RelativePath:
        return lambda value: list(value.parts)
    if kind is InfoHash:
        return lambda value: value.hex
    if issubclass(kind, _AS_TEXT):
        return str
    if issubclass(kind, tuple | list):
        return _all_plain
    if issubclass(kind, Mapping):
        return lambda value: {name: to_plain(each) for name, each in value.items()}
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
        if len(names) > 1 and set(get_type_hints(kind).values()) <= _AS_IT_IS:
            values = attrgetter(*names)
            return lambda value: dict(zip(names, values(value), strict=True))
        return lambda value: {name: to_plain(getattr(value, name)) for name in names}
    raise TypeError(f"a record cannot hold {kind.__name__}")


def _all_plain(values: Sequence[object]) -> list[Any]:
    """Each of them; thousands that are of one kind most often."""
    kinds = set(map(type, values))
    if len(kinds) == 1:
        return list(map(_writer(cast(Hashable, kinds.pop())), values))
    return [to_plain(each) for each in values]


def read_plain(shape: Any, data: object) -> Any:  # noqa: ANN401  a type that no TypeVar can name: a union, a sequence
    """As `from_plain`, for any type hint: `X | None`, `Sequence[X]`, `None`. Raises ValueError."""
    try:
        return _reader(shape)(data)
    except (TypeError, KeyError, LookupError, AttributeError) as error:
        raise ValueError(f"this is no {shape}: {error}") from error


def from_plain(shape: type[Record], data: object) -> Record:
    """The record that `to_plain` has made this of. Fields that are not there have their default: an older version wrote it.

    Raises ValueError for data that is no such record.
    """
    try:
        made = _reader(cast(Hashable, shape))(data)
    except (TypeError, KeyError, LookupError, AttributeError) as error:
        raise ValueError(f"this is no {shape.__name__}: {error}") from error
    if not isinstance(made, shape):
        raise ValueError(f"this is no {shape.__name__}")  # noqa: TRY004  it is the data that is wrong
    return made


@cache
def _reader(shape: Any) -> Callable[[Any], Any]:  # noqa: ANN401, PLR0911  one kind of value a line
    """Reads values of one kind. Made once for each: a journal holds thousands of records of few kinds."""
    origin = get_origin(shape)
    if origin in (Union, UnionType):
        known = _reader(next(each for each in get_args(shape) if each is not NoneType))
        return lambda data: None if data is None else known(data)
    if origin is Sequence:
        one = _reader(get_args(shape)[0])
        return lambda data: tuple(map(one, data))
    if origin is tuple:
        inner = [_reader(each) for each in get_args(shape) if each is not Ellipsis]
        if Ellipsis in get_args(shape):  # tuple[X, ...]
            return lambda data: tuple(map(inner[0], data))
        return lambda data: tuple(read(each) for read, each in zip(inner, data, strict=True))
    if shape is RelativePath:
        return lambda data: RelativePath(tuple(data))
    if isinstance(shape, type) and dataclasses.is_dataclass(shape) and shape not in _AS_TEXT:
        hints = get_type_hints(shape)
        fields = {field.name: _reader(hints[field.name]) for field in dataclasses.fields(shape)}
        return lambda data: shape(**{name: fields[name](each) for name, each in data.items() if name in fields})
    if shape in (None, NoneType):
        return lambda _data: None
    if shape in (str, int, bool):
        return lambda data: _exactly(shape, data)
    return float if shape is float else shape


def _exactly(shape: type[Any], data: object) -> object:
    if not isinstance(data, shape):
        raise TypeError(f"{data!r} is no {shape.__name__}")
    return data
