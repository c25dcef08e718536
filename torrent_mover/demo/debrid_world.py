"""A throw-away world for debrid: an account of which some has died, its mount, and a library of links that lead there."""

from __future__ import annotations

import configparser
import hashlib
import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Self

from torrent_mover.demo.small_debrid import SmallDebrid
from torrent_mover.demo.small_disks import MIB, mounted
from torrent_mover.demo.world import remove_world

ACCOUNT: Final = "demo"
DEAD, FAILED, VIRUS, FINE = "Big.Buck.Bunny.S01", "Sintel.2010.1080p", "Spring.2019.REPACK", "Cosmos.Laundromat.2015"
_STATUSES: Final = {DEAD: "dead", FAILED: "error", VIRUS: "virus", FINE: "downloaded"}
_FILES: Final[Mapping[str, Mapping[str, int]]] = {
    DEAD: {"bunny.s01e01.mkv": 700 * MIB, "bunny.s01e02.mkv": 710 * MIB, "sample.mkv": 9 * MIB, "read me.nfo": 4_096},
    FAILED: {"sintel.mkv": 1400 * MIB, "sintel.srt": 70_001},
    VIRUS: {"spring.exe.mkv": 300 * MIB},
    FINE: {"laundromat.mkv": 900 * MIB},
}
_SELECTED: Final = {DEAD: (1, 2), FAILED: (1,), VIRUS: (1,), FINE: (1,)}
"""Of each torrent somebody once chose these files: no sample, no text."""

_GROUP: Final = "__all__"
_MOUNT_SIZE: Final = 8 * MIB


class DebridDemo:
    """The account, its mount and the library: there on entering, gone after leaving.

    DEAD and FAILED can be had again from the service; VIRUS is what it found one in; FINE plays. `mounted` False: this user may not
    mount; the tree is a plain folder then, which nobody takes for a mount, so that no link is judged. `root/state` and `root/log`
    are where the config sends torrent_mover's own files. With `keep` the folder stays, without what was mounted.
    """

    def __init__(self, root: Path | None = None, *, keep: bool = False, mount: bool | None = None) -> None:
        """`mount` None: where this user may."""
        self.root = root or Path(tempfile.mkdtemp(prefix="torrent-mover-"))
        self.root.mkdir(parents=True, exist_ok=True)
        self.mount, self.library = self.root / "mount", self.root / "library"
        self.mounted = False
        self.debrid = SmallDebrid()
        self._tries = os.geteuid() == 0 if mount is None else mount
        self._keep = keep
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._remove)
            self.mount.mkdir()
            self.mounted = self._tries and mounted(stack, self.mount, _MOUNT_SIZE)
            for name, files in _FILES.items():
                self.debrid.hold(_hash_of(name), name, files, _SELECTED[name], _STATUSES[name])
                self._link(name)
            (self.mount / "version.txt").write_text("a mount of the demo\n")
            self._show()
            self.debrid.changed = self._show
            stack.enter_context(self.debrid)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def config_file(self) -> Path:
        """Where `write_config` writes."""
        return self.root / "config.ini"

    def _link(self, name: str) -> None:
        """The links of a torrent, as an Arr has made them."""
        folder = self.library / name
        folder.mkdir(parents=True)
        for number, file in enumerate(_FILES[name], 1):
            if number in _SELECTED[name]:
                (folder / file).symlink_to(self.mount / _GROUP / name / file)

    def _show(self) -> None:
        """The mount shows what the account has, as zurg does: a folder for each torrent that plays."""
        group = self.mount / _GROUP
        group.mkdir(exist_ok=True)
        plays = {entry.name: entry for entry in self.debrid.entries if entry.links}
        for name, entry in plays.items():
            (group / name).mkdir(exist_ok=True)
            for file in entry.chosen:
                (group / name / file).write_text("only its name counts here\n")
        for folder in group.iterdir():
            if folder.name not in plays:
                for shown in folder.iterdir():
                    shown.unlink()
                folder.rmdir()

    def lines(self) -> list[str]:
        """The account and the library, for people."""
        lines = [
            f"{entry.id}  {entry.status:<12} {len(entry.chosen)} of {len(entry.files)} files  {entry.name}"
            for entry in sorted(self.debrid.entries, key=lambda each: each.name)
        ]
        for name in sorted(_FILES):
            links = sorted(path for path in (self.library / name).glob("*") if path.is_symlink())
            broken = sum(not path.exists() for path in links)
            what = f"{broken} of {len(links)} broken" if broken else "plays" if links else "no link"
            lines.append(f"library/{name}: {what}")
        return lines

    def config(self, mode: str) -> dict[str, dict[str, str]]:
        """Section -> key -> value."""
        account = {
            "token": self.debrid.token,
            "url": self.debrid.url,
            "mode": mode,
            "on_virus": "quarantine",
            "scan_interval": "20s",
            "mount_refresh": "0s",
        }
        if self.mounted:
            account |= {"media_roots": str(self.library), "mounts": f"{self.mount} = zurg"}
        return {
            f"DEBRID {ACCOUNT}": account,
            "General": {"state_dir": str(self.root / "state"), "log_dir": str(self.root / "log")},
        }

    def write_config(self, mode: str) -> Path:
        """Write `config(mode)` with mode 0600. Returns its path."""
        target = self.config_file
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_dict(self.config(mode))
        target.touch(mode=0o600)
        target.chmod(0o600)
        with target.open("w", encoding="utf-8") as stream:
            parser.write(stream)
        return target

    def _remove(self) -> None:
        if not self._keep:
            with suppress(OSError):
                remove_world(self.root)


def _hash_of(name: str) -> str:
    """An infohash of its own for each."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
