"""What Real-Debrid's answers mean: its table of error codes, then the HTTP status, one class for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from torrent_mover.adapters.debrid.reading import MalformedAnswer, parsed
from torrent_mover.adapters.debrid.session import Call, retry_after
from torrent_mover.adapters.debrid.trouble import ServiceAnswer
from torrent_mover.adapters.http import HttpAnswer
from torrent_mover.domain.debrid.answers import AnswerClass

_OK: Final = range(200, 300)
_DONE_ALREADY: Final = 202
_NOTHING: Final = 204
_PLAIN_TEXT: Final = "time/iso"
_LINKS: Final = "unrestrict/"
_BAD_TOKEN: Final = 8
_UNAUTHORIZED: Final = 401
_BYTES_LIMIT: Final = "bytes_limit_reached"

FAIR_USE: Final = "36"
"""The code that parks for hours, and not until the server's midnight."""

CODES: Final[Mapping[int, AnswerClass]] = {
    **dict.fromkeys((5, 34), AnswerClass.PAUSE),
    21: AnswerClass.FULL,
    **dict.fromkeys((18, 23, 36), AnswerClass.PARK),
    **dict.fromkeys((*range(8, 16), 20, 22), AnswerClass.STOP),
    **dict.fromkeys((-1, 6, 16, 17, 25, 27), AnswerClass.AGAIN),
    **dict.fromkeys((19, 24), AnswerClass.DEAD_LINK),
    7: AnswerClass.GONE,
    **dict.fromkeys((26, 28, 29, 30, 35), AnswerClass.REFUSED),
    **dict.fromkeys((31, 33), AnswerClass.DONE),
    **dict.fromkeys((1, 2, 3, 4, 32, 37), AnswerClass.OURS),
}
"""`error_code` of an answer -> its class."""

STATUSES: Final[Mapping[int, AnswerClass]] = {
    400: AnswerClass.OURS,
    401: AnswerClass.STOP,
    403: AnswerClass.STOP,
    429: AnswerClass.PAUSE,
    451: AnswerClass.REFUSED,
    509: AnswerClass.FULL,
}
"""HTTP status of an answer without a code that is known -> its class."""


def read(call: Call, answer: HttpAnswer) -> ServiceAnswer:
    """See session.Reader. The code decides, then the status; what is neither makes no sense."""
    if answer.headers.get("x-error", "") == _BYTES_LIMIT:
        return ServiceAnswer(AnswerClass.PARK, answer.status, words=_BYTES_LIMIT)
    if answer.status in _OK:
        return _good(call, answer)
    said = _error_of(answer)
    code = said.get("error_code")
    code = code if isinstance(code, int) and not isinstance(code, bool) else None
    found = CODES.get(code) if code is not None else None
    if found is AnswerClass.DEAD_LINK and not call.path.startswith(_LINKS):
        found = AnswerClass.AGAIN  # a host of files that is away, at a call that is about no file
    if found is None:
        found = STATUSES.get(answer.status)
    if found is None and answer.status in range(500, 600):
        found = AnswerClass.AGAIN
    if found is None:
        raise MalformedAnswer(f"the answer {answer.status} without a reason")
    return ServiceAnswer(
        found,
        answer.status,
        f"{answer.status}/{code}" if code is not None else str(answer.status),
        str(said.get("error") or ""),
        retry_after=retry_after(answer),
        token=code == _BAD_TOKEN or (code not in CODES and answer.status == _UNAUTHORIZED),
    )


def _good(call: Call, answer: HttpAnswer) -> ServiceAnswer:
    if answer.status == _NOTHING:
        return ServiceAnswer(AnswerClass.GOOD, answer.status, total=_total(answer))
    if answer.status == _DONE_ALREADY:
        return ServiceAnswer(AnswerClass.DONE, answer.status, str(answer.status))
    if call.path == _PLAIN_TEXT:
        if answer.is_page:
            raise MalformedAnswer("a page for a browser")
        return ServiceAnswer(AnswerClass.GOOD, answer.status, data=answer.text)
    return ServiceAnswer(AnswerClass.GOOD, answer.status, data=parsed(answer), total=_total(answer))


def _total(answer: HttpAnswer) -> int | None:
    value = answer.headers.get("x-total-count", "")
    return int(value) if value.isdecimal() else None


def _error_of(answer: HttpAnswer) -> Mapping[str, Any]:
    """The object of an error answer; an empty one where a status without one says enough."""
    try:
        data = parsed(answer)
    except MalformedAnswer:
        if answer.location or answer.status not in STATUSES:
            raise
        if answer.status in (401, 403) and answer.is_page:  # a wall in front of the service, not the service
            raise
        return {}
    return data if isinstance(data, dict) else {}
