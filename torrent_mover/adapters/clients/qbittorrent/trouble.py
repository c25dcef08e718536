"""Turns what goes wrong between us and a Web UI into errors that name the cause and the line that helps."""

from __future__ import annotations

import re
from dataclasses import dataclass

import requests
from qbittorrentapi import exceptions as api_errors

from torrent_mover.domain.errors import (
    BadAnswer,
    Banned,
    LoginRefused,
    NotWritable,
    ServerError,
    ServerTooOld,
    Unreachable,
)

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_NOTHING_DONE = "Nothing was changed."
_FIRST_ERROR = 400
_UNAUTHORIZED, _NOT_FOUND = 401, 404
_LONGEST_QUOTE = 60  # characters of a stranger's page that a message repeats


@dataclass(frozen=True, slots=True)
class Trouble:
    """Words errors for one server: `place` is its host:port, `section` the part of the config that describes it."""

    place: str
    section: str
    timeout: float

    def login_refused(self) -> LoginRefused:
        """The Web UI does not take user name and password."""
        return LoginRefused(
            f"qBittorrent at {self.place} refused the login: wrong user name or password.",
            kept="It was asked only once, so that it does not ban this address.",
            remedy=f"Set in [{self.section}]: username and password, as for its Web UI.",
        )

    def key_refused(self) -> LoginRefused:
        """The Web UI does not take the API key."""
        return LoginRefused(
            f"qBittorrent at {self.place} refused the API key (it takes keys from version 5.2 on).",
            kept=_NOTHING_DONE,
            remedy=f"Set in [{self.section}]: api_key, as shown in its Web UI options; or username and password instead.",
        )

    def login_missing(self) -> LoginRefused:
        """No user name is configured, and the Web UI wants one."""
        return LoginRefused(
            f"qBittorrent at {self.place} wants a login, and none is configured.",
            kept=_NOTHING_DONE,
            remedy=f"Set in [{self.section}]: username and password, as for its Web UI.",
        )

    def origin_refused(self, response: requests.Response | None) -> LoginRefused:
        """A 401: a proxy's own password, or qBittorrent's host header check (wrong passwords answer so since 5.2)."""
        if response is not None and "WWW-Authenticate" in response.headers:
            return LoginRefused(
                f"A web server in front of qBittorrent at {self.place} asks for a password of its own.",
                kept=_NOTHING_DONE,
                remedy="Let that server pass /api/ without a password of its own (qBittorrent asks for one anyway).",
            )
        return LoginRefused(
            f"qBittorrent at {self.place} refused the login: wrong user name or password, or a host name it does not accept.",
            kept="It was asked only once, so that it does not ban this address.",
            remedy=f"Check username and password in [{self.section}]; where they are right, add the host name to"
            " 'Server domains' in qBittorrent's Web UI options.",
        )

    def banned(self) -> Banned:
        """A 403 as the answer to a login."""
        return Banned(
            f"qBittorrent at {self.place} has banned this address after too many failed logins.",
            kept=_NOTHING_DONE,
            remedy="Restart that qBittorrent, or wait until the ban ends (one hour, unless its Web UI options say otherwise;"
            f" 'Ban client after consecutive failures'). Before that, correct username and password in [{self.section}].",
        )

    def forbidden(self, response: requests.Response | None) -> BadAnswer | NotWritable:
        """A 403 directly after a login that was accepted: about the order, where the Web UI says more than that."""
        said = _quoted(response.text) if response is not None else ""
        if said in ("", "Forbidden"):
            return self.session_lost()
        return NotWritable(
            f"qBittorrent at {self.place} refuses the order: {said}.",
            kept=_NOTHING_DONE,
            remedy="Give the user that runs qBittorrent the right to write there.",
        )

    def session_lost(self) -> BadAnswer:
        """A 403 directly after a login that was accepted."""
        return BadAnswer(
            f"qBittorrent at {self.place} accepts the login and forgets it at once.",
            kept=_NOTHING_DONE,
            remedy="A proxy in front of it may remove cookies: let it pass Cookie and Set-Cookie, or connect directly.",
        )

    def too_old(self, version: str) -> ServerTooOld:
        """Before Web API 2.8.14 there is no torrents/export."""
        return ServerTooOld(
            f"qBittorrent at {self.place} is too old: torrent_mover needs qBittorrent 4.5 or later (found {version}).",
            kept=_NOTHING_DONE,
            remedy="Upgrade qBittorrent there: it cannot hand out .torrent files before 4.5.",
        )

    def garbled(self, what: str = "an answer that makes no sense") -> BadAnswer:
        """An answer that is not what the Web API promises."""
        return BadAnswer(
            f"qBittorrent at {self.place} gave {what}.",
            kept=_NOTHING_DONE,
            remedy=f"Open {self.place} in a browser. If that shows qBittorrent, look at its log (View > Log).",
        )

    def not_qbittorrent(self, response: requests.Response) -> BadAnswer:
        """Something else answers there."""
        return BadAnswer(
            f"What answers at {self.place} is not qBittorrent's Web UI: {_looks_like(response)}.",
            kept=_NOTHING_DONE,
            remedy=f"Check host and port in [{self.section}]. Behind a proxy, host needs the whole address,"
            " such as https://box.example.org/qbittorrent",
        )

    def redirected(self, response: requests.Response) -> BadAnswer:
        """It sends us elsewhere; following would turn a POST into a GET."""
        target = response.headers.get("Location", "").partition("?")[0].partition("/api/v2")[0]
        return BadAnswer(
            f"What answers at {self.place} sends us to another address: {_quoted(target)}.",
            kept=_NOTHING_DONE,
            remedy=f"Set in [{self.section}]: host = {_quoted(target)} if that is the right one.",
        )

    def check(self, response: requests.Response, *_: object, **__: object) -> None:
        """Raise BadAnswer for a redirect or a web page. Shaped as a response hook of requests."""
        if response.is_redirect:
            raise self.redirected(response)
        page = "html" in response.headers.get("Content-Type", "").lower()
        if page and (response.status_code < _FIRST_ERROR or response.status_code == _NOT_FOUND):
            raise self.not_qbittorrent(response)

    def explain(self, error: requests.RequestException | api_errors.APIError) -> ServerError:
        """The error of ours for one of the libraries'."""
        response = error.response if isinstance(error, requests.RequestException) else None
        if response is not None and response.status_code >= _FIRST_ERROR:
            return self._status(response)
        if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.Timeout):
            return self._connection(error)
        if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
            return self.garbled("an answer that was cut off")
        if isinstance(error, api_errors.APIError):
            return self.garbled()
        return self._unreachable("cannot be asked at that address", f"Check host and port in [{self.section}].")

    def _status(self, response: requests.Response) -> ServerError:
        if response.status_code == _UNAUTHORIZED:
            return self.origin_refused(response)
        if response.status_code == _NOT_FOUND:
            return self.not_qbittorrent(response)
        return self.garbled(f"the answer {response.status_code} {_quoted(response.reason or '')}".rstrip())

    def _tls(self, error: requests.exceptions.SSLError) -> Unreachable:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return self._unreachable(
                "shows a certificate that cannot be verified",
                f"Let REQUESTS_CA_BUNDLE name a file with its certificate; or, if it is self-signed and the network is"
                f" yours, set in [{self.section}]: verify_cert = false",
            )
        return self._unreachable(
            "does not speak HTTPS properly",
            f"If its Web UI is plain HTTP, let host in [{self.section}] begin with http://",
        )

    def _connection(self, error: requests.RequestException) -> Unreachable:
        if isinstance(error, requests.exceptions.SSLError):
            return self._tls(error)
        if isinstance(error, requests.exceptions.Timeout):
            return self._unreachable(
                f"did not answer within {self.timeout:.0f} s",
                f"Is the machine up? Check host and port in [{self.section}].",
            )
        text = str(error)
        if "NameResolutionError" in text or "getaddrinfo" in text:
            return self._unreachable("has a name that cannot be resolved", f"Check host in [{self.section}].")
        if "refused" in text:
            return self._unreachable(
                "refuses the connection: nothing listens there",
                f"Start qBittorrent there and switch its Web UI on; check host and port in [{self.section}].",
            )
        if "Proxy" in type(error).__name__:
            return self._unreachable(
                "is behind a proxy that does not answer", "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY."
            )
        return self._unreachable(
            "broke the connection off",
            f"Is it restarting? If its Web UI is HTTPS, let host in [{self.section}] begin with https://",
        )

    def _unreachable(self, what: str, remedy: str) -> Unreachable:
        return Unreachable(f"qBittorrent at {self.place} {what}.", kept=_NOTHING_DONE, remedy=remedy)


def _looks_like(response: requests.Response) -> str:
    server = response.headers.get("Server", "")
    title = _TITLE.search(response.text)
    parts = [f"HTTP {response.status_code}"]
    if server:
        parts.append(f"from {_quoted(server)}")
    if title:
        parts.append(f"a page called '{_quoted(title[1])}'")
    return ", ".join(parts)


def _quoted(text: str) -> str:
    """A stranger's words on one line, printable, not too many."""
    line = " ".join(text.split())
    return "".join(character for character in line if character.isprintable())[:_LONGEST_QUOTE]
