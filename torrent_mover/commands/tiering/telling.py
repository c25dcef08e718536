"""How `tier` reads an infohash and tells what it did. Light: a hook waits for it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from torrent_mover.commands.tiering.told import Told
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.settings.problems import quoted
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.torrent import InfoHash

if TYPE_CHECKING:
    from torrent_mover.duties.tiering.needs import TierJournal

SCHEMA_VERSION: Final = 1
_FEWEST: Final = 4
_WHOLE: Final = 40


def hash_of(text: str) -> InfoHash:
    """An infohash as somebody wrote it. Raises UsageError."""
    try:
        return InfoHash(text.strip())
    except ValueError:
        raise UsageError(
            f"{quoted(text)} is no infohash: that has 40 characters, 0 to 9 and a to f.",
            kept="Nothing was queued.",
            remedy='In rtorrent.rc the hook passes it as $d.hash= ; in qBittorrent as "%K".',
        ) from None


def one_of(text: str, known: Callable[[], Iterable[InfoHash]]) -> InfoHash:
    """The infohash itself, or the only one of these that begins so: 4 characters or more. Raises UsageError."""
    digits = text.strip().casefold()
    hexadecimal = set(digits) <= set("0123456789abcdef")
    if len(digits) == _WHOLE and hexadecimal:
        return InfoHash(digits)
    if not (hexadecimal and _FEWEST <= len(digits) < _WHOLE):
        raise UsageError(
            f"{quoted(text)} is no infohash, and no beginning of one: at least {_FEWEST} of 0 to 9 and a to f.",
            kept="Nothing was changed.",
            remedy="torrent-mover tier --dry-run lists the torrents; torrent-mover tier --status those that wait.",
        )
    found = {torrent for torrent in known() if torrent.hex.startswith(digits)}
    if len(found) == 1:
        return found.pop()
    raise UsageError(
        f"{counted(len(found), 'torrent')} begin with {digits}." if found else f"No torrent begins with {digits}.",
        kept="Nothing was changed.",
        remedy="torrent-mover tier --dry-run lists them; give more characters of the infohash.",
    )


def known_of(journal: TierJournal) -> set[InfoHash]:
    """What the journal of a tier has: copies, what waits, what is pinned."""
    return {
        *journal.pins(),
        *(copy.torrent for copy in journal.copies()),
        *(entry.torrent for entry in journal.queue()),
    }


def tell(arguments: argparse.Namespace, told: Sequence[Told], failed: Sequence[Told] = ()) -> ExitCode:
    """Tell it, all tiers one after the other; the exit code of having told it. `failed`: what -q prints too."""
    if arguments.json:
        rows = [row for _, _, data in told for row in data.get("rows", ())]
        json.dump({"schema": SCHEMA_VERSION, "tiers": [data for *_, data in told], "rows": rows}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        for name, lines, _ in failed if arguments.quiet else told:
            if len(told) > 1:
                sys.stdout.write(f"[TIER {name}]\n")
            sys.stdout.writelines(f"{line}\n" for line in lines)
    return ExitCode.DONE
