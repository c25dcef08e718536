"""Words what goes wrong between us and an rTorrent: the cause, what was kept, the line that helps."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import requests

from torrent_mover.adapters.clients.rtorrent.address import RpcAddress, RpcWay
from torrent_mover.adapters.clients.rtorrent.scgi import CutOff, NotScgi
from torrent_mover.adapters.clients.rtorrent.xml_rpc import RpcFault
from torrent_mover.adapters.proxies import Proxy
from torrent_mover.domain.errors import (
    BadAnswer,
    CommandsRefused,
    LoginRefused,
    MissingProgram,
    MoverError,
    ServerError,
    ServerTooOld,
    TorrentError,
    TorrentGone,
    Unreachable,
)
from torrent_mover.domain.text import safe
from torrent_mover.domain.text import size as in_words
from torrent_mover.domain.torrent.torrent import InfoHash

_NOTHING_DONE = "Nothing was changed."
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _NOT_ALLOWED, _TOO_LARGE, _PROXY_LOGIN = 401, 403, 404, 405, 413, 407
_SILENT_BEHIND = (502, 503, 504)
_REDIRECTS = range(300, 400)
_OK = 200
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_LONGEST_QUOTE = 80  # characters of a stranger's words that a message repeats


@dataclass(frozen=True, slots=True)
class RpcTrouble:
    """Words errors for one rTorrent: `place` as messages call it, `section` the part of the config that describes it."""

    address: RpcAddress
    place: str
    section: str
    timeout: float
    proxy: Proxy | None = None

    def by(self, proxy: Proxy | None) -> RpcTrouble:
        """The same with a proxy on the way."""
        return replace(self, proxy=proxy)

    def silent(self, error: Exception) -> ServerError:
        """The error for what opening or using a stream raised."""
        if isinstance(error, CutOff):
            return self._unreachable(
                "closed the connection without an answer" if not error.received else "cut its answer off",
                "Is it restarting, or did it crash? Look at its log.",
            )
        if isinstance(error, NotScgi):
            return self.not_rtorrent(error.begins)
        if isinstance(error, TimeoutError):
            return self._unreachable(
                f"did not answer within {self.timeout:.0f} s",
                f"It may be busy with its disks. If it needs longer, raise timeout in [{self.section}].",
            )
        return self._not_opened(error)

    def _not_opened(self, error: Exception) -> ServerError:
        local = self.address.way is RpcWay.SOCKET
        where = "network.scgi.open_local = /path/of/rpc.socket" if local else "network.scgi.open_port = 127.0.0.1:5000"
        if isinstance(error, FileNotFoundError):
            return self._unreachable(
                "has no such socket",
                f"Is rTorrent running? Its rtorrent.rc needs {where}; set url in [{self.section}] to the same.",
            )
        if isinstance(error, PermissionError):
            return LoginRefused(
                f"rTorrent at {self.place} is closed to this user: permission denied for its socket.",
                kept="Nothing was asked.",
                remedy=f"Let its group in: chmod g+rw {self.address.path}, run torrent-mover as a member of that group.",
                server=self.place,
            )
        if isinstance(error, ConnectionRefusedError):
            return self._unreachable(
                "refuses the connection: nothing listens there",
                f"Start rTorrent there; its rtorrent.rc needs {where}, and url in [{self.section}] the same.",
            )
        return self._unreachable(
            f"cannot be asked: {_quoted(getattr(error, 'strerror', None) or str(error))}",
            f"Check url in [{self.section}].",
        )

    def not_rtorrent(self, begins: bytes) -> BadAnswer:
        """Something else answers on an SCGI address."""
        said = _quoted(begins.decode("utf-8", "replace"))
        remedy = f"Check url in [{self.section}]: it must be the address in rtorrent.rc (network.scgi.open_local or open_port)."
        if begins.startswith((b"HTTP/", b"<")):
            remedy = f"A web server answers there: set url in [{self.section}] to https://host/RPC2, or to rTorrent's own socket."
        return BadAnswer(
            f"What answers at {self.place} is not rTorrent: it begins with {said!r}.",
            kept=_NOTHING_DONE,
            remedy=remedy,
            server=self.place,
        )

    def garbled(self, what: str = "an answer that makes no sense") -> BadAnswer:
        """An answer that is not what the interface promises."""
        return BadAnswer(
            f"rTorrent at {self.place} gave {what}.",
            kept=_NOTHING_DONE,
            remedy="Look at its log, then try again.",
            server=self.place,
        )

    def fault(self, fault: RpcFault, doing: str) -> ServerError:
        """A fault that is about no torrent."""
        if fault.untrusted:
            return self.untrusted(doing)
        if fault.unknown_command:
            return ServerTooOld(
                f"rTorrent at {self.place} lacks a command that we need, to {doing}: {_quoted(fault.text)}",
                kept=_NOTHING_DONE,
                remedy="torrent_mover works with rTorrent 0.9.8, and with 0.16.",
                server=self.place,
            )
        return BadAnswer(
            f"rTorrent at {self.place} refuses to {doing}: {_quoted(fault.text)} ({fault.code})",
            kept=_NOTHING_DONE,
            remedy="Look at its log.",
            server=self.place,
        )

    def untrusted(self, doing: str) -> CommandsRefused:
        """0.16 takes only harmless commands from a web server that marks its connections as untrusted."""
        return CommandsRefused(
            f"rTorrent at {self.place} refuses to {doing}: the web server in front marks this connection as untrusted.",
            kept=_NOTHING_DONE,
            remedy=f"Set url in [{self.section}] to rTorrent's own socket, or to a location of the web server that does not set"
            " UNTRUSTED_CONNECTION.",
            server=self.place,
        )

    def gone(self, torrent: InfoHash) -> TorrentGone:
        """It answered, and does not list it."""
        return TorrentGone(
            f"rTorrent at {self.place} does not list the torrent {torrent.short} any more.",
            kept="Nothing was removed by torrent_mover.",
            remedy="If nobody removed it on purpose, look at rTorrent's log.",
        )

    def web(self, response: requests.Response) -> MoverError | None:
        """What is wrong with a web server's answer; None where nothing is."""
        code = response.status_code
        if code == _OK:
            html = "html" in response.headers.get("Content-Type", "").lower()
            return self._page(response) if html else None
        if code in _REDIRECTS:
            return self._redirected(response)
        if code == _TOO_LARGE:
            return self.too_large(int(response.request.headers.get("Content-Length") or 0))
        return self._refused(response, f"{code} {_quoted(response.reason or '')}".rstrip())

    def _refused(self, response: requests.Response, said: str) -> ServerError:
        code = response.status_code
        if code == _UNAUTHORIZED:
            return self._unauthorized(response)
        if code in (_NOT_FOUND, _NOT_ALLOWED):
            return self._not_there(said)
        if code == _PROXY_LOGIN and self.proxy is not None:
            return self._proxy_login(self.proxy)
        if code in _SILENT_BEHIND:
            return BadAnswer(
                f"A web server in front of rTorrent at {self.place} answers {said} in its place.",
                kept=_NOTHING_DONE,
                remedy="Is rTorrent running behind it? If it is only slow, raise the time-out there (nginx: scgi_read_timeout); or"
                f" set url in [{self.section}] to rTorrent's own socket.",
                server=self.place,
            )
        if code == _FORBIDDEN:
            return LoginRefused(
                f"A web server in front of rTorrent at {self.place} forbids the request ({said}).",
                kept="Tried only once.",
                remedy="Let this address in there (nginx: allow), or connect through its own socket.",
                server=self.place,
            )
        return self.garbled(f"the answer {said}")

    def _redirected(self, response: requests.Response) -> BadAnswer:
        target = _quoted(response.headers.get("Location", "").partition("?")[0])
        return BadAnswer(
            f"What answers at {self.place} sends us to another address: {target}.",
            kept=_NOTHING_DONE,
            remedy=f"If that is the right one, set url in [{self.section}] to it. If it is a login page, exempt the RPC path"
            " from it there.",
            server=self.place,
        )

    def _unauthorized(self, response: requests.Response) -> LoginRefused:
        tried = "Authorization" in response.request.headers
        return LoginRefused(
            f"The web server in front of rTorrent at {self.place} "
            + (
                "refused the login: wrong user name or password."
                if tried
                else "asks for a login, and none is configured."
            ),
            kept="Tried only once, to avoid a ban." if tried else _NOTHING_DONE,
            remedy=f"Set in [{self.section}]: username and password, the login that a browser asks for there.",
            server=self.place,
        )

    def _not_there(self, said: str) -> BadAnswer:
        return BadAnswer(
            f"The web server at {self.place} has no rTorrent under that path ({said}).",
            kept=_NOTHING_DONE,
            remedy=f"Set url in [{self.section}] with the right path, usually /RPC2, as in https://box.example.org/RPC2.",
            server=self.place,
        )

    def too_large(self, size: int) -> TorrentError:
        """Only a .torrent is ever large, so this is about one torrent: the server itself is well."""
        return TorrentError(
            f"A web server in front of rTorrent at {self.place} rejects a .torrent of {in_words(size)} (413).",
            kept="Nothing was added.",
            remedy="Raise its limit (nginx: client_max_body_size 64m;), or set url to rTorrent's own socket.",
        )

    def _page(self, response: requests.Response) -> BadAnswer:
        title = _TITLE.search(response.text)
        named = f" called {_quoted(title[1])!r}" if title else ""
        return BadAnswer(
            f"What answers at {self.place} is not rTorrent but a web page{named}.",
            kept=_NOTHING_DONE,
            remedy=f"Set url in [{self.section}] with the path of the RPC interface, usually /RPC2. If it is a login page, exempt"
            " that path from it there.",
            server=self.place,
        )

    def no_connection(self, error: requests.RequestException | OSError) -> MoverError:
        """The error for what the HTTP library raised without an answer."""
        if isinstance(error, requests.exceptions.ProxyError) and self.proxy is not None:
            return Unreachable(
                f"The proxy {self.proxy.place} ({self.proxy.named_by}) on the way to rTorrent at {self.place} does not connect us.",
                kept="rTorrent was not asked.",
                remedy=f"Check {self.proxy.named_by}, or set in [{self.section}]: proxy = off",
                server=self.place,
            )
        if isinstance(error, requests.exceptions.SSLError):
            return self._unreachable(
                "shows a certificate that cannot be verified, or does not speak HTTPS",
                f"Set in [{self.section}]: ca_file = a PEM file with that certificate or its authority's; or, if the network is"
                " yours, verify_cert = false",
            )
        if isinstance(error, requests.exceptions.Timeout):
            return self.silent(TimeoutError())
        text = str(error)
        if "NameResolutionError" in text or "getaddrinfo" in text:
            return self._unreachable("has a name that cannot be resolved", f"Check url in [{self.section}].")
        if "refused" in text:
            return self._unreachable(
                "refuses the connection: nothing listens there", f"Check host and port of url in [{self.section}]."
            )
        return self._unreachable("closed the connection", "Is the web server there restarting?")

    def socks_missing(self, proxy: Proxy) -> MissingProgram:
        """The library that speaks SOCKS is an extra."""
        return MissingProgram(
            f"The proxy {proxy.place} ({proxy.named_by}) speaks SOCKS, and the Python package PySocks is not installed.",
            kept=_NOTHING_DONE,
            remedy="pip install 'torrent-mover[socks]', or name an http:// proxy.",
        )

    def _proxy_login(self, proxy: Proxy) -> LoginRefused:
        return LoginRefused(
            f"The proxy {proxy.place} on the way to rTorrent at {self.place} requires a login, or refused ours.",
            kept="rTorrent was not asked.",
            remedy=f"Check {proxy.named_by}, or set in [{self.section}]: proxy = http://user:password@host:port",
            server=self.place,
        )

    def _unreachable(self, what: str, remedy: str) -> Unreachable:
        return Unreachable(f"rTorrent at {self.place} {what}.", kept=_NOTHING_DONE, remedy=remedy, server=self.place)


def _quoted(text: str) -> str:
    """A stranger's words on one line, harmless, not too many."""
    return safe(" ".join(text.split()))[:_LONGEST_QUOTE]
