"""The HTTP side of the doubles of debrid services: requests are kept, faults come on demand, before or after the effect."""

from __future__ import annotations

import email.parser
import email.policy
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.doubles.debrid_world import DebridWorld

LOOPBACK = "127.0.0.1"
TOKEN = "TOKEN7Q2Z9SECRETOFTHETESTS4K8WX"
HTML = "<!DOCTYPE html><html><body>Just a moment...</body></html>"


@dataclass
class Asked:
    """One request. `call` is method and path below the base; `form` and `files` what its body says; `at` the world's time."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float
    form: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def call(self) -> str:
        """`GET torrents`."""
        return f"{self.method} {self.path}"

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body or b"null")


@dataclass
class Reply:
    """An answer. `data` is sent as JSON; `text` as it is; neither: no body."""

    status: int = 200
    data: Any = None
    text: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """What happens in place of the right answer, at the `nth` request of the call, or at that `share` of them, or at all.

    `after`: once the request has had its effect. `hang`: no answer comes; `cut`: half of one; `drop`: the connection just ends.
    """

    call: str
    reply: Reply | None = None
    nth: int | None = None
    share: float | None = None
    delay: float = 0.0
    hang: bool = False
    cut: bool = False
    drop: bool = False
    after: bool = False
    seen: int = 0

    def strikes(self, call: str) -> bool:
        """Whether it happens to this request."""
        if self.call != "*" and not call.startswith(self.call):
            return False
        self.seen += 1
        if self.nth is not None:
            return self.seen == self.nth
        return self.share is None or int(self.seen * self.share) > int((self.seen - 1) * self.share)


class DebridDouble:
    """From `with` to its end, on a free port. A subclass says what calls answer: `answer(asked)`.

    `violations`: what no client may ever do: the token elsewhere than in its header, unknown calls and parameters.
    """

    BASE = ""

    def __init__(self, world: DebridWorld, token: str = TOKEN) -> None:
        self.world = world
        self.token = token
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.violations: list[str] = []
        self._released = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Its full base."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}{self.BASE}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fault(
        self, call: str, status: int | None = None, data: Any = None, text: str | None = None, **more: Any
    ) -> Fault:
        """From now on this happens; `headers` and the fields of Fault besides."""
        headers = more.pop("headers", {})
        reply = Reply(status or 200, data, text, headers) if status or data is not None or text is not None else None
        made = Fault(call, reply, **more)
        self.faults.append(made)
        return made

    def calls(self, start: str = "") -> list[Asked]:
        """The requests of a call."""
        return [asked for asked in self.asked if asked.call.startswith(start)]

    def violate(self, what: str) -> None:
        """No client may do that."""
        self.violations.append(what)

    def answer(self, asked: Asked) -> Reply:
        """What the service answers."""
        raise NotImplementedError

    def handle(self, asked: Asked) -> Reply | Fault:
        """The answer to one request, or the fault that it meets."""
        with self.world.lock:
            self.asked.append(asked)
            if self.token in asked.path or any(self.token in value for value in asked.query.values()):
                self.violate(f"{asked.call}: the token is in the URL")
            struck = next((fault for fault in self.faults if fault.strikes(asked.call)), None)
            if struck is not None and not struck.after:
                return struck if struck.reply is None or struck.cut else self._late(struck)
            reply = self.answer(asked)
            if struck is not None:
                return struck if struck.reply is None else self._late(struck)
            return reply

    def _late(self, fault: Fault) -> Reply:
        self._released.wait(fault.delay)
        assert fault.reply is not None
        return fault.reply

    def hang(self) -> None:
        """Answer nothing until the double ends."""
        self._released.wait(60)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, double: DebridDouble) -> None:
        self.double = double
        super().__init__((LOOPBACK, 0), _Handler)

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no fault."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement
    server: _Server

    def do_GET(self) -> None:
        double = self.server.double
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = url.path.removeprefix(double.BASE) if url.path.startswith(double.BASE) else f"outside{url.path}"
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(
            self.command, path.lstrip("/"), dict(parse_qsl(url.query)), headers, body, double.world.clock.now()
        )
        _read_body(asked)
        found = double.handle(asked)
        if isinstance(found, Fault):
            self._meet(found)
        else:
            self._send(found)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _meet(self, fault: Fault) -> None:
        time.sleep(fault.delay)
        self.close_connection = True
        if fault.hang:
            self.server.double.hang()
        elif fault.cut:
            reply = fault.reply or Reply(200, text='{"status": "success", "data": [{"id": "A", "na')
            payload = json.dumps(reply.data).encode() if reply.text is None else reply.text.encode()
            self._head(reply, len(payload) + 500)
            self.wfile.write(payload)

    def _send(self, reply: Reply) -> None:
        payload = b"" if reply.text is None else reply.text.encode()
        if reply.data is not None:
            payload = json.dumps(reply.data).encode()
        self._head(reply, len(payload))
        self.wfile.write(payload)

    def _head(self, reply: Reply, length: int) -> None:
        self.send_response(reply.status)
        kind = "application/json" if reply.data is not None else "text/plain"
        for name, value in {"Content-Type": kind, **reply.headers}.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Silent."""


def _read_body(asked: Asked) -> None:
    kind = asked.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        asked.form = dict(parse_qsl(asked.body.decode(), keep_blank_values=True))
    elif kind.startswith("multipart/form-data"):
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + asked.body)
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if part.get_filename():
                asked.files[name] = content
            else:
                asked.form[name] = content.decode()
