"""Where the server programs of the throw-away world are, and which command installs one that is missing."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from torrent_mover.domain.errors import MissingProgram

_PACKAGES = {
    "qbittorrent-nox": "qbittorrent-nox",
    "sshd": "openssh-server",
    "sftp-server": "openssh-sftp-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "dropbear": "dropbear-bin",
    "dropbearkey": "dropbear-bin",
    "rsync": "rsync",
    "setpriv": "util-linux",
    "unshare": "util-linux",
    "rtorrent": "rtorrent",
    "nginx": "nginx-light",
}
_BEYOND_PATH = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/openssh", "/usr/libexec/openssh")
_SUITES = {"4.5": "bookworm", "5.1": "trixie"}
_RTORRENT_SUITES = {"0.9.8": "bookworm", "0.16": "sid"}


def find_program(name: str) -> Path:
    """The absolute path of an installed program. Raises MissingProgram with the command that installs it."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(_BEYOND_PATH))
    if found is None:
        raise MissingProgram(
            f"The program {name} is not installed.",
            kept="Nothing was started.",
            remedy=f"Type: sudo apt-get install {_PACKAGES.get(name, name)}",
        )
    return Path(found).absolute()


def find_qbittorrent(series: str) -> Path:
    """The qbittorrent-nox of one release series, `4.5` or `5.1`: the system's own, or the one in the cache.

    scripts/trixie-tree.sh fills that cache. Raises MissingProgram with the command to type.
    """
    installed = shutil.which("qbittorrent-nox")
    if installed and qbittorrent_version(Path(installed)).startswith(f"{series}."):
        return Path(installed).absolute()
    suite = _SUITES[series]
    cached = tree(suite) / "qbittorrent-nox"
    if not cached.exists():
        raise MissingProgram(
            f"There is no qBittorrent {series} on this machine.",
            kept="Nothing was started.",
            remedy=f"Type: scripts/trixie-tree.sh {suite}",
        )
    return cached


def find_rtorrent(series: str) -> Path:
    """The rtorrent of one release series, `0.9.8` or `0.16`: the system's own, or the one in the cache.

    scripts/trixie-tree.sh fills that cache. Raises MissingProgram with the command to type.
    """
    installed = shutil.which("rtorrent")
    if installed and f"{rtorrent_version(Path(installed))}.".startswith(f"{series}."):
        return Path(installed).absolute()
    suite = _RTORRENT_SUITES[series]
    cached = tree(f"{suite}-rtorrent") / "rtorrent"
    if not cached.exists():
        raise MissingProgram(
            f"There is no rTorrent {series} on this machine.",
            kept="Nothing was started.",
            remedy=f"Type: scripts/trixie-tree.sh {suite} rtorrent",
        )
    return cached


def tree(suite: str) -> Path:
    """The folder in which scripts/trixie-tree.sh unpacks a Debian release."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME") or "/") / ".cache"
    return Path(cache) / "torrent-mover" / suite


@functools.cache
def qbittorrent_version(program: Path) -> str:
    """Such as `4.5.2`; empty where the program cannot say."""
    with tempfile.TemporaryDirectory() as home:  # it makes its folders even when only asked for its version
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": home}
        result = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, env=environment)
    found = re.search(r"v(\d+(?:\.\d+)+)", result.stdout)
    return found[1] if found else ""


@functools.cache
def rtorrent_version(program: Path) -> str:
    """Such as `0.9.8`; empty where the program cannot say."""
    result = subprocess.run([program, "-h"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\d+(?:\.\d+)+)", result.stdout)
    return found[1].rstrip(".") if found else ""
