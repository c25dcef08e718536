"""The last step at the source: the one destructive call, what became of it, and the account of it after an interruption."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import Final

from torrent_mover.domain.errors import DataLeft, MoverError, ServerError, TransferError
from torrent_mover.domain.move import HistoryEntry, Outcome
from torrent_mover.domain.paths import ClientPath, RelativePath
from torrent_mover.domain.text import counted, size
from torrent_mover.domain.torrent.attributes import DeferredAttributes
from torrent_mover.domain.torrent.certificate import Certificate
from torrent_mover.domain.torrent.torrent import InfoHash, TorrentState
from torrent_mover.duties.moving.deferred import give
from torrent_mover.engine.delivery.landing import STAGING
from torrent_mover.engine.delivery.places import Destination, PlannedMove, Source
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import ReadableFiles
from torrent_mover.ports.journal import JobJournal
from torrent_mover.ports.roles import Trashes

_GONE_WITHIN: Final = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5
_NAMED: Final = 3
"""Files that a message names one by one."""

_LACKING: Final = (TorrentState.STOPPED_INCOMPLETE, TorrentState.DOWNLOADING)


def remove(
    source: Source,
    files: ReadableFiles,
    certificate: Certificate,
    layout: Iterable[RelativePath],
    clock: Clock,
    warn: Callable[[str], None],
) -> bool:
    """Have the source client remove the torrent. Raises what it raises, unless the torrent is gone all the same.

    An answer that was lost is not the order: only looking tells. False where the torrent is gone and its data was left, which
    is told: nothing of that is undone by failing.
    """
    try:
        source.client.remove(certificate)
    except DataLeft as error:
        warn(str(error))
        return False
    except ServerError:
        if not _surely_gone(source, files, certificate, layout, clock):
            raise
    return True


def _surely_gone(
    source: Source, files: ReadableFiles, certificate: Certificate, layout: Iterable[RelativePath], clock: Clock
) -> bool:
    """Whether the source no longer lists it, and does not after some seconds either, or its data is gone.

    Its client may have died before it did anything; one that has just started lists nothing for a while.
    """
    deadline, left = clock.monotonic() + _GONE_WITHIN, list(layout)
    with suppress(MoverError):
        while source.client.get(certificate.torrent) is None:
            left = _still_there(files, left)
            if not left or clock.monotonic() > deadline:
                return True
            clock.wait(_LONGEST_PAUSE)
    return False


def settle(
    journal: JobJournal,
    source: Source,
    destination: Destination,
    torrent: InfoHash,
    clock: Clock,
    say: Callable[[str], None],
) -> HistoryEntry | None:
    """Finish the account of a move whose torrent the source no longer has, if it was us who removed it: None if not.

    It was, where the last entry of the history waits to be confirmed, its certificate is written down, and the destination
    has the torrent, lacks nothing of it, and nothing of it lies in staging. Else a later attempt found something to mend, and
    the certificate says nothing of what is there now. What was to be deleted at the source and is still there is said, too: we
    may have been killed in between. Raises TransferError where the source lists the torrent again after the seconds in which
    its data was seen to stay: it had only just started, and nobody has removed anything.
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
    left = ""
    with suppress(MoverError):
        left = _left_behind(source, certificate, clock)
    if left and source.client.get(torrent) is not None:
        raise TransferError(
            f"{source.name} lists {entry.name} again: it had only just started when it was looked for.",
            kept="Nothing was removed. The destination has its own, proven copy.",
            remedy="The next run goes on with it.",
        )
    with suppress(ValueError, KeyError, TypeError):  # a certificate of an older version names nothing to give
        give(destination, torrent, DeferredAttributes.from_data(json.loads(certificate)["later"]), say, started=True)
    journal.confirm_history(torrent)
    journal.forget_move(torrent)
    if left:
        say(f"{entry.name} was removed from {source.name}, but not its data: delete it there by hand. {left}")
    return replace(entry, confirmed=True)


