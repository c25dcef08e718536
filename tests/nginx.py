"""An nginx in front of an rTorrent, as seedboxes have it: a password, a path, and SCGI behind it."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Self

from torrent_mover.demo.ports import LOOPBACK, free_port
from torrent_mover.demo.process import Server, ServerProcess
from torrent_mover.demo.programs import find_program

_CONFIG = """
daemon off;
worker_processes 1;
pid {root}/pid;
error_log {root}/error.log;
events {{ }}
http {{
    access_log {root}/access.log;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    client_max_body_size 1m;
    server {{
        listen {host}:{port}{tls};
        auth_basic "rTorrent";
        auth_basic_user_file {root}/users;
        location = /RPC2 {{ include {root}/params; scgi_pass unix:{socket}; }}
        location = /untrusted {{ include {root}/params; scgi_param UNTRUSTED_CONNECTION 1; scgi_pass unix:{socket}; }}
        location = /page {{ default_type text/html; return 200 "<html><title>ruTorrent</title></html>"; }}
        location / {{ return 404; }}
    }}
}}
"""
_PARAMS = """
scgi_param CONTENT_LENGTH $content_length;
scgi_param SCGI 1;
scgi_param REQUEST_METHOD $request_method;
scgi_param REQUEST_URI $request_uri;
scgi_param CONTENT_TYPE $content_type;
"""


class Nginx(Server):
    """`socket` is rTorrent's. Everything it writes lies below `root`/nginx. `certificate`: a PEM file of both, for HTTPS."""

    def __init__(self, root: Path, socket: Path, certificate: Path | None = None) -> None:
        self.root = root / "nginx"
        self.root.mkdir()
        self.root.chmod(0o755)
        self.port = free_port()
        self.url = f"{'https' if certificate else 'http'}://{LOOPBACK}:{self.port}"
        self.username, self.password = "mover", "s3cret: ü"
        digest = base64.b64encode(hashlib.sha1(self.password.encode()).digest()).decode()  # noqa: S324  htpasswd's own
        (self.root / "users").write_text(f"{self.username}:{{SHA}}{digest}\n")
        (self.root / "params").write_text(_PARAMS)
        words = {"root": self.root, "host": LOOPBACK, "port": self.port, "socket": socket}
        words["tls"] = f" ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate}" if certificate else ""
        user = "user root;\n" if os.getuid() == 0 else ""
        (self.root / "nginx.conf").write_text(user + _CONFIG.format(**words))
        self._process = ServerProcess("nginx", self.root / "output.log")

    def start(self) -> Self:
        """Start it, wait until it listens."""
        command = [
            find_program("nginx"),
            "-p",
            self.root,
            "-c",
            self.root / "nginx.conf",
            "-e",
            self.root / "error.log",
        ]
        self._process.start(command, {"PATH": os.defpath}, (self.root / "pid").exists, 10)
        return self

    def requests(self) -> int:
        """How many it has answered."""
        return len((self.root / "access.log").read_text().splitlines())
