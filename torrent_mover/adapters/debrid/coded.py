"""Answers of services that wrap everything in an object: the word for what is wrong decides, then the HTTP status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.adapters.debrid.reading import MalformedAnswer, Row, parsed, row_of
from torrent_mover.adapters.debrid.session import retry_after
from torrent_mover.adapters.debrid.trouble import ServiceAnswer
from torrent_mover.adapters.http import HttpAnswer
from torrent_mover.domain.debrid.account import RemoteFile
from torrent_mover.domain.debrid.answers import AnswerClass

_STATUSES: Final[Mapping[int, AnswerClass]] = {
    400: AnswerClass.OURS,
    401: AnswerClass.STOP,
    403: AnswerClass.STOP,
    429: AnswerClass.PAUSE,
    451: AnswerClass.REFUSED,
}
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class Wrapped:
    """An answer without its wrapping. `code` and `words` of one that is not `good`."""

    good: bool
    data: object = None
    code: str = ""
    words: str = ""


def unwrapped(answer: HttpAnswer) -> Row | None:
    """The object of an answer; None where there is none and the HTTP status says enough."""
    try:
        return row_of(parsed(answer))
    except MalformedAnswer:
        if answer.status in _STATUSES and not answer.is_page and not answer.location:
            return None
        raise


def understood(answer: HttpAnswer, wrapped: Wrapped | None, found: AnswerClass | None, *, token: bool) -> ServiceAnswer:
    """What an answer means. `found`: the class of its word, None where that is not known; `token`: the token is refused."""
    if wrapped is not None and wrapped.good and answer.status in range(200, 300):
        return ServiceAnswer(AnswerClass.GOOD, answer.status, data=wrapped.data)
    by_status = _STATUSES.get(answer.status)
    if found is None:
        found = by_status or (AnswerClass.AGAIN if wrapped is not None else None)
    if found is None:
        raise MalformedAnswer(f"the answer {answer.status} without a reason")
    said = ServiceAnswer(
        found, answer.status, retry_after=retry_after(answer), token=token or answer.status == _UNAUTHORIZED
    )
    return said if wrapped is None else replace(said, code=wrapped.code, words=wrapped.words)


def without_root(files: Sequence[RemoteFile], name: str) -> tuple[RemoteFile, ...]:
    """The files of a torrent without its own folder, where every path begins with it."""
    root = f"{name}/"
    if not files or not all(file.path.startswith(root) for file in files):
        return tuple(files)
    return tuple(replace(file, path=file.path.removeprefix(root)) for file in files)
