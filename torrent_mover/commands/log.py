"""log HASH: all that the journal knows of one torrent: its lines, its tries, how it ended, its certificate."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from typing import Final

from torrent_mover.commands.looking import at, looking_on
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.text import safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.ports.journal import Journal

SCHEMA_VERSION: Final = 1
_HEXADECIMAL: Final = re.compile("[0-9a-f]{1,64}")
_SHOWN: Final = 10


def execute(arguments: argparse.Namespace) -> ExitCode:
    """Find the one torrent that the hash begins with, and show it. Raises UsageError for none or several."""
    with looking_on(arguments) as view:
        beginning = arguments.hash.lower()
        found = view.journal.known(beginning) if _HEXADECIMAL.fullmatch(beginning) else []
        if len(found) != 1:
            raise _not_one(arguments.hash, found)
        if arguments.json:
            json.dump(as_data(view.journal, found[0]), sys.stdout, indent=2)
            sys.stdout.write("\n")
        else:
            sys.stdout.writelines(f"{line}\n" for line in _told(view.journal, found[0]))
    return ExitCode.DONE


def _not_one(given: str, found: list[InfoHash]) -> UsageError:
    if not found:
        return UsageError(
            f"No torrent in the journal has an infohash that begins with {given!r}.",
            remedy="torrent-mover status and torrent-mover history list the torrents in it.",
        )
    some = ", ".join(each.hex[:12] for each in found[:_SHOWN])
    return UsageError(f"{len(found)} torrents begin with {given!r}.", remedy=f"Give more characters: {some}.")


def as_data(journal: Journal, torrent: InfoHash) -> dict[str, object]:
    """The torrent for programs. Sizes in bytes, times in Unix seconds."""
    certificate = journal.certificate_text(torrent)
    return {
        "schema": SCHEMA_VERSION,
        "infohash": torrent.hex,
        "lines": [{"at": when, "level": level, "text": text} for when, level, text in journal.notes(torrent)],
        "attempts": [
            {
                "number": each.number,
                "started_at": each.started_at,
                "ended_at": each.ended_at,
                "sent": each.sent,
                "ended": each.ended,
                "source": each.source,
                "route": each.route,
            }
            for each in journal.attempts(torrent)
        ],
        "certificate": json.loads(certificate) if certificate else None,
    }


def _told(journal: Journal, torrent: InfoHash) -> Iterator[str]:
    record = journal.move(torrent)
    name = record.name if record else next((each.name for each in journal.history() if each.id == torrent), "")
    yield f"{torrent.hex}  {safe(name)}"
    for when, level, text in journal.notes(torrent):
        yield f"{at(when)} {level:<5} {safe(text)}"
    if record and record.error:
        yield f"Stage {record.stage.value}: {safe(record.error)} {safe(record.remedy)}".rstrip()
    if journal.certificate_text(torrent):
        yield "It has a certificate: all proofs that the removal at the source needs (--json shows it)."
