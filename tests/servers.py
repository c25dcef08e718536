"""What tests on real servers share: waiting with a deadline, logging in, and looking at a folder as a whole."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from torrent_mover.demo.process import wait_until
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.domain.paths import LocalPath
from torrent_mover.ports.ssh import SshTarget


def eventually(condition, timeout: float = 60.0):
    """Look until `condition()` is truthy and return what it said; fail after `timeout` seconds.

    An AssertionError raised by `condition` counts as "not yet"; the last one is shown at the end.
    """
    last = None
    answer = None

    def looks_good() -> bool:
        nonlocal last, answer
        try:
            answer = condition()
        except AssertionError as error:
            last = error
            return False
        last = None
        return bool(answer)

    if not wait_until(looks_good, timeout):
        raise AssertionError(f"not within {timeout:g} s: {condition.__qualname__} said {answer!r}") from last
    return answer


def ask_for_passwords(client: QBittorrentServer, asks: bool) -> None:
    """Have a running client ask programs on this machine for a password, or let them in without one, as many homes have it.

    It writes that down within 5 s: one that is killed earlier has forgotten it when it is started again.
    """
    if client.api.json("app/preferences")["bypass_local_auth"] is asks:
        client.api.post("app/setPreferences", json=json.dumps({"bypass_local_auth": not asks}))


def target_of(server, **changes) -> SshTarget:
    """How to log in to a demo sshd: by password where it has one, else by key."""
    login = {"password": server.password} if server.password else {"key_file": LocalPath(str(server.key_file))}
    known = LocalPath(str(server.known_hosts))
    values = {"host": server.host, "port": server.port, "username": server.user, "known_hosts": known, **login}
    return SshTarget(**values | changes)


def snapshot(folder: Path) -> dict[str, tuple]:
    """Everything below a folder, to compare before and after: path -> (kind and mode, size, mtime, owner, hash or target)."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        size = status.st_size if path.is_file() else 0
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            content = ""
        key = str(path.relative_to(folder))
        found[key] = (status.st_mode, size, status.st_mtime_ns, (status.st_uid, status.st_gid), content)
    return found