def _left_behind(source: Source, certificate: str, clock: Clock) -> str:
    """The files that a written certificate let go and that do not go from the source in some seconds, in words; blank: none."""
    try:
        told = json.loads(certificate)
        save_path = ClientPath(told["gate"]["source_read_again"]["state"]["save_path"])
        left = [RelativePath.parse(path) for _, path, _, wanted in told["files"]["planned"] if wanted]
        deletes = told["delete_data"]
    except (ValueError, KeyError, TypeError):
        return ""  # of an older version
    if not deletes:
        return ""
    deadline = clock.monotonic() + _GONE_WITHIN
    with closing(source.open(save_path)) as files:
        while (left := _still_there(files, left)) and clock.monotonic() < deadline:
            clock.wait(_LONGEST_PAUSE)
    return _named(save_path, left) if left else ""


def _named(save_path: ClientPath, left: Sequence[RelativePath]) -> str:
    """The files by name, the first few: never a folder, which others may use too."""
    named = " ".join(shlex.quote(str(save_path / path)) for path in left[:_NAMED])
    more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    return f"These files of this torrent are left, and no others: {named}{more}"


def other_names(planned: PlannedMove) -> str:
    """What deleting leaves behind where files have names of other torrents too."""
    others = ", ".join(sorted(other.short for other in planned.linked))
    return f"its files at the source have other names (hard links), of {others}: these keep the data"


def see_it_gone(
    source: Source,
    files: ReadableFiles,
    certificate: Certificate,
    layout: Iterable[RelativePath],
    clock: Clock,
    warn: Callable[[str], None],
) -> None:
    """The client removes files behind its answer: look whether the data really goes, and say so where it does not.

    The client is asked why only while data is left: it may take seconds to say anything.
    """
    deadline, pause = clock.monotonic() + _GONE_WITHIN, _FIRST_PAUSE
    left = list(layout)
    while left := _still_there(files, left):
        why = _complaint(source, certificate)
        if why or clock.monotonic() > deadline:
            warn(_left(source, certificate, left, why))
            return
        clock.wait(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _still_there(files: ReadableFiles, paths: Sequence[RelativePath]) -> list[RelativePath]:
    """Those of the files that are there. In a folder that is gone none is, and none is asked for."""
    folders = sorted({path.parent for path in paths if path.parent.parts})
    looks = zip(folders, files.stats(folders), strict=True)
    gone = {folder for folder, look in looks if look is None}
    asked = [path for path in paths if path.parent not in gone]
    return [path for path, look in zip(asked, files.stats(asked), strict=True) if look is not None]


def _complaint(source: Source, certificate: Certificate) -> str:
    with suppress(ServerError):
        return source.client.complaint(certificate)
    return ""


def _left(source: Source, certificate: Certificate, left: Sequence[RelativePath], why: str) -> str:
    torrent = certificate.evidence.planned
    more = f": torrent-mover log {torrent.id.short} --json" if len(left) > _NAMED else ""
    reason = f": {why}" if why else f"; it does not say why, and {counted(len(left), 'file')} are still there."
    return (
        f"{source.name} has removed {torrent.name}, but not its data{reason}"
        " The destination has its own, proven copy. Give the user that runs the source client the right to delete there."
        f" {_named(torrent.save_path, left)}{more}"
    )


def in_the_trash(source: Source, journal: JobJournal, run: str) -> str:
    """How much of what a run has removed at the source still lies there, where its client keeps a trash; blank where nothing.

    Raises ServerError's and ProvisioningError's children.
    """
    entries = (entry for entry in journal.history() if entry.run == run)
    sizes = [entry.size for entry in entries if entry.outcome is Outcome.MOVED and not entry.detail]
    trashing = source.client.role(Trashes)
    remark = trashing.trash() if trashing and sizes else None
    if remark is None:
        return ""
    return (
        f"{size(sum(sizes))} of {counted(len(sizes), 'moved torrent')} lie in the trash of {source.client.name}"
        " (except for files named in a warning) and take their space until it is emptied: ~/.local/share/Trash of the user"
        f" that runs it, or .Trash-UID at the top of that disk. For the next ones: {remark.option}"
    )
