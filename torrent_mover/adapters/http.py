"""One HTTP service: whole answers within a bound, its own troubles as errors of ours, secrets never in a URL or a text.

It repeats nothing: whoever asks knows what may be asked twice.
"""

from __future__ import annotations

import ssl
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Final, NoReturn
from urllib.parse import urlsplit

# Where click and rich are installed, httpx loads its own command line with them: nothing here needs that.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

from torrent_mover import __version__  # noqa: E402
from torrent_mover.adapters.proxies import Proxy, proxy_for  # noqa: E402
from torrent_mover.domain.errors import MissingProgram  # noqa: E402
from torrent_mover.domain.secret import Secret  # noqa: E402
from torrent_mover.domain.settings.problems import printable  # noqa: E402

USER_AGENT: Final = f"torrent-mover/{__version__}"

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of an answer: the history of a large library has a few. What is larger is no answer to us."""

_CONNECT_PATIENCE: Final = 5.0
_LONGEST_QUOTE: Final = 160  # characters
_REDIRECTS: Final = range(300, 400)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One whole answer. Names of `headers` are in small letters; `body` is decoded of any compression."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def location(self) -> str:
        """Where a redirect sends us; blank where it is none. It is never followed: it would turn a POST into a GET."""
        return self.headers.get("location", "") if self.status in _REDIRECTS else ""

    @property
    def is_page(self) -> bool:
        """Whether it is meant for a browser: a login page, the page of a proxy."""
        return "html" in self.headers.get("content-type", "").lower() or self.body.lstrip()[:1] == b"<"

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class HttpBody:
    """What a request carries that is no JSON: a form, the bytes of one file, or both as parts.

    `files`: field of the form -> name and bytes. `raw` is sent as it is, instead of all else.
    """

    form: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)
    raw: bytes | None = field(default=None, repr=False)


class HttpTrouble(Exception):
    """No whole answer came: the caller makes an error of ours of it. `what` goes on a sentence that begins with the service's name.

    `remedy` may be blank. `sent`: the service may have received the request. `cut`: an answer began, and did not end.
    """

    def __init__(self, what: str, remedy: str = "", *, sent: bool = True, cut: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.sent = sent
        self.cut = cut


class RequestPace:
    """At most `at_once` requests at a time and `a_second` in any second. Safe from any thread.

    `wait` sleeps that many seconds, or raises because everything is stopped.
    """

    def __init__(
        self,
        at_once: int,
        a_second: int,
        wait: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._slots = threading.Semaphore(at_once)
        self._begun: deque[float] = deque(maxlen=a_second)
        self._wait = wait
        self._monotonic = monotonic
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._slots.acquire()
        try:
            while (pause := self._claim()) > 0:
                self._wait(pause)
        except BaseException:
            self._slots.release()
            raise

    def __exit__(self, *_: object) -> None:
        self._slots.release()

    def _claim(self) -> float:
        """Take a place in this second; seconds until there is one."""
        with self._lock:
            now = self._monotonic()
            full = len(self._begun) == self._begun.maxlen
            if full and (pause := self._begun[0] + 1.0 - now) > 0:
                return pause
            self._begun.append(now)
            return 0.0


@dataclass(frozen=True, slots=True)
class HttpPlace:
    """Where a service is, and what leads there. `base` has no slash at its end; `timeout` in seconds for a whole answer.

    `headers` go with each request: keys belong here, never into a URL. `ca_file` is a PEM file, blank for the usual ones;
    `basic_auth` is user:password for a web server in front.
    """

    base: str
    headers: Mapping[str, Secret] = field(default_factory=dict)
    timeout: float = 30.0
    verify_cert: bool = True
    ca_file: str = ""
    basic_auth: Secret | None = None
    section: str = ""
    strict: bool = False
    """Never advise to leave a certificate unchecked, or to do without HTTPS: a key would travel in the open."""

    @property
    def name(self) -> str:
        """`host:port`, and the path where there is one; never a login."""
        parts = urlsplit(self.base)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        return f"{f'[{host}]' if ':' in host else host}:{port}{parts.path.rstrip('/')}"


class HttpService:
    """Asks one service. Safe from any thread. Raises HttpTrouble; MissingProgram where a SOCKS proxy needs what is not there."""

    def __init__(self, place: HttpPlace, pace: AbstractContextManager[None]) -> None:
        self.place = place
        self._pace = pace
        self._lock = threading.Lock()
        self._made: httpx.Client | None = None
        self._proxy: Proxy | None = None

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        *,
        with_key: bool = True,
    ) -> HttpAnswer:
        """Send one request below the base, and read the whole answer. `body` is sent as JSON, unless it is None or an HttpBody."""
        client = self._client()
        headers = {name: value.reveal() for name, value in self.place.headers.items()} if with_key else {}
        with self._pace:
            ends = time.monotonic() + self.place.timeout
            try:
                with client.stream(
                    method,
                    f"{self.place.base}{path}",
                    params=dict(query or {}) or None,
                    json=None if isinstance(body, HttpBody) else body,
                    data=body.form if isinstance(body, HttpBody) and body.raw is None else None,
                    files=body.files or None if isinstance(body, HttpBody) else None,
                    content=body.raw if isinstance(body, HttpBody) else None,
                    headers=headers,
                ) as response:
                    return HttpAnswer(response.status_code, _lowered(response.headers), _whole(response, ends))
            except httpx.HTTPError as error:
                self._explain(error)
            except (httpx.InvalidURL, UnicodeError, ValueError) as error:
                raise HttpTrouble("cannot be asked at that address", self._check("url"), sent=False) from error

    def close(self) -> None:
        """End the connections. Never raises."""
        with self._lock, suppress(Exception):
            if self._made is not None:
                self._made.close()
                self._made = None

    def _client(self) -> httpx.Client:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> httpx.Client:
        place = self.place
        self._proxy = proxy_for(place.base, "", "")
        login = place.basic_auth.reveal().partition(":") if place.basic_auth else None
        patience = httpx.Timeout(place.timeout, connect=min(_CONNECT_PATIENCE, place.timeout))
        try:
            return httpx.Client(
                headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
                auth=(login[0], login[2]) if login else None,
                verify=self._trust(),
                proxy=self._proxy.url if self._proxy else None,
                timeout=patience,
                trust_env=False,
                follow_redirects=False,
            )
        except ImportError as error:
            raise MissingProgram(
                f"The proxy {self._proxy.place if self._proxy else ''} on the way to {place.name} speaks SOCKS, and the Python"
                " package socksio is not installed.",
                kept="Nothing was asked.",
                remedy="pip install 'torrent-mover[socks]', or name an http:// proxy.",
            ) from error

    def _trust(self) -> ssl.SSLContext | bool:
        if not self.place.verify_cert or not self.place.base.startswith("https:"):  # reading authorities takes a while
            return False
        if not self.place.ca_file:
            return True
        try:
            return ssl.create_default_context(cafile=self.place.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise HttpTrouble(
                f"was not asked, because the certificates to trust cannot be read: {_quoted(str(error))}",
                self._check("ca_file"),
                sent=False,
            ) from error

    def _check(self, key: str) -> str:
        return f"Check {key} in [{self.place.section}]."

    def _explain(self, error: httpx.HTTPError) -> NoReturn:
        """Raise what a failure of the library means."""
        text = str(error)
        by = f" through the proxy {self._proxy.place} ({self._proxy.named_by})" if self._proxy else ""
        if isinstance(error, httpx.ProxyError):
            what = f"cannot be reached{by}: {_quoted(text)}"
            raise HttpTrouble(what, f"Check {self._proxy.named_by}." if self._proxy else "", sent=False) from error
        if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
            raise HttpTrouble(f"did not answer in time{by}", self._up(), sent=False) from error
        if isinstance(error, httpx.TimeoutException):
            raise self.too_slow() from error
        if isinstance(error, httpx.ConnectError):
            raise HttpTrouble(*self._no_connection(text, by), sent=False) from error
        if isinstance(error, httpx.DecodingError):
            raise HttpTrouble("gave an answer that cannot be decompressed", cut=True) from error
        if isinstance(error, httpx.RemoteProtocolError) and "Server disconnected" not in text:
            raise HttpTrouble("gave an answer that was cut off", cut=True) from error
        raise HttpTrouble(f"closed the connection{by}", "Is it restarting?") from error

    def too_slow(self) -> HttpTrouble:
        """It took the request, and did not answer whole in time."""
        remedy = f"If it is only busy, raise timeout in [{self.place.section}]."
        return HttpTrouble(f"did not answer within {self.place.timeout:g} s", remedy)

    def _up(self) -> str:
        return f"Is it running? Check url in [{self.place.section}]."

    def _no_connection(self, text: str, by: str) -> tuple[str, str]:
        if "CERTIFICATE_VERIFY_FAILED" in text:
            remedy = f"Set in [{self.place.section}]: ca_file = a PEM file with that certificate"
            if not self.place.strict:
                remedy += "; or verify_cert = false"
            return "shows a certificate that cannot be verified", remedy
        if "SSL" in text:
            if self.place.strict:
                return "does not speak HTTPS", self._check("url")
            return "does not speak HTTPS", f"Make url in [{self.place.section}] begin with http://"
        if any(
            word in text for word in ("Name or service", "nodename", "name resolution", "getaddrinfo", "No address")
        ):
            return "has a name that cannot be resolved", self._check("url")
        if "refused" in text:
            return f"refuses the connection{by}: nothing listens there", self._up()
        return f"cannot be reached{by}", self._up()


def _whole(response: httpx.Response, ends: float) -> bytes:
    """The body; HttpTrouble where it takes longer than until `ends` (monotonic), or is larger than any answer."""
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        parts.append(part)
        if size > LARGEST:
            raise HttpTrouble("gave an answer without end", cut=True)
        if time.monotonic() > ends:
            raise httpx.ReadTimeout("the whole answer took too long", request=response.request)
    return b"".join(parts)


def _lowered(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _quoted(text: str) -> str:
    """A stranger's words on one line, printable, not too many."""
    return printable(" ".join(text.split()))[:_LONGEST_QUOTE]
