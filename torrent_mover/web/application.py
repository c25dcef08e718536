"""The application: who may ask, what is answered, the page, and the streams."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from torrent_mover import __version__
from torrent_mover.domain.errors import ExitCode, MoverError, Unexpected, WebRefused
from torrent_mover.domain.plain_data import read_plain, to_plain
from torrent_mover.domain.report.overview import overview_of, without_process
from torrent_mover.domain.report.serving import health_of
from torrent_mover.domain.report.words import WORDS
from torrent_mover.domain.text import clause
from torrent_mover.ports.panels import Panel
from torrent_mover.ports.serve_control import ServeControl
from torrent_mover.web.endpoints import API, Ask, Endpoint
from torrent_mover.web.guard import WrongTokens, host_is_known, is_right, is_same_site, token_in
from torrent_mover.web.openapi import document
from torrent_mover.web.serving import filtered

_log = logging.getLogger(__name__)

PAGE: Final = Path(__file__).parent / "page"
STREAMS: Final = 32
"""Event streams at a time; a browser has one."""

BODY_BYTES: Final = 2 * 1024**2
_STALLED: Final = 15.0
"""Seconds that a browser may take to read what a stream sends; then the stream ends, and a browser that lives opens another one."""

_EVERY: Final = 1.0
_KEEP_ALIVE: Final = 15.0
_TYPES: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_STATUS: Final = {ExitCode.USAGE: 400, ExitCode.UNREACHABLE: 502, ExitCode.PREFLIGHT_REFUSED: 409}


@dataclass(frozen=True, slots=True)
class Site:
    """What is shown to whom. `token` blank: nobody is asked. `panels` and `endpoints` may change while it goes on."""

    control: ServeControl
    panels: Callable[[], Sequence[Panel]]
    endpoints: Callable[[], Sequence[Endpoint]]
    metrics: Callable[[], str]
    token: str
    base: str = ""
    read_only: bool = False
    hosts: tuple[str, ...] = ()
    redact: Callable[[str], str] = field(default=str)


def refusal(status: int, code: str, what: str, kept: str = "Nothing was changed.", remedy: str = "") -> Response:
    """An error as the API tells it."""
    said = {"code": code, "what": what, "kept": kept, "remedy": remedy}
    return JSONResponse(said, status, headers={"retry-after": "60"} if status in (429, 503) else None)


def application(site: Site) -> ASGIApp:
    """The whole site."""
    pictures = _Pictures(site)
    streams = _Streams(site, pictures)

    def healthz(_request: Request) -> Response:
        health = health_of(site.control.snapshot())
        return JSONResponse(to_plain(health), 200 if health.ok else 503)

    async def api(request: Request) -> Response:
        return await _answer(site, request)

    def page(request: Request) -> Response:
        return _file(site, request.path_params.get("name", "index.html"))

    routes: list[BaseRoute] = [
        Route("/healthz", healthz),
        Route("/health", healthz),
        Route("/metrics", lambda _request: PlainTextResponse(site.metrics(), media_type="text/plain; version=0.0.4")),
        Route("/", page),
        Route("/page/{name:path}", page),
        Route(f"{API}/openapi.json", lambda _request: JSONResponse(document(site.endpoints(), __version__, site.base))),
        Route(f"{API}/stream", streams.pictures),
        Route(f"{API}/logs/stream", streams.logs),
        Route(f"{API}/{{path:path}}", api, methods=["GET", "POST", "PUT", "DELETE"]),
    ]
    return _Guarded(Starlette(routes=routes), site)


class _Guarded:
    """Lets through who may ask; everything that leaves has the headers that keep a page to itself."""

    def __init__(self, inner: ASGIApp, site: Site) -> None:
        self._inner = inner
        self._site = site
        self._wrong = WrongTokens()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        base = self._site.base
        path: str = scope["path"]
        if base and (path == base or path.startswith(f"{base}/")):
            scope = {**scope, "path": path[len(base) :] or "/", "raw_path": b""}

        async def with_headers(message: Any) -> None:  # noqa: ANN401  ASGI's own shape
            if message["type"] == "http.response.start":
                more = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                known = {name for name, _ in message["headers"]}
                message = {
                    **message,
                    "headers": [*message["headers"], *(each for each in more if each[0] not in known)],
                }
            await send(message)

        refused = self._refusal(Request(scope))
        try:
            await (refused or self._inner)(scope, receive, with_headers)
        except ClientDisconnect:
            return

    def _refusal(self, request: Request) -> Response | None:
        site, path = self._site, request.scope["path"]
        if not host_is_known(request.headers.get("host", ""), site.hosts):
            return refusal(
                403,
                WebRefused.code,
                "This name is not one by which torrent_mover is called.",
                remedy="Add it to hosts in [WEB].",
            )
        if not path.startswith(f"{API}/") and path != "/metrics":
            return None  # probes, and the page, which knows nothing
        if not site.token:
            return self._cross_site(request)
        address, now = request.client.host if request.client else "", time.monotonic()
        given = token_in(request.headers)
        if self._wrong.is_too_many(address, now):
            return refusal(429, WebRefused.code, "Too many wrong tokens from this address.", remedy="Wait a minute.")
        if not is_right(given, site.token):
            if given:
                self._wrong.wrong(address, now)
            return refusal(
                401,
                WebRefused.code,
                "The token is missing or wrong.",
                remedy="It is the line in web-token in the state folder: ~/.local/state/torrent-mover, or state_dir.",
            )
        return None

    def _cross_site(self, request: Request) -> Response | None:
        """Nobody is asked for a token: then what a page elsewhere makes a browser send must be told from ours."""
        if is_same_site(request.headers):
            return None
        return refusal(403, WebRefused.code, "Another site's page asks.")


async def _answer(site: Site, request: Request) -> Response:  # noqa: PLR0911  one reason to refuse a line
    path: str = request.scope["path"].removeprefix(API)
    found = [(each, names) for each in site.endpoints() if (names := _matches(each.path, path)) is not None]
    fitting = next((each for each in found if each[0].method == request.method), None)
    if fitting is None:
        if found:
            return refusal(405, WebRefused.code, f"{path} does not take {request.method}.")
        return refusal(
            404, WebRefused.code, f"There is no {path}.", remedy=f"GET {API}/openapi.json lists what there is."
        )
    endpoint, names = fitting
    if site.read_only and endpoint.changes:
        return refusal(
            403, WebRefused.code, "Everything is shown, and no orders are taken.", remedy="Remove read_only from [WEB]."
        )
    try:
        ask = Ask(names, _query(endpoint, request), await _body(endpoint, request))
    except ValueError as error:
        return refusal(400, WebRefused.code, f"The request does not fit: {clause(error)}.")
    try:
        return _encoded(await run_in_threadpool(lambda: to_plain(endpoint.act(ask))))
    except MoverError as error:
        kept, remedy = site.redact(error.kept), site.redact(error.remedy)
        return refusal(_STATUS.get(error.exit_code, 409), error.code, site.redact(error.what), kept, remedy)
    except Exception as error:  # noqa: BLE001  told to whoever asked
        _log.exception("%s %s", request.method, path)
        unexpected = Unexpected.of(error)
        return refusal(500, unexpected.code, site.redact(unexpected.what), "", site.redact(unexpected.remedy))


def _matches(pattern: str, path: str) -> dict[str, str] | None:
    """What the names in the pattern stand for; fixed words come first in the list of endpoints."""
    wanted, given = pattern.strip("/").split("/"), path.strip("/").split("/")
    if len(wanted) != len(given):
        return None
    names: dict[str, str] = {}
    for word, part in zip(wanted, given, strict=True):
        if word.startswith("{"):
            names[word[1:-1]] = part
        elif word != part:
            return None
    return names


def _query(endpoint: Endpoint, request: Request) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    for name, (kind, default) in endpoint.query.items():
        text = request.query_params.get(name)
        asked[name] = default if text is None else kind(text)
    return asked


async def _body(endpoint: Endpoint, request: Request) -> Any:  # noqa: ANN401  each endpoint has its own
    """Raises ValueError."""
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_BYTES:
            raise ValueError("it is too long")
    if endpoint.takes is None:
        return None
    return read_plain(endpoint.takes, json.loads(raw))


def _encoded(data: object) -> Response:
    return Response(dumps(data), media_type="application/json")


def dumps(data: object) -> bytes:
    """JSON as browsers read it: an infinite number is null."""
    try:
        text = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(data), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def _finite(data: Any) -> Any:  # noqa: ANN401  whatever JSON can say
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {key: _finite(value) for key, value in data.items()}
    return [_finite(each) for each in data] if isinstance(data, list) else data


def _file(site: Site, name: str) -> Response:
    if name == "views.json":
        return JSONResponse(sorted(path.stem for path in (PAGE / "views").glob("*.js")))
    if name == "words.json":
        return JSONResponse(WORDS)
    path = (PAGE / name).resolve()
    kind = _TYPES.get(path.suffix)
    if kind is None or not path.is_relative_to(PAGE) or not path.is_file():
        return refusal(404, WebRefused.code, "There is no such page.", "")
    text = path.read_text("utf-8")
    if name == "index.html":
        text = text.replace("{base}", site.base)
    return Response(text, media_type=kind)


class _Pictures:
    """The pictures of all duties, drawn once a second at most, however many look."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = asyncio.Lock()
        self._at = 0.0
        self._took = 0.0
        self._drawn = b""

    async def now(self) -> bytes:
        """All of them as one JSON object."""
        async with self._lock:
            if time.monotonic() - self._at >= max(_EVERY * 0.9, self._took * 10):
                began = time.monotonic()
                self._drawn = await run_in_threadpool(self._draw)
                self._at = time.monotonic()
                self._took = self._at - began
            return self._drawn

    def _draw(self) -> bytes:
        process = self._site.control.snapshot()
        drawn: dict[str, Any] = {"serve": to_plain(process)}
        cards = []
        for panel in self._site.panels():
            panel.looked()
            picture = panel.control.snapshot()
            drawn[panel.name] = to_plain(picture)
            if panel.card is not None:
                cards.append(panel.card(picture))
        drawn["overview"] = to_plain(without_process(overview_of(process.at, cards, process)))
        return dumps(drawn)


