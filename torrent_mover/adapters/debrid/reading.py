"""Reading answers of debrid services: JSON of the shape that was promised, or MalformedAnswer; nothing is ever read as empty."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from torrent_mover.adapters.http import HttpAnswer
from torrent_mover.domain.torrent.torrent import InfoHash

Row: TypeAlias = Mapping[str, Any]


class MalformedAnswer(Exception):
    """An answer is not what the service's API promises; the text says in which way."""


def parsed(answer: HttpAnswer) -> object:
    """The JSON of an answer."""
    if answer.location:
        raise MalformedAnswer("a redirect to another address")
    if answer.is_page:
        raise MalformedAnswer("a page for a browser")
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise MalformedAnswer("an answer that is cut, or no JSON") from error


def row_of(data: object) -> Row:
    """An object."""
    if not isinstance(data, dict):
        raise MalformedAnswer("something else than an object")
    return data


def rows_of(data: object) -> Sequence[Row]:
    """A list of objects."""
    if not isinstance(data, list):
        raise MalformedAnswer("something else than a list")
    return [row_of(each) for each in data]


def text(row: Row, key: str, otherwise: str | None = None) -> str:
    """A text; a number that stands for one too. `otherwise`: what a missing one is; None: it must be there."""
    value = row.get(key)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None and otherwise is not None:
        return otherwise
    raise MalformedAnswer(f"no text as {key}")


def number(row: Row, key: str, otherwise: float | None = None) -> float:
    """A number, also where it is written as text. `otherwise`: what a missing one is; None: it must be there."""
    value = row.get(key)
    if value is None and otherwise is not None:
        return otherwise
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        with suppress(ValueError):
            return float(value)
    raise MalformedAnswer(f"no number as {key}")


def whole(row: Row, key: str, otherwise: int | None = None) -> int:
    """A whole number."""
    return int(number(row, key, otherwise))


def infohash(value: object) -> InfoHash | None:
    """An infohash; None for what is none."""
    try:
        return InfoHash(value) if isinstance(value, str) else None
    except ValueError:
        return None


def path_of(value: str) -> str:
    """A path as files have it: without a slash at its beginning."""
    return value.lstrip("/")


def flat(
    nodes: object, name: str, inner: str, add: Callable[[str, Row], None], above: str = "", depth: int = 0
) -> None:
    """Walk a tree: `name` is the key of names, `inner` that of what a folder holds. `add` gets path and row of each file."""
    deepest = 64
    if depth > deepest:
        raise MalformedAnswer("folders without end")
    for row in rows_of(nodes):
        path = f"{above}/{text(row, name)}" if above else text(row, name)
        if inner in row:
            flat(row[inner], name, inner, add, path, depth + 1)
        else:
            add(path, row)
