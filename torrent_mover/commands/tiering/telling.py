"""How `tier` reads an infohash and tells what it did. Light: a hook waits for it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Final

from torrent_mover.commands.tiering.told import Told
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.settings.problems import quoted
from torrent_mover.domain.torrent.torrent import InfoHash

SCHEMA_VERSION: Final = 1


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


def tell(arguments: argparse.Namespace, told: Sequence[Told]) -> ExitCode:
    """Tell it, all tiers one after the other; the exit code of having told it."""
    if arguments.json:
        rows = [row for _, _, data in told for row in data.get("rows", ())]
        json.dump({"schema": SCHEMA_VERSION, "tiers": [data for *_, data in told], "rows": rows}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif not arguments.quiet:
        for name, lines, _ in told:
            if len(told) > 1:
                sys.stdout.write(f"[TIER {name}]\n")
            sys.stdout.writelines(f"{line}\n" for line in lines)
    return ExitCode.DONE
