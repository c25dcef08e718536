"""The few calls of qBittorrent's Web API (2.8 and 2.11) that the throw-away world makes, over http.client."""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

_FORM = "application/x-www-form-urlencoded"
_TIMEOUT = 60.0  # seconds
_OK, _FORBIDDEN = 200, 403


class WebApiError(Exception):
    """The server answered with a status other than 200."""

    def __init__(self, path: str, status: int, body: bytes) -> None:
        super().__init__(f"{path}: {status} {body[:200]!r}")
        self.status = status


class WebApi:
    """One login at one server; logs in by itself, and again after a restart. Paths are relative to `/api/v2/`."""

    def __init__(self, host: str, port: int, username: str, password: str) -> None:
        self._host = host
        self._port = port
        self._username = username
        self._password = password
        self._cookie = ""

    def login(self) -> bool:
        """Whether the server takes the login. Raises OSError or HTTPException where nothing answers."""
        form = urlencode({"username": self._username, "password": self._password}).encode()
        status, headers, body = self._exchange("POST", "auth/login", form, _FORM)
        self._cookie = (headers.get("Set-Cookie") or "").partition(";")[0]
        return status == _OK and body.strip() == b"Ok."

    def get(self, path: str, **query: str) -> bytes:
        """The answer's body. Raises WebApiError."""
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path, None, "")

    def json(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """The answer, decoded. Raises WebApiError."""
        return json.loads(self.get(path, **query))

    def post(self, path: str, **form: str) -> bytes:
        """Send a form; the answer's body. Raises WebApiError."""
        return self._call("POST", path, urlencode(form).encode(), _FORM)

    def upload(self, path: str, metainfo: bytes, fields: Mapping[str, str]) -> bytes:
        """Send a .torrent with form fields (multipart); the answer's body. Raises WebApiError."""
        boundary = secrets.token_hex(16)
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="torrents"; filename="a.torrent"\r\n'
        parts.append(f"{head}Content-Type: application/x-bittorrent\r\n\r\n".encode() + metainfo)
        parts.append(f"\r\n--{boundary}--\r\n".encode())
        return self._call("POST", path, b"".join(parts), f"multipart/form-data; boundary={boundary}")

    def _call(self, method: str, path: str, body: bytes | None, content_type: str) -> bytes:
        status, _, answer = self._exchange(method, path, body, content_type)
        if status == _FORBIDDEN and self.login():
            status, _, answer = self._exchange(method, path, body, content_type)
        if status != _OK:
            raise WebApiError(path, status, answer)
        return answer

    def _exchange(
        self, method: str, path: str, body: bytes | None, content_type: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT)
        headers = {"Content-Type": content_type} if content_type else {}
        if self._cookie:
            headers["Cookie"] = self._cookie
        try:
            connection.request(method, f"/api/v2/{path}", body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()
