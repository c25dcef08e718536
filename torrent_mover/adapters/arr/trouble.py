"""What an Arr's answers mean when they are not the ones that were asked for: one error of ours for each."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlsplit

from torrent_mover.adapters.http import HttpAnswer, HttpTrouble
from torrent_mover.domain.arrs.errors import (
    ArrElsewhere,
    ArrGarbled,
    ArrItemRefused,
    ArrKeyRefused,
    ArrStarting,
    ArrTooOld,
    ArrUnreachable,
    NotAnArr,
    OtherArr,
    QueueLineGone,
)
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.settings.problems import printable

KEPT: Final = "Nothing was changed there; what waits for it is kept."

_LONGEST_QUOTE: Final = 160  # characters
_OK: Final = range(200, 300)
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_STARTING: Final = 503
_NOBODY_BEHIND: Final = (429, 502, 504)
_THIS_ITEM: Final = (400, 405, 409, 415, 422, 500)


class ArrTrouble:
    """Makes the errors of one Arr. `section` is its section of the config, `server` its host:port; `product` is learnt later.

    `key_place` says where its key comes from.
    """

    def __init__(self, section: str, server: str, key_place: str = "api_key") -> None:
        self.server = server
        self.product = "the Arr"
        self.version = ""
        self._section = section
        self._key_place = key_place

    @property
    def who(self) -> str:
        """How messages call it: `Sonarr at nas:8989`."""
        return f"{self.product[0].upper()}{self.product[1:]} at {self.server}"

    def check(self, answer: HttpAnswer, path: str) -> None:
        """Raise what an answer to a call below the API means, unless it is one. Only what is one may be read."""
        error = self._strange(answer, path)
        if error is not None:
            raise error

    def data(self, answer: HttpAnswer, shape: type[dict[str, Any]] | type[list[Any]]) -> Any:  # noqa: ANN401  JSON
        """The JSON of an answer, an object or a list. Raises ArrGarbled; nothing is ever read as empty."""
        try:
            read = json.loads(answer.body)
        except ValueError as error:
            raise self.garbled("an answer that is cut, or no JSON") from error
        if not isinstance(read, shape):
            raise self.garbled("an answer of another shape than its API promises")
        return read

    def no_answer(self, trouble: HttpTrouble) -> MoverError:
        """No whole answer came."""
        if trouble.cut:
            return self.garbled(trouble.what.removeprefix("gave "))
        return ArrUnreachable(
            f"{self.who} {trouble.what}.", kept=KEPT, remedy=trouble.remedy or self._look(), server=self.server
        )

    def garbled(self, what: str) -> ArrGarbled:
        """An answer that its API does not promise."""
        return ArrGarbled(f"{self.who} gave {what}.", kept=KEPT, remedy=self._look(), server=self.server)

    def no_arr(self, what: str) -> NotAnArr:
        """Something else answers."""
        return NotAnArr(
            f"A login page or proxy answers at {self.server} in place of an Arr: {what}.",
            kept=f"{KEPT} The answer was not read as an empty one.",
            remedy=f"Let /api pass the login of the proxy, or write the Arr's own address as url in [{self._section}].",
            server=self.server,
        )

    def other(self, wanted: str) -> OtherArr:
        """Another product than the config says."""
        return OtherArr(
            f"{self.who} is not a {wanted}: it says that it is {self.product} {self.version}.",
            kept=KEPT,
            remedy=f"Write in [{self._section}]: type = {self.product.casefold()}, or the url of that {wanted}.",
            server=self.server,
        )

    def unknown_product(self, app: str) -> OtherArr:
        """It says of itself that it is something that we do not know."""
        return OtherArr(
            f"What answers at {self.server} calls itself {_quoted(app)}: that is no Arr which is known here.",
            kept=KEPT,
            remedy=f"Check url in [{self._section}].",
            server=self.server,
        )

    def too_old(self, oldest: str) -> ArrTooOld:
        """Its version is below the first that works."""
        return ArrTooOld(
            f"{self.who} is too old: it is {self.version}, and {oldest} is the first that works.",
            kept=KEPT,
            remedy=f"Upgrade that {self.product}.",
            server=self.server,
        )

    def lacks(self, what: str) -> ArrTooOld:
        """It does not know a call of a version that we know."""
        version = f" {self.version}" if self.version else ""
        return ArrTooOld(
            f"{self.who}{version} has no {what}: it is older or newer than what is known here, or another product.",
            kept=KEPT,
            remedy=f"Check url and type in [{self._section}], and that it is up to date.",
            server=self.server,
        )

    def refused(self, answer: HttpAnswer) -> ArrItemRefused:
        """This one request is refused; others go on."""
        said = _said(answer)
        return ArrItemRefused(
            f"{self.who} refuses the request ({answer.status}){f': {said}' if said else ''}.",
            kept="This item waits; others go on.",
            remedy="Its own log says more: System > Logs.",
            server=self.server,
        )

    def unsayable(self) -> ArrItemRefused:
        """A path that JSON and URLs cannot carry: it is asked about nothing, and is well."""
        return ArrItemRefused(
            f"{self.who} cannot be told a name that is not UTF-8.",
            kept="This item waits; others go on.",
            remedy="Rename those files in their client.",
            server=self.server,
        )

    def line_gone(self, number: int) -> QueueLineGone:
        """Somebody took a line out of the queue."""
        return QueueLineGone(
            f"{self.who} has no line {number} in its queue any more.",
            kept="Nothing was blocked by that.",
            remedy="Its queue and history are read again.",
            server=self.server,
        )

    def _strange(self, answer: HttpAnswer, path: str) -> MoverError | None:
        status = answer.status
        error: MoverError | None = None
        if answer.location:
            error = self._sent_away(answer.location, path)
        elif status == _UNAUTHORIZED:
            error = self._login(answer)
        elif status == _STARTING and not answer.is_page:
            error = self._starting(answer)
        elif status == _STARTING or status in _NOBODY_BEHIND:
            error = ArrUnreachable(
                f"A web server in front of {self.who} answers {status} in its place.",
                kept=KEPT,
                remedy="Is the Arr running behind it?",
                server=self.server,
            )
        return error or self._no_answer_of_an_arr(answer, path)

    def _no_answer_of_an_arr(self, answer: HttpAnswer, path: str) -> MoverError | None:
        status = answer.status
        if status == _FORBIDDEN or answer.is_page:
            return self.no_arr(f"HTTP {status}" + (", a page for a browser" if answer.is_page else ""))
        if status == _NOT_FOUND:
            return self.lacks(path)
        if status in _THIS_ITEM:
            return self.refused(answer)
        return None if status in _OK else self.garbled(f"the answer {status}")

    def _login(self, answer: HttpAnswer) -> ArrKeyRefused:
        if "basic" in answer.headers.get("www-authenticate", "").lower():
            return ArrKeyRefused(
                f"A web server in front of {self.who} asks for a login of its own.",
                kept=KEPT,
                remedy=f"Write in [{self._section}]: basic_auth = user:password of that web server.",
                server=self.server,
            )
        return ArrKeyRefused(
            f"{self.who} refuses the key.",
            kept=KEPT,
            remedy=f"Settings > General > API Key there has the key; [{self._section}] takes it from {self._key_place}.",
            server=self.server,
        )

    def _starting(self, answer: HttpAnswer) -> ArrStarting:
        said = _said(answer)
        return ArrStarting(
            f"{self.who} is still starting{f': {said}' if said else ''}.",
            kept=KEPT,
            remedy="It is asked again by itself.",
            server=self.server,
        )

    def _sent_away(self, location: str, path: str) -> MoverError:
        target = location.partition("?")[0]
        base, found, rest = target.rpartition(path)
        if not found or rest:
            return self.no_arr(f"it sends us to {_quoted(target)}")
        here = urlsplit(base)
        url = base if here.netloc else f"http://{self.server.partition('/')[0]}{base}"
        return ArrElsewhere(
            f"{self.who} answers at another address: {_quoted(url)}.",
            kept=KEPT,
            remedy=f"Write in [{self._section}]: url = {_quoted(url)}",
            server=self.server,
        )

    def _look(self) -> str:
        return f"Open {self.server} in a browser, and look at System > Logs there."


def _said(answer: HttpAnswer) -> str:
    """The Arr's own sentence of an error: {message}, {errorMessage}, or a list of {propertyName, errorMessage}."""
    try:
        read = json.loads(answer.body)
    except ValueError:
        return ""
    found = read[0] if isinstance(read, list) and read else read
    if not isinstance(found, dict):
        return ""
    said = found.get("errorMessage") or found.get("message") or ""
    return _quoted(str(said)).rstrip(".")


def _quoted(text: str) -> str:
    """A stranger's words on one line, printable, not too many."""
    return printable(" ".join(text.split()))[:_LONGEST_QUOTE]
