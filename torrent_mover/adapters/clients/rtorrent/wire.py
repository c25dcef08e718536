"""Carries one XML-RPC document to an rTorrent and its answer back: by SCGI, or through a web server in front of it."""

from __future__ import annotations

import socket
from base64 import b64encode
from contextlib import closing
from importlib.util import find_spec
from typing import Final, Protocol

import requests
import urllib3
from requests.adapters import HTTPAdapter

from torrent_mover.adapters.clients.rtorrent import scgi
from torrent_mover.adapters.clients.rtorrent.address import RpcAddress, RpcWay
from torrent_mover.adapters.clients.rtorrent.settings import RTorrentSettings
from torrent_mover.adapters.clients.rtorrent.trouble import RpcTrouble
from torrent_mover.adapters.clients.tunnelled import TunnelledAdapter
from torrent_mover.adapters.proxies import proxy_for
from torrent_mover.domain.errors import ConfigError, LoginRefused, MoverError

_CONNECT_TIMEOUT: Final = 5.0  # seconds


class StreamOpener(Protocol):
    """Opens streams on another machine, as that one sees them: an SSH tunnel (adapters/ssh/tunnel.py)."""

    def dial(self, host: str, port: int) -> socket.socket:
        """To a TCP port."""

    def dial_socket(self, path: str) -> socket.socket:
        """To a Unix socket."""

    def why_refused(self, path: str) -> MoverError | None:
        """Why the stream to a socket ended before it began; None where nobody knows."""


class RpcWire(Protocol):
    """Asks once; nothing is repeated. Raises the project's errors about servers."""

    def ask(self, document: bytes) -> bytes:
        """The answer to an XML-RPC document."""

    def close(self) -> None:
        """Hang up. Never raises."""


def wire_to(settings: RTorrentSettings, trouble: RpcTrouble, streams: StreamOpener | None) -> RpcWire:
    """The wire that the settings ask for. Opens nothing yet. Raises ConfigError where a stream of SSH is needed and missing."""
    address = settings.address
    if address.way is RpcWay.WEB:
        return WebWire(settings, trouble, streams)
    if address.way is RpcWay.SSH_SOCKET and streams is None:
        raise ConfigError(
            f"url in [{settings.section}] leads to a socket of an SSH server, and none is configured for it.",
            kept="Nothing was asked.",
            remedy=f"Name the server in [{settings.section}]: machine = its [MACHINE ...] section.",
        )
    return ScgiWire(address, trouble, settings.timeout, streams)


class ScgiWire:
    """A stream of its own for each request, as SCGI wants it. Without `streams` the address is this machine's."""

    def __init__(self, address: RpcAddress, trouble: RpcTrouble, timeout: float, streams: StreamOpener | None) -> None:
        self._address = address
        self._trouble = trouble
        self._timeout = timeout
        self._streams = streams

    def ask(self, document: bytes) -> bytes:
        """See RpcWire."""
        try:
            with closing(self._open()) as stream:
                return scgi.ask(stream, document, self._timeout)
        except (OSError, scgi.CutOff, scgi.NotScgi) as error:
            refused = self._refused(error)
            raise refused or self._trouble.silent(error) from error

    def close(self) -> None:
        """See RpcWire: nothing stays open."""

    def _refused(self, error: Exception) -> MoverError | None:
        """What the SSH server has against a socket: it may say so only after the stream is there."""
        cut = isinstance(error, OSError) or (isinstance(error, scgi.CutOff) and not error.received)
        if self._streams is None or not self._address.path or not cut or isinstance(error, TimeoutError):
            return None
        return self._streams.why_refused(self._address.path)

    def _open(self) -> socket.socket:
        address = self._address
        if self._streams is not None:
            return (
                self._streams.dial_socket(address.path)
                if address.path
                else self._streams.dial(address.host, address.port)
            )
        if not address.path:
            return socket.create_connection((address.host, address.port), _CONNECT_TIMEOUT)
        stream = socket.socket(socket.AF_UNIX)
        try:
            stream.settimeout(_CONNECT_TIMEOUT)
            stream.connect(address.path)
        except BaseException:
            stream.close()
            raise
        return stream


class WebWire:
    """XML-RPC over HTTP(S), by basic auth where a user name is configured. A login that was refused is never tried again."""

    def __init__(self, settings: RTorrentSettings, trouble: RpcTrouble, streams: StreamOpener | None) -> None:
        self._settings = settings
        self._trouble = trouble
        self._streams = streams
        self._session: requests.Session | None = None
        self._refused: LoginRefused | None = None

    def ask(self, document: bytes) -> bytes:
        """See RpcWire."""
        if self._refused is not None:
            raise LoginRefused(
                self._refused.what, kept=self._refused.kept, remedy=self._refused.remedy, server=self._refused.server
            )
        session = self._session or self._connected()
        try:
            response = session.post(
                self._settings.address.url,
                data=document,
                headers={"Content-Type": "text/xml"},
                timeout=(_CONNECT_TIMEOUT, self._settings.timeout),
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:
            raise self._trouble.no_connection(error) from error
        wrong = self._trouble.web(response)
        if wrong is not None:
            self._remember(wrong)
            raise wrong
        return response.content

    def close(self) -> None:
        """See RpcWire."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _connected(self) -> requests.Session:
        settings = self._settings
        url = settings.address.url
        setting = settings.proxy.reveal() if settings.proxy else ""
        proxy = None if self._streams else proxy_for(url, setting, f"proxy in [{settings.section}]")
        self._trouble = self._trouble.by(proxy)
        if proxy is not None and proxy.by_socks and find_spec("socks") is None:
            raise self._trouble.socks_missing(proxy)
        session = requests.Session()
        session.trust_env = False  # no ~/.netrc, no proxy that was not chosen above
        session.verify = (settings.ca_file or True) if settings.verify_cert else False
        if not settings.verify_cert:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # a person has decided it
        session.proxies = dict.fromkeys(("http", "https"), proxy.url) if proxy else {}
        adapter = TunnelledAdapter(self._streams.dial, max_retries=0) if self._streams else HTTPAdapter(max_retries=0)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        if settings.username:
            login = f"{settings.username}:{settings.password.reveal() if settings.password else ''}"
            session.headers["Authorization"] = f"Basic {b64encode(login.encode()).decode('ascii')}"
        self._session = session
        return session

    def _remember(self, wrong: MoverError) -> None:
        if isinstance(wrong, LoginRefused):
            self._refused = wrong
