"""Where to queue for which tier, remembered while nothing changes that says so: a hook has no time to read a whole config."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from torrent_mover import __version__
from torrent_mover.adapters.config.places import VARIABLE, discover
from torrent_mover.adapters.process.this_user import home_folder

_VOLATILE: Final = ("_", "SHLVL", "PWD", "OLDPWD")
"""Variables that change from one start to the next and say nothing to us."""


@dataclass(frozen=True, slots=True)
class QueueCard:
    """Where a torrent is queued for a tier: the journal's file, and the locks of whoever works."""

    tier: str
    client: str
    journal: str
    locks: tuple[str, ...]


def recalled(config: str | None, environ: Mapping[str, str] = os.environ) -> Sequence[QueueCard] | None:
    """The cards, if the config that they came from and the environment are as they were; None: read the config."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(_file(config, environ).read_bytes())
        if kept["seen"] == _seen(config, environ):
            return [QueueCard(**{**card, "locks": tuple(card["locks"])}) for card in kept["cards"]]
    return None


def remember(config: str | None, cards: Sequence[QueueCard], environ: Mapping[str, str] = os.environ) -> None:
    """Keep them for the next hook. Where that cannot be, the next one reads the config too."""
    text = json.dumps({"seen": _seen(config, environ), "cards": [asdict(card) for card in cards]})
    with suppress(OSError):
        file = _file(config, environ)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = file.with_name(f"{file.name}.{os.getpid()}")
        new.write_text(text, encoding="utf-8")
        new.replace(file)


def _file(config: str | None, environ: Mapping[str, str]) -> Path:
    home = environ.get("XDG_CACHE_HOME", "")
    folder = Path(home) if home.startswith("/") else home_folder(environ) / ".cache"
    named = json.dumps([config, environ.get(VARIABLE), str(Path.cwd())])
    return folder / "torrent-mover" / "hooks" / f"{hashlib.sha256(named.encode()).hexdigest()[:16]}.json"


def _seen(config: str | None, environ: Mapping[str, str]) -> list[object]:
    """All that the cards depend on: who we are, the environment, and each place where a config may be."""
    told = {name: value for name, value in environ.items() if name not in _VOLATILE}
    digest = hashlib.sha256(json.dumps(sorted(told.items())).encode("utf-8", "surrogateescape")).hexdigest()
    return [
        __version__,
        Path(__file__).stat().st_mtime_ns,
        digest,
        *(_stamp(place) for place, _ in discover(config, environ)),
    ]


def _stamp(place: Path) -> list[int] | None:
    try:
        found = place.stat()
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino]
