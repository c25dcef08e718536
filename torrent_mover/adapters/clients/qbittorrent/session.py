"""One login at one Web UI: kept, renewed once when it has expired, never tried twice with refused credentials."""

from __future__ import annotations

import os
import re
import threading
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import Any, TypeVar
from urllib.parse import urlsplit

import qbittorrentapi
import requests
from qbittorrentapi import exceptions as api_errors
from requests.adapters import HTTPAdapter

from torrent_mover.adapters.clients.qbittorrent.trouble import AnswerTrouble
from torrent_mover.adapters.clients.tunnelled import Dial, TunnelledAdapter
from torrent_mover.adapters.proxies import proxy_for
from torrent_mover.domain.errors import BadAnswer, LoginRefused, ServerError, TorrentGone
from torrent_mover.domain.secret import Secret
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.client import ClientInfo
from torrent_mover.ports.clock import Clock

T = TypeVar("T")

_OLDEST = (2, 8, 14)  # Web API of qBittorrent 4.5.0, the first with torrents/export
_PAUSES = (0.3, 1.0)  # seconds before a read is repeated
_API_VERSION = re.compile(r"\d+(\.\d+)+")


@dataclass(frozen=True, slots=True)
class QBittorrentSettings:
    """Where a Web UI is and how to log in. `url` with its scheme, and with a path where a proxy puts it below one.

    `api_key` (qBittorrent 5.2 and later) goes before user name and password; without either, the Web UI must let this
    address in without a login. `basic_auth` is user:password for a web server in front, `ca_file` a PEM file of the
    certificates that are trusted. `proxy` is the URL of one on the way there, `off` for none (see adapters/proxies.py).
    `through` names the server that leads there, where a tunnel does. `timeout` in seconds for each answer. `section` names the
    config section in remedies.
    """

    url: str
    username: str = ""
    password: Secret | None = None
    verify_cert: bool = True
    api_key: Secret | None = None
    basic_auth: Secret | None = None
    ca_file: str = ""
    proxy: Secret | None = None
    through: str = ""
    timeout: float = 10.0
    section: str = "SOURCE_CLIENT"

    @property
    def place(self) -> str:
        """`host:port`, and the path where there is one; never a password."""
        parts = urlsplit(self.url if "://" in self.url else f"http://{self.url}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return f"{parts.hostname}:{port}{parts.path.rstrip('/')}{f' through {self.through}' if self.through else ''}"


class Api(qbittorrentapi.Client):
    """The library's client with its own retries and logins switched off: it repeats writes without looking, we do not.

    `adapter` sends every request, where one is given, in place of connections of the library's own.
    """

    adapter: HTTPAdapter | None = None

    def _auth_request(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the library's own signature, passed on
        for word in ("version_introduced", "version_removed", "_retries", "_retry_backoff_factor"):
            kwargs.pop(word, None)
        return self._request(*args, **kwargs)

    @property
    def _session(self) -> Any:  # noqa: ANN401  the library's own, which it makes again whenever it likes
        session = super()._session
        # All that the environment may say is said with each request; the library would go through all of it for each.
        session.trust_env = False
        if self.adapter is not None and session.get_adapter("http://") is not self.adapter:
            session.mount("http://", self.adapter)
            session.mount("https://", self.adapter)
        return session

    def log_in(self, username: str, password: str) -> str:
        """One attempt; what the Web UI says: `Ok.` or (since 5.2) nothing, `Fails.` for a wrong password."""
        answer: str = self._post_cast(
            _name="auth", _method="login", data={"username": username, "password": password}, response_class=str
        )
        return answer.strip()

    def turns_away(self, headers: dict[str, str]) -> bool:
        """Whether it answers 401 to somebody who has not logged in (else 403, or more): it does where it dislikes the address."""
        self._session.cookies.clear()
        try:
            self._get(_name="app", _method="webapiVersion", headers=headers)
        except api_errors.Unauthorized401Error:
            return True
        except api_errors.Forbidden403Error:
            return False
        return False

    def log_out(self) -> None:
        """End the session."""
        self._post(_name="auth", _method="logout")

    def hang_up(self) -> None:
        """Close the connections."""
        self._trigger_session_initialization()


class WebSession:
    """Asks one Web UI. Calls from several threads take turns.

    `dial` opens the streams to it, where we cannot connect ourselves.
    qBittorrent answers one request at a time anyway, calls take milliseconds, and one session cookie is enough: so one
    lock a call is simpler than one connection a thread, and as fast. Every method raises ServerError's children.
    """

    def __init__(self, settings: QBittorrentSettings, clock: Clock, dial: Dial | None = None) -> None:
        self.name = settings.place
        self.trouble = AnswerTrouble(settings.place, settings.section, settings.timeout)
        self._settings = settings
        self._clock = clock
        self._dial = dial
        self._lock = threading.RLock()
        self._api: Api | None = None
        self._refused: LoginRefused | None = None
        self._clock_ahead: float | None = None
        self._info = ClientInfo("qBittorrent", "", "")

    @property
    def info(self) -> ClientInfo:
        """What the client said of itself when we logged in last."""
        return self._info

    @property
    def patience(self) -> float:
        """Seconds that an answer may take."""
        return self._settings.timeout

    @property
    def _is_near(self) -> bool:
        """Whether it answers on this machine: then bytes cost nothing."""
        url = self._settings.url if "://" in self._settings.url else f"http://{self._settings.url}"
        return self._dial is None and urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")

    def read(self, ask: Callable[[Api], T], torrent: InfoHash | None = None, within: float | None = None) -> T:
        """Ask something that changes nothing; repeated after a cut connection or a broken answer.

        A 404 raises TorrentGone where the question is about `torrent`, and the list of torrents says the same. `within`: seconds
        that the question itself allows for the answer, where that is more than the usual time-out.
        """
        for pause in _PAUSES:
            try:
                return self.write(ask, torrent, within)
            except ServerError as error:
                if not _fleeting(error):
                    raise
            self._clock.wait(pause)
        return self.write(ask, torrent, within)

    def write(self, order: Callable[[Api], T], torrent: InfoHash | None = None, within: float | None = None) -> T:
        """Send something that changes the client: once. After an error the caller looks before it repeats."""
        with self._lock:
            try:
                return self._sent(order)
            except (api_errors.Conflict409Error, api_errors.UnsupportedMediaType415Error):
                raise  # an answer about the torrent: the caller knows what it means
            except api_errors.NotFound404Error as error:
                if torrent is None or self._lists(torrent):
                    raise self.trouble.explain(error) from error
                raise gone(self.name, torrent) from error
            except (requests.RequestException, api_errors.APIError, OSError) as error:
                trouble = self.trouble if within is None else replace(self.trouble, timeout=within)
                raise trouble.explain(error) from error

    def close(self) -> None:
        """Log out and hang up. Never raises."""
        with self._lock:
            api, self._api = self._api, None
            if api is None:
                return
            with suppress(requests.RequestException, api_errors.APIError, ServerError, OSError):
                if self._settings.api_key is None:
                    api.log_out()
            api.hang_up()

    def _lists(self, torrent: InfoHash) -> bool:
        """Whether the client lists it: a 404 may come from anybody between us and the client."""
        rows: Any = self.read(lambda api: api.torrents_info(torrent_hashes=torrent.hex))
        return isinstance(rows, list) and any(isinstance(row, dict) and row.get("hash") == torrent.hex for row in rows)

    def _sent(self, order: Callable[[Api], T]) -> T:
        """Once more after exactly one new login, if the session has expired; a 403 says that nothing was done."""
        fresh = self._api is None
        api = self._api or self._logged_in()
        try:
            return order(api)
        except api_errors.Forbidden403Error as error:
            if fresh:
                raise self.trouble.forbidden(error.response) from error
        api = self._logged_in()
        try:
            return order(api)
        except api_errors.Forbidden403Error as error:
            raise self.trouble.forbidden(error.response) from error

    def _logged_in(self) -> Api:
        if self._refused:
            first = self._refused
            raise LoginRefused(first.what, kept=first.kept, remedy=first.remedy, server=first.server)
        if self._api is not None:
            self._api.hang_up()
            self._api = None
        api = self._connection()
        try:
            self._log_in(api)
            self._info = self._look(api)
            self._api = api
        except LoginRefused as error:
            self._refused = error
            raise
        except api_errors.Unauthorized401Error as error:
            self._refused = self._unauthorized(api, error.response)
            raise self._refused from error
        finally:
            if self._api is None:
                api.hang_up()
        return api

    def _connection(self) -> Api:
        settings = self._settings
        url = settings.url if "://" in settings.url else f"http://{settings.url}"
        proxy = None if self._dial else proxy_for(url, _text(settings.proxy), f"proxy in [{settings.section}]")
        self.trouble = replace(self.trouble, proxy=proxy)
        if proxy is not None and proxy.by_socks and find_spec("socks") is None:
            raise self.trouble.socks_missing(proxy)
        api = Api(
            host=url,
            api_key=_text(settings.api_key),
            # `verify` is said for each request as well: the library lets an environment variable switch it off.
            REQUESTS_ARGS={
                "timeout": settings.timeout,
                "verify": (settings.ca_file or _authorities()) if settings.verify_cert else False,
                # Said for each kind, so that the library finds nothing to add from the environment.
                "proxies": dict.fromkeys(("http", "https", "all"), proxy.url if proxy else None),
                "allow_redirects": False,
                "auth": self._authorize,
                "hooks": {"response": [self._note_time, self.trouble.check]},
            },
            HTTPADAPTER_ARGS={"max_retries": 0},
            # On this machine packing costs the client more time than the bytes that it saves.
            EXTRA_HEADERS={"Accept-Encoding": "identity"} if self._is_near else {},
            VERIFY_WEBUI_CERTIFICATE=settings.verify_cert,
            FORCE_SCHEME_FROM_HOST=True,
            SIMPLE_RESPONSES=True,
        )
        if self._dial is not None:
            api.adapter = TunnelledAdapter(self._dial, max_retries=0)
        return api

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """What the web server in front asks for. Without it ~/.netrc would be looked up for each request, and believed."""
        login = self._settings.basic_auth
        if login is not None:
            request.headers["Authorization"] = f"Basic {b64encode(login.reveal().encode()).decode('ascii')}"
        return request

    def _log_in(self, api: Api) -> None:
        """One attempt, where there is something to attempt."""
        if self._settings.api_key is not None or not self._settings.username:
            return
        try:
            answer = api.log_in(self._settings.username, _text(self._settings.password))
        except api_errors.Forbidden403Error as error:
            raise self.trouble.banned() from error
        if answer == "Fails.":
            raise self.trouble.login_refused()
        if answer not in ("Ok.", ""):
            raise self.trouble.garbled("an answer to the login that qBittorrent never gives")

    def _unauthorized(self, api: Api, response: requests.Response | None) -> LoginRefused:
        """What a 401 to a login means: the address, or (since 5.2) the password. Asking without a login tells, and bans nobody."""
        name = (
            urlsplit(self._settings.url if "://" in self._settings.url else f"http://{self._settings.url}").hostname
            or ""
        )
        with suppress(requests.RequestException, api_errors.APIError, ServerError, OSError):
            if response is not None and "WWW-Authenticate" not in response.headers:
                if not api.turns_away({}):
                    return self.trouble.login_refused()
                if not api.turns_away({"Host": f"[{name}]" if ":" in name else name}):
                    return self.trouble.port_refused()
        return self.trouble.origin_refused(response)

    def _look(self, api: Api) -> ClientInfo:
        try:
            version, number = api.app_version(), api.app_web_api_version()
        except api_errors.Forbidden403Error as error:
            if self._settings.username and self._settings.api_key is None:
                raise self.trouble.session_lost() from error
            raise self._refusal() from error
        if not _API_VERSION.fullmatch(number):
            raise self.trouble.garbled("no version of its Web API, so it may be something else")
        if tuple(int(part) for part in number.split(".")) < _OLDEST:
            raise self.trouble.too_old(version.removeprefix("v"))
        return ClientInfo("qBittorrent", version.removeprefix("v"), number, self._clock_ahead)

    def _note_time(self, response: requests.Response, **_: object) -> None:
        """Compare the Date of an answer (RFC 9110, 6.6.1) with our clock."""
        with suppress(KeyError, ValueError, TypeError):
            there = parsedate_to_datetime(response.headers["Date"]).timestamp()
            self._clock_ahead = there - self._clock.now()

    def _refusal(self) -> LoginRefused:
        if self._settings.api_key is not None:
            return self.trouble.key_refused()
        return self.trouble.login_refused() if self._settings.username else self.trouble.login_missing()


def gone(place: str, torrent: InfoHash) -> TorrentGone:
    """The client answered, and does not have it."""
    return TorrentGone(
        f"qBittorrent at {place} does not list the torrent {torrent.short} any more.",
        kept="Nothing was removed by torrent_mover.",
        remedy="If nobody removed it on purpose, look at qBittorrent's log (View > Log).",
        server=place,
    )


def _authorities() -> str | bool:
    """The file of certificates that the environment names, as for every program that uses requests; True: its own."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True


def _text(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""


def _fleeting(error: ServerError) -> bool:
    """Whether asking again in a second may help: a broken answer or connection, not a silent or refused one."""
    if isinstance(error, BadAnswer):
        return not isinstance(error.__cause__, api_errors.Forbidden403Error)
    cause = error.__cause__
    timeout_or_tls = requests.exceptions.Timeout | requests.exceptions.SSLError
    return isinstance(cause, requests.exceptions.ConnectionError) and not isinstance(cause, timeout_or_tls)
