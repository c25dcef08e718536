"""An HTTP proxy on loopback that writes down all that passes, and leads everything to one port of this machine, or nowhere."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class RecordingProxy:
    """`behind`: the port that it leads to. `refusal`: the status it answers in place of that, to CONNECT always.

    `passed` has a line for each request: its method and target, and below that its body.
    """

    def __init__(self, behind: int = 0, *, refusal: int = 0) -> None:
        self.passed: list[str] = []
        self.logins: list[str] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fake.passed.append(f"{self.command} {self.path}\n{body.decode()}")
                fake.logins.append(self.headers.get("Proxy-Authorization", ""))
                if refusal or self.command == "CONNECT":
                    self.send_response(refusal or 502)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                onward = http.client.HTTPConnection("127.0.0.1", behind, timeout=30)
                url = urlsplit(self.path)
                onward.request(self.command, f"{url.path}?{url.query}", body, dict(self.headers.items()))
                answer = onward.getresponse()
                content = answer.read()
                self.send_response_only(answer.status)
                for key, value in answer.getheaders():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(content)
                onward.close()

            def do_POST(self) -> None:
                self.do_GET()

            def do_CONNECT(self) -> None:
                self.do_GET()

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.place}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