class _Streams:
    """Server-Sent Events: pictures, and lines of the log. So many at a time, and none for a browser that does not read."""

    def __init__(self, site: Site, pictures: _Pictures) -> None:
        self._site = site
        self._drawn = pictures
        self._open = 0

    def pictures(self, _request: Request) -> ASGIApp:
        """The picture whenever it has changed."""
        return self._stream(self._all_pictures())

    def logs(self, request: Request) -> ASGIApp:
        """Lines above `after`, as they come."""
        after, level = request.query_params.get("after", "0"), request.query_params.get("level", "DEBUG")
        if not after.isdecimal() or level.upper() not in ("DEBUG", "INFO", "WARN", "ERROR"):
            return refusal(400, WebRefused.code, "after is a number, level one of DEBUG, INFO, WARN, ERROR.")
        return self._stream(self._all_lines(int(after), level))

    async def _all_pictures(self) -> AsyncIterator[bytes]:
        last = b""
        while True:
            drawn = await self._drawn.now()
            yield b"" if drawn == last else b"event: picture\ndata: " + drawn + b"\n\n"
            last = drawn
            await asyncio.sleep(_EVERY)

    async def _all_lines(self, after: int, level: str) -> AsyncIterator[bytes]:
        while True:
            lines = await run_in_threadpool(self._site.control.log, after)
            after = max((line.number for line in lines), default=after)
            told = [dumps(to_plain(line)) for line in filtered(lines, level)]
            yield b"".join(b"event: line\ndata: " + line + b"\n\n" for line in told)
            await asyncio.sleep(_EVERY / 2)

    def _stream(self, pieces: AsyncIterator[bytes]) -> ASGIApp:
        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            # Looked at and counted in the loop's own thread: who asks at the same time is not let in together.
            if self._open >= STREAMS:
                too_many = f"{STREAMS} streams are open already."
                refused = refusal(503, WebRefused.code, too_many, remedy="Close another page, or look again later.")
                await refused(scope, receive, send)
                return
            self._open += 1
            try:
                await _send_all(pieces, receive, send)
            finally:
                self._open -= 1

        return respond


async def _send_all(pieces: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def sending() -> None:
        said = time.monotonic()
        async for piece in pieces:
            silent = time.monotonic() - said > _KEEP_ALIVE
            if piece or silent:
                said = time.monotonic()
                body = {"type": "http.response.body", "body": piece or b": still here\n\n", "more_body": True}
                await asyncio.wait_for(send(body), _STALLED)

    async def leaving() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.ensure_future(sending()), asyncio.ensure_future(leaving())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
