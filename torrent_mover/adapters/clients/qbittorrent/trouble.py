"""Turns what goes wrong between us and a Web UI into errors that name the cause and the line that helps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from qbittorrentapi import exceptions as api_errors

from torrent_mover.adapters.proxies import Proxy
from torrent_mover.domain.errors import (
    BadAnswer,
    Banned,
    LoginRefused,
    MissingProgram,
    MoverError,
    NotWritable,
    ServerError,
    ServerTooOld,
    TorrentError,
    Unreachable,
)
from torrent_mover.domain.text import clause
from torrent_mover.domain.text import size as in_words

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_NOTHING_DONE = "Nothing was changed."
_FIRST_ERROR = 400
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_LARGE, _TOO_MANY = 400, 401, 403, 404, 413, 429
_PROXY_LOGIN = 407
_SILENT_BEHIND = (502, 503, 504)
_NEVER_AS_PAGE = (_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND)
"""Refusals that qBittorrent words in plain text: as a web page, and logins refused in JSON, they are somebody else's."""

_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d{3}) ?([^'\")]*)")
"""What http.client says of a proxy that does not connect us (RFC 9110, 9.3.6)."""
_WHY_NO_PROXY = re.compile(r"(?:\[Errno -?\d+\]|0x0\d:) ([^'\")]+)")
"""The system's word for it, or PySocks's for what a SOCKS proxy answers."""
_WHY_UNVERIFIED = re.compile(r"certificate verify failed: (.*?)(?: \(_ssl|'\)|$)")
_LONGEST_QUOTE = 60  # characters of a stranger's page that a message repeats
_LONGEST_ADDRESS = 200  # characters of an address that a message repeats: it is there to be copied


_PAST_THE_GATE = (
    "If it is a login page (Authelia, Cloudflare Access), exempt /api/ from it there, or set host to"
    " qBittorrent's own address."
)


@dataclass(frozen=True, slots=True)
class AnswerTrouble:
    """Words errors for one server: `place` is its host:port, `section` the part of the config that describes it.

    `proxy` is on the way there, where one is.
    """

    place: str
    section: str
    timeout: float
    proxy: Proxy | None = None

    def login_refused(self) -> LoginRefused:
        """The Web UI does not take user name and password."""
        return LoginRefused(
            f"qBittorrent at {self.place} refused the login: wrong user name or password.",
            kept="Tried only once, to avoid a ban.",
            remedy=f"Set in [{self.section}]: username and password, as for its Web UI.",
            server=self.place,
        )

    def key_refused(self) -> LoginRefused:
        """The Web UI does not take the API key."""
        return LoginRefused(
            f"qBittorrent at {self.place} refused the API key (it takes keys from version 5.2 on).",
            kept=_NOTHING_DONE,
            remedy=f"Set in [{self.section}]: api_key, as shown in its Web UI options; or username and password instead.",
            server=self.place,
        )

    def login_missing(self) -> LoginRefused:
        """No user name is configured, and the Web UI wants one."""
        return LoginRefused(
            f"qBittorrent at {self.place} requires a login, but none is configured.",
            kept=_NOTHING_DONE,
            remedy=f"Set in [{self.section}]: username and password, as for its Web UI.",
            server=self.place,
        )

    def origin_refused(self, response: requests.Response | None) -> LoginRefused:
        """A 401: a proxy's own password, or qBittorrent's host header check (wrong passwords answer so since 5.2)."""
        if response is not None and "WWW-Authenticate" in response.headers:
            return self._front_wants_login(response)
        return LoginRefused(
            f"qBittorrent at {self.place} refused the login: wrong user name or password, or a host name it does not accept.",
            kept="Tried only once, to avoid a ban.",
            remedy=f"Check username and password in [{self.section}]; where they are right, add the host name to"
            " 'Server domains' in qBittorrent's Web UI options. A web server in front must pass on the Host header that qBittorrent"
            " expects, including the port (nginx: proxy_set_header Host $proxy_host).",
            server=self.place,
        )

    def port_refused(self) -> LoginRefused:
        """Its check of the Host header fails by the port alone: we come by a port that is not its own."""
        return LoginRefused(
            f"qBittorrent at {self.place} refuses the address, not the login: it listens on another port than the one we used"
            " (an SSH tunnel, a container's published port), and accepts only its own port.",
            kept="Tried only once, to avoid a ban.",
            remedy="Give the tunnel the same port at both ends: ssh -L 8080:127.0.0.1:8080 where its Web UI has port 8080, and"
            f" port = 8080 in [{self.section}] (a container: -p 8080:8080). Or set tunnel = yes, with host and port as"
            " the SSH server sees them.",
            server=self.place,
        )

    def _front_wants_login(self, response: requests.Response) -> LoginRefused:
        if str(response.request.headers.get("Authorization", "")).startswith("Basic "):
            return LoginRefused(
                f"The web server in front of qBittorrent at {self.place} refused the login in basic_auth.",
                kept="Tried only once.",
                remedy=f"Set in [{self.section}]: basic_auth = user:password, the login that a browser asks for first.",
                server=self.place,
            )
        return LoginRefused(
            f"A web server in front of qBittorrent at {self.place} asks for its own password.",
            kept=_NOTHING_DONE,
            remedy=f"Set in [{self.section}]: basic_auth = user:password for that server; username and password"
            " stay those of qBittorrent itself.",
            server=self.place,
        )

    def banned(self) -> Banned:
        """A 403 as the answer to a login."""
        return Banned(
            f"qBittorrent at {self.place} has banned this address after too many failed logins.",
            kept=_NOTHING_DONE,
            remedy="Restart that qBittorrent, or wait until the ban ends (one hour, unless its Web UI options say otherwise;"
            f" 'Ban client after consecutive failures'). Before that, correct username and password in [{self.section}].",
            server=self.place,
        )

    def forbidden(self, response: requests.Response | None) -> BadAnswer | NotWritable:
        """A 403 directly after a login that was accepted: about the order, where the Web UI says more than that."""
        said = _quoted(response.text) if response is not None else ""
        if said in ("", "Forbidden"):
            return self.session_lost()
        return NotWritable(
            f"qBittorrent at {self.place} refused the request: {clause(said)}.",
            kept=_NOTHING_DONE,
            remedy="Give the user that runs qBittorrent the right to write there.",
            server=self.place,
        )

    def session_lost(self) -> BadAnswer:
        """A 403 directly after a login that was accepted."""
        return BadAnswer(
            f"qBittorrent at {self.place} accepts the login and forgets it at once.",
            kept=_NOTHING_DONE,
            remedy="A web server in front of it may remove cookies, or mark them Secure where host begins with http://: let it"
            " pass Cookie and Set-Cookie as they are, or connect directly.",
            server=self.place,
        )

    def too_old(self, version: str) -> ServerTooOld:
        """Before Web API 2.8.14 there is no torrents/export."""
        return ServerTooOld(
            f"qBittorrent at {self.place} is too old: torrent_mover needs qBittorrent 4.5 or later (found {version}).",
            kept=_NOTHING_DONE,
            remedy="Upgrade qBittorrent there: it cannot hand out .torrent files before 4.5.",
            server=self.place,
        )

    def garbled(self, what: str = "an answer that makes no sense") -> BadAnswer:
        """An answer that is not what the Web API promises."""
        return BadAnswer(
            f"qBittorrent at {self.place} gave {what}.",
            kept=_NOTHING_DONE,
            remedy=f"Open {self.place} in a browser. If that shows qBittorrent, look at its log (View > Log).",
            server=self.place,
        )

    def not_qbittorrent(self, response: requests.Response) -> BadAnswer:
        """Something else answers there."""
        return BadAnswer(
            f"What answers at {self.place} is not qBittorrent's Web UI: {_looks_like(response)}.{self._by_proxy()}",
            kept=_NOTHING_DONE,
            remedy=f"Check host and port in [{self.section}]. Behind a proxy, host needs the whole address,"
            f" such as https://box.example.org/qbittorrent. {_PAST_THE_GATE}",
            server=self.place,
        )

    def redirected(self, response: requests.Response) -> BadAnswer:
        """It sends us elsewhere; following would turn a POST into a GET."""
        target, same_call, _ = response.headers.get("Location", "").partition("?")[0].partition("/api/v2")
        remedy = _PAST_THE_GATE
        if same_call and "://" in target:
            there = urlsplit(target)
            port = there.port or (443 if there.scheme == "https" else 80)
            address = _quoted(target, _LONGEST_ADDRESS)
            remedy = f"If that is the right one, set in [{self.section}]: host = {address} and port = {port}"
        return BadAnswer(
            f"What answers at {self.place} sends us to another address: {_quoted(target, _LONGEST_ADDRESS)}.",
            kept=_NOTHING_DONE,
            remedy=remedy,
            server=self.place,
        )

    def check(self, response: requests.Response, *_: object, **__: object) -> None:
        """Raise BadAnswer for a redirect or what is no answer of qBittorrent's. Shaped as a response hook of requests."""
        error = self._strange(response)
        if error is not None:
            response.close()  # the library closes only what it was allowed to read to its end
            raise error

    def _strange(self, response: requests.Response) -> ServerError | None:
        if response.is_redirect:
            return self.redirected(response)
        kind = response.headers.get("Content-Type", "").lower()
        refused = response.status_code in _NEVER_AS_PAGE and "WWW-Authenticate" not in response.headers
        page = "html" in kind and (response.status_code < _FIRST_ERROR or refused)
        if page and "HTTPS port" in response.text:  # in nginx's own words, which it does not translate
            return self._unreachable("speaks HTTPS", f"Make host in [{self.section}] begin with https://")
        if page or ("json" in kind and refused and response.status_code in (_UNAUTHORIZED, _FORBIDDEN)):
            return self.not_qbittorrent(response)
        return None

    def explain(self, error: requests.RequestException | api_errors.APIError | OSError) -> MoverError:
        """The error of ours for one of the libraries'."""
        response = error.response if isinstance(error, requests.RequestException) else None
        if self.proxy is not None and (fault := self._fault_of(self.proxy, error, response)) is not None:
            return fault
        if response is not None and response.status_code >= _FIRST_ERROR:
            return self._status(response)
        if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.Timeout):
            return self._connection(error)
        if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
            return self.garbled("an answer that was cut off")
        if isinstance(error, api_errors.APIError):
            return self.garbled()
        nowhere = self._unreachable("cannot be asked at that address", f"Check host and port in [{self.section}].")
        return nowhere if isinstance(error, requests.RequestException) else self._no_authorities(str(error))

    def _status(self, response: requests.Response) -> MoverError:
        code = response.status_code
        said = f"{code} {_quoted(response.reason or '')}".rstrip()
        if code == _UNAUTHORIZED:
            return self.origin_refused(response)
        if code == _NOT_FOUND:
            return self.not_qbittorrent(response)
        if code == _TOO_LARGE:
            return self._too_large(response)
        if code in _SILENT_BEHIND:
            return self._front(
                said,
                "Is qBittorrent running behind it? If it is only slow, raise the time-out there (proxy_read_timeout)",
            )
        if code == _TOO_MANY:
            return self._front(said, "Raise the limit of requests there (limit_req)")
        return self.garbled(f"the answer {said}")

    def _front(self, said: str, remedy: str) -> BadAnswer:
        return BadAnswer(
            f"A web server in front of qBittorrent at {self.place} answers {said} in its place.",
            kept=_NOTHING_DONE,
            remedy=f"{remedy}; or set host in [{self.section}] to qBittorrent's own address.",
            server=self.place,
        )

    def _too_large(self, response: requests.Response) -> TorrentError:
        """Only a .torrent is ever large, so this is about one torrent: the server itself is well."""
        size = int(response.request.headers.get("Content-Length") or 0)
        return TorrentError(
            f"A web server in front of qBittorrent at {self.place} rejects a .torrent of {in_words(size)} (413).",
            kept="Nothing was added.",
            remedy=f"Raise its limit (nginx: client_max_body_size 64m;), or set host in [{self.section}] to qBittorrent's own"
            " address. Then run again: what was brought is kept.",
            server=self.place,
        )

    def _no_authorities(self, said: str) -> Unreachable:
        """The library could not read what it was to trust."""
        return self._unreachable(
            f"was not asked, because the certificates to trust cannot be read: {_quoted(said, _LONGEST_ADDRESS)}",
            f"Fix ca_file in [{self.section}], or what REQUESTS_CA_BUNDLE (CURL_CA_BUNDLE) names: a PEM file.",
        )

    def _tls(self, error: requests.exceptions.SSLError) -> Unreachable:
        text = str(error)
        if "CERTIFICATE_VERIFY_FAILED" in text:
            why = _WHY_UNVERIFIED.search(text)
            said = _quoted(why[1], 120).rstrip(".") if why else ""
            other_name = "mismatch" in said
            remedy = "ca_file = a PEM file with that certificate or its authority's"
            return self._unreachable(
                "shows a certificate that cannot be verified" + (f": {said}" if said else ""),
                f"Set in [{self.section}]: {'host = a name in that certificate' if other_name else remedy}; or, if the network is"
                " yours, verify_cert = false",
            )
        if "NO_CERTIFICATE_OR_CRL_FOUND" in text or "X509" in text:
            return self._no_authorities("there is no certificate in the file")
        return self._unreachable(
            "does not speak HTTPS properly",
            f"If its Web UI is plain HTTP, make host in [{self.section}] begin with http://",
        )

    def _connection(self, error: requests.RequestException) -> Unreachable:
        if isinstance(error, requests.exceptions.SSLError):
            return self._tls(error)
        if isinstance(error, requests.exceptions.Timeout):
            slow = isinstance(error, requests.exceptions.ReadTimeout)
            return self._unreachable(
                f"did not answer within {self.timeout:.0f} s",
                "It accepted the request. If it is busy, or has thousands of torrents, raise connect_timeout in [General]."
                if slow
                else f"Is the machine up? Check host and port in [{self.section}].",
            )
        text = str(error)
        if "NameResolutionError" in text or "getaddrinfo" in text:
            return self._unreachable("has a name that cannot be resolved", f"Check host in [{self.section}].")
        if "refused" in text:
            return self._unreachable(
                "refuses the connection: nothing listens there",
                f"Start qBittorrent there and switch its Web UI on; check host and port in [{self.section}].",
            )
        return self._unreachable(
            "closed the connection",
            f"Is it restarting? If its Web UI is HTTPS, make host in [{self.section}] begin with https://",
        )

    def socks_missing(self, proxy: Proxy) -> MissingProgram:
        """The library that speaks SOCKS for requests is an extra."""
        return MissingProgram(
            f"The proxy {proxy.place} ({proxy.named_by}) speaks SOCKS, and the Python package PySocks is not installed.",
            kept=_NOTHING_DONE,
            remedy="pip install 'torrent-mover[socks]', or name an http:// proxy.",
        )

    def _by_proxy(self) -> str:
        return f" The answer came through the proxy {self.proxy.place} ({self.proxy.named_by})." if self.proxy else ""

    def _fault_of(
        self, proxy: Proxy, error: Exception, response: requests.Response | None
    ) -> LoginRefused | Unreachable | None:
        """What is wrong with the proxy; None where the fault lies elsewhere."""
        text = str(error)
        tunnel = _TUNNEL_REFUSED.search(text)
        code = int(tunnel[1]) if tunnel else response.status_code if response is not None else 0
        said = f"{code} {_quoted(tunnel[2] if tunnel else (response.reason if response is not None else '') or '')}".rstrip()
        if code == _PROXY_LOGIN:
            return LoginRefused(
                f"The proxy {proxy.place} on the way to qBittorrent at {self.place} requires a login, or refused ours.",
                kept="qBittorrent was not asked.",
                remedy=self._other_proxy(proxy, "http://user:password@host:port, with that proxy's login"),
                server=self.place,
            )
        if tunnel or (response is not None and code in _SILENT_BEHIND and response.url.startswith("http:")):
            return self._unreachable_by(proxy, f"does not connect to qBittorrent at {self.place}: it answers {said}")
        if isinstance(error, requests.exceptions.ProxyError) or (proxy.by_socks and "SOCKS" in text):
            why = _WHY_NO_PROXY.search(text)
            reason = f": {why[1].lower()}" if why else ""
            return self._unreachable_by(proxy, f"on the way to qBittorrent at {self.place} does not answer{reason}")
        return None

    def _unreachable_by(self, proxy: Proxy, what: str) -> Unreachable:
        return Unreachable(
            f"The proxy {proxy.place} ({proxy.named_by}) {what}.",
            kept="qBittorrent was not asked.",
            remedy=self._other_proxy(proxy, "off, to go there without a proxy"),
            server=self.place,
        )

    def _other_proxy(self, proxy: Proxy, value: str) -> str:
        return f"Check {proxy.named_by}, or set in [{self.section}]: proxy = {value}"

    def _unreachable(self, what: str, remedy: str) -> Unreachable:
        return Unreachable(f"qBittorrent at {self.place} {what}.", kept=_NOTHING_DONE, remedy=remedy, server=self.place)


def _looks_like(response: requests.Response) -> str:
    server = response.headers.get("Server", "")
    title = _TITLE.search(response.text)
    parts = [f"HTTP {response.status_code}"]
    if server:
        parts.append(f"from {_quoted(server)}")
    if title:
        parts.append(f"a page called '{_quoted(title[1])}'")
    return ", ".join(parts)


def _quoted(text: str, longest: int = _LONGEST_QUOTE) -> str:
    """A stranger's words on one line, printable, not too many."""
    line = " ".join(text.split())
    return "".join(character for character in line if character.isprintable())[:longest]
