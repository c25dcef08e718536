"""The last step at the source: the one destructive call, what became of it, and the account of it after an interruption."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from torrent_mover.domain.errors import MoverError, ProvisioningError, ServerError
from torrent_mover.domain.move import HistoryEntry, Outcome
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.text import counted, size
from torrent_mover.domain.torrent.attributes import DeferredAttributes
from torrent_mover.domain.torrent.certificate import Certificate
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.duties.moving.deferred import give
from torrent_mover.engine.delivery.landing import STAGING
from torrent_mover.engine.delivery.places import Destination, PlannedMove, Source
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import FileSystem
from torrent_mover.ports.journal import Journal

_GONE_WITHIN: Final = 10.0
_POLL: Final = 0.5
_LACKING: Final = (TorrentState.STOPPED_INCOMPLETE, TorrentState.DOWNLOADING)


def remove(source: Source, certificate: Certificate, warn: Callable[[str], None]) -> None:
    """Have the source client remove the torrent. Raises what it raises, unless the torrent is gone all the same.

    An answer that was lost is not the order: only looking tells. Data that the client could not delete is told, for the move
    itself is done.
    """
    try:
        source.client.remove(certificate)
    except (ServerError, ProvisioningError) as error:
        if not _surely_gone(source, certificate):
            raise
        if isinstance(error, ProvisioningError):
            warn(str(error))


def _surely_gone(source: Source, certificate: Certificate) -> bool:
    with suppress(MoverError):
        return source.client.get(certificate.torrent) is None
    return False


def settle(
    journal: Journal, destination: Destination, torrent: InfoHash, say: Callable[[str], None]
) -> HistoryEntry | None:
    """Finish the account of a move whose torrent the source no longer has, if it was us who removed it: None if not.

    It was, where the last entry of the history waits to be confirmed, its certificate is written down, and the destination
    has the torrent, lacks nothing of it, and nothing of it lies in staging. Else a later attempt found something to mend, and
    the certificate says nothing of what is there now.
    """
    entry = next((entry for entry in journal.history() if entry.id == torrent), None)
    certificate = journal.certificate_text(torrent)
    if entry is None or entry.confirmed or certificate is None:
        return None
    there = destination.client.get(torrent)
    if there is None or there.state in _LACKING:
        return None
    if destination.files.stat(RelativePath((STAGING, torrent.hex))) is not None:
        return None
    with suppress(ValueError, KeyError, TypeError):  # a certificate of an older version names nothing to give
        give(destination, torrent, DeferredAttributes.from_data(json.loads(certificate)["later"]), say, started=True)
    journal.confirm_history(torrent)
    journal.forget_move(torrent)
    return replace(entry, confirmed=True)


def other_names(planned: PlannedMove) -> str:
    """What deleting leaves behind where files have names of other torrents too."""
    others = ", ".join(sorted(other.short for other in planned.linked))
    return f"its files at the source have other names (hard links), of {others}: these keep the data"


def see_it_gone(
    files: FileSystem, planned: PlannedMove, layout: Iterable[RelativePath], clock: Clock, warn: Callable[[str], None]
) -> None:
    """The client removes files behind its answer: look whether the data really goes, and say so where it does not."""
    deadline = clock.monotonic() + _GONE_WITHIN
    left = list(layout)
    while left := [path for path, look in zip(left, files.stats(left), strict=True) if look is not None]:
        if clock.monotonic() > deadline:
            warn(
                f"the source client removed the torrent but {len(left)} of its files are still there,"
                f" the first one: {planned.torrent.save_path / left[0]}"
            )
            return
        clock.wait(_POLL)


def in_the_trash(source: Source, journal: Journal, run: str) -> str:
    """How much of what a run has removed at the source still lies there, where its client keeps a trash; blank where nothing.

    Raises ServerError's and ProvisioningError's children.
    """
    entries = (entry for entry in journal.history() if entry.run == run)
    sizes = [entry.size for entry in entries if entry.outcome is Outcome.MOVED and not entry.detail]
    remark = source.client.trash() if sizes else None
    if remark is None:
        return ""
    return (
        f"{size(sum(sizes))} of {counted(len(sizes), 'moved torrent')} lie in the trash of {source.client.name}"
        " (but for files named in a warning) and take their space until it is emptied: ~/.local/share/Trash of the user"
        f" that runs it, or .Trash-UID at the top of that disk. For the next ones: {remark.option}"
    )
