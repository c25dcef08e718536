"""Before a run: completes the records of a killed run. Looks at clients and disks; removes only temporary files of that run."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from torrent_mover.domain.errors import MoverError, NotWritable, TransferError
from torrent_mover.domain.move import MoveRecord
from torrent_mover.domain.paths import RelativePath
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.moving import overlap, removal
from torrent_mover.engine.delivery.landing import STAGING
from torrent_mover.engine.delivery.left_overs import remove_left_overs
from torrent_mover.engine.delivery.staging import give_back
from torrent_mover.engine.delivery.world import World


def reconcile(world: World) -> None:
    """Settle the records of moves whose torrent the source no longer has.

    Either we removed it and were killed before writing that down: then it seeds at the destination and the history is
    confirmed; or somebody else did: then that is said, and what we brought stays where it is. What we stopped at the source
    for the time of a hand-over is started again. Moves from other sources are for the runs of their configs.
    """
    places = [files for files in (world.destination.files, world.cache) if files is not None]
    remove_left_overs(world.traces, places, world.destination.client, partial(_warn, world))
    for files in places:
        with suppress(NotWritable):  # a closed folder is opened for the moves, not for this
            files.remove_folder(RelativePath((STAGING,)))  # goes only if it is empty
    records = world.journal.moves()
    others = {record.id for record in records if record.source not in ("", world.source.client.name)}
    for torrent in world.journal.stopped():
        if torrent not in others:
            _start_again(world, torrent)
    for record in records:
        if record.id not in others and world.source.client.get(record.id) is None:
            with suppress(TransferError):
                _settle(world, record)


def _warn(world: World, text: str) -> None:
    world.publish(Noticed(world.clock.now(), None, Level.WARN, text))


def _start_again(world: World, torrent: InfoHash) -> None:
    def say(text: str) -> None:
        world.publish(Noticed(world.clock.now(), torrent, Level.WARN, text))

    overlap.restore(world.journal, world.source, world.destination, torrent, say)


def _settle(world: World, record: MoveRecord) -> None:
    now = world.clock.now()

    def say(text: str) -> None:
        world.publish(Noticed(now, record.id, Level.WARN, text))

    if removal.settle(world.journal, world.source, world.destination, record.id, world.clock, say) is not None:
        text = f"{record.name}: the last run removed it from {world.source.name}, but was stopped before it could record that"
        world.publish(Noticed(now, record.id, Level.INFO, text))
        return
    there = world.destination.client.get(record.id)
    where = (
        f"it is in {world.destination.name} ({there.client_state})" if there else "what was brought stays in staging"
    )
    text = f"{record.name} was removed from {world.source.name} by somebody else; {where}{abandon(world, record.id)}"
    world.publish(Noticed(now, record.id, Level.WARN, text))


def abandon(world: World, torrent: InfoHash) -> str:
    """Forget a move whose torrent is gone, and put what lay at the destination before it back; returns what to say of that.

    What we brought stays in staging: it may be the only copy by now. Raises TransferError where another run moves the same
    torrent from elsewhere: nothing is done then, and a later run looks again.
    """
    with world.claim(torrent):
        said = ""
        try:
            count = give_back(world.destination.files, torrent, world.journal.adopted(torrent))
            said = f"; {counted(count, 'file')} that lay there before put back" if count else ""
        except MoverError as error:
            said = f"; what lay there before is in {STAGING}/{torrent.hex} and could not be put back: {error.what}"
        world.journal.forget_move(torrent)
    return said
