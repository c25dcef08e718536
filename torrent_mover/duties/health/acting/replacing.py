"""Takes a torrent out of its client, its release blocked and its data in the bin; or blocks and searches, and lets it stay."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from torrent_mover.domain.arrs.media import CommandStatus
from torrent_mover.domain.errors import LookAgain, TorrentGone
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.partfile import part_file_name
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import Torrent, TorrentState
from torrent_mover.domain.torrent.warrant import WarrantEvidence, issue_warrant
from torrent_mover.duties.health.act_settings import BinMode
from torrent_mover.duties.health.acting.bin import bin_folder
from torrent_mover.duties.health.acting.log import ActingStep, ActionLog
from torrent_mover.duties.health.acting.taken_out import OwnFile, TakenOut, lying_in, noted, staying
from torrent_mover.duties.health.acting.world import ActingWorld
from torrent_mover.duties.health.errors import BinRefused, CannotTakeOut, TakenOutChanged
from torrent_mover.duties.health.kinship import sharing
from torrent_mover.duties.health.model import HealthAction
from torrent_mover.engine.arrs.blocking import block
from torrent_mover.ports.roles import Categories, Exports, LimitsSharing, PartFiles, Retires

_REFRESHED_WITHIN: Final = 30.0
_AT_REST_WITHIN: Final = 30.0
_POLL: Final = 0.5
_RUNNING: Final = (TorrentState.SEEDING, TorrentState.DOWNLOADING)


def note(world: ActingWorld, log: ActionLog, torrent: Torrent, *, told_not_to_search: bool = False) -> TakenOut:
    """Read all that brings the torrent back, and write it down. Changes nothing but the journal, and the folders of the bin.

    `told_not_to_search`: see TakenOut, of an action before this one.
    Raises MoverError where the torrent could not be brought back, or its data cannot go into the bin. What is written down then
    is there for the next look to go on from: a try of the bin was cut short.
    """
    client, settings = world.health.client, world.health.settings
    if log.record.action.takes_out and client.role(Retires) is None:
        raise CannotTakeOut(
            f"{client.name} cannot take a torrent out and leave its data.",
            kept="The torrent and its data were not touched.",
            remedy=f"Set {log.record.code.value}_action to keep or report.",
        )
    files = client.files(torrent.id)
    folder = lying_in(torrent, files)
    wants_bin = log.record.action.takes_out and settings.bin is BinMode.AUTO
    found = world.bin.found(folder, files) if wants_bin else staying(files)
    record = noted(log.record.number, torrent, found, _metainfo(world, torrent), folder)
    record = replace(record, told_not_to_search=told_not_to_search)
    if wants_bin:
        record = _with_bin(world, log, record)
    world.records.save(record)
    return record


def _metainfo(world: ActingWorld, torrent: Torrent) -> bytes:
    """Blank for a magnet link without metadata, which has nothing to bring back but its link."""
    exports = world.health.client.role(Exports)
    if exports is None or torrent.total_size <= 0:
        return b""
    return exports.metainfo(torrent.id)


def _with_bin(world: ActingWorld, log: ActionLog, record: TakenOut) -> TakenOut:
    """With its place in the bin, proven to take the data. What other torrents use stays where it is; so does what is retired."""
    stays = log.record.action is HealthAction.RETIRE or _shared(world, record)
    parts = world.health.client.role(PartFiles)
    name = part_file_name(record.torrent) if parts is not None else ""
    has_part = bool(name) and world.bin.has_part(record, name)
    if stays:
        record = replace(record, files=staying(record.files))
    lies = bool(record.going)
    if stays and not has_part:
        return record
    if not record.metainfo and not lies:
        return record  # a magnet: there is nothing
    record = replace(
        record,
        bin=bin_folder(record.torrent, world.health.name, record.number),
        part=name if has_part else "",
        probe=f".torrent-mover-probe-{record.number}-{secrets.token_hex(8)}",
    )
    world.records.save(record)  # where its try is cut short, the next look takes the try away
    try:
        world.bin.make_ready(record)
    except BinRefused:
        world.records.forget(record.number)
        raise
    return replace(record, probe="")


def _shared(world: ActingWorld, record: TakenOut) -> bool:
    """Whether any other torrent lies over the same data, as the client, and others of its machine, tell now."""
    return record.torrent in sharing(tuple(world.health.client.torrents())) or bool(
        _neighbour(world, record, record.files)
    )


def _neighbour(world: ActingWorld, record: TakenOut, files: Iterable[OwnFile]) -> str:
    """Which other client of the machine uses these, or may, in words; blank: none. It is told: nobody else knows of them then."""
    neighbours = world.health.neighbours
    why = neighbours.using([record.folder / file.lies_at for file in files]) if neighbours is not None else ""
    if why:
        text = f"{record.name}: once it is out, its files stay in {record.folder}: {clause(why)}. Delete them if nobody needs them."
        world.health.say(record.torrent, text, Level.WARN)
    return why


@dataclass(slots=True)
class Replacement:
    """One replacement (keep, replace, retire), from wherever it stands. Each step looks at the world before it changes it."""

    world: ActingWorld
    log: ActionLog
    record: TakenOut

    def run(self) -> None:
        """Take all steps that are left. Raises MoverError; what was done is written down, and the next run goes on from there."""
        log, action = self.log, self.log.record.action
        self._refuse_changed()
        if action.tells_the_arr and self.world.manager is not None:
            if self.record.complete:
                log.take(ActingStep.LIFT, self._lift)
            log.take(ActingStep.BLOCK, self._block)
        if action.takes_out:
            log.take(ActingStep.STOP, self._stop)
            if self.record.part:
                log.take(ActingStep.SAVE_PART, self._save_part)
            log.take(ActingStep.TAKE_OUT, self._take_out)
            if self.record.bin:
                log.take(ActingStep.BIN, self._into_bin)
        else:
            if log.begun(ActingStep.LIFT):
                log.take(ActingStep.GIVE_BACK, self.give_back)
            if self.world.health.settings.kept_category:
                log.take(ActingStep.FILE, self._file)
        if action.tells_the_arr and self.world.manager is not None:
            log.take(ActingStep.SEARCH, self._search)

    @property
    def only_forward(self) -> bool:
        """Whether there is no way back: the release is blocked, or the client was told to take it out."""
        return self.log.done(ActingStep.BLOCK) or self.log.done(ActingStep.TAKE_OUT) or self.record.warranted

    def has_way_back(self) -> bool:
        """Whether it can be left as it was, by what its client lists now."""
        if self.log.done(ActingStep.BLOCK) or self.log.done(ActingStep.TAKE_OUT):
            return False
        return not self.record.warranted or self.world.health.client.get(self.record.torrent) is not None

    def _refuse_changed(self) -> None:
        """What somebody has changed since it was decided is left alone, unless it is on its way out already."""
        if self.log.begun(ActingStep.TAKE_OUT) or self.log.done(ActingStep.BLOCK):
            return
        there = self.world.health.client.get(self.record.torrent)
        if there is None or not self.record.same(there):
            raise self._changed()

    def _changed(self) -> TakenOutChanged:
        return TakenOutChanged(
            f"{self.record.name} is no longer as it was when that was decided.",
            kept="Its data was not touched.",
            remedy="The next look judges it anew.",
        )

    def _lift(self) -> str:
        """No share limit, and the Arr knows: else its block makes it remove a finished torrent with its data."""
        limiting = self.world.health.client.role(LimitsSharing)
        if limiting is None:
            return "this client has none"
        limiting.set_share_limits(self.record.torrent, ShareLimits())
        manager, clock = self.world.manager, self.world.health.clock
        assert manager is not None  # noqa: S101  asked by run
        command = manager.refresh()
        deadline = clock.monotonic() + _REFRESHED_WITHIN
        while command.status is CommandStatus.WAITING and clock.monotonic() < deadline:
            clock.wait(_POLL)
            command = manager.command(command.number)
        if command.status is not CommandStatus.COMPLETED:
            raise LookAgain(
                f"{manager.name} has not looked at its downloads again: {command.status.value}.",
                kept="Nothing was blocked: by what it saw before it might remove the torrent with its data.",
                remedy="It is tried again later.",
            )
        return f"{manager.name} has looked: {command.status.value}"

    def give_back(self) -> str | None:
        """The share limits that were lifted."""
        limiting = self.world.health.client.role(LimitsSharing)
        if limiting is not None and self.world.health.client.get(self.record.torrent) is not None:
            limiting.set_share_limits(self.record.torrent, self.record.share_limits)
        return None

    def start_again(self) -> None:
        """It ran until it was stopped here."""
        client = self.world.health.client
        stopped = self.record.running and self.log.begun(ActingStep.STOP)
        if stopped and client.get(self.record.torrent) is not None:
            client.start(self.record.torrent)

    def _block(self) -> str:
        world = self.world
        assert world.manager is not None  # noqa: S101  asked by run
        lifted = world.health.client.role(LimitsSharing) is not None and self.log.done(ActingStep.LIFT)

        def about_to(skips_search: bool) -> None:  # noqa: FBT001  the port's own signature
            self._note(told_not_to_search=skips_search)

        blocked = block(
            world.manager,
            self.record.torrent,
            world.health.clock,
            complete=self.record.complete,
            limits_lifted=lifted,
            told_not_to_search=self.record.told_not_to_search,
            about_to=about_to,
        )
        self._note(media=blocked.media, arr_searches=blocked.arr_searches)
        return f"{world.manager.name} shows it as failed"

    def _stop(self) -> str | None:
        client, clock = self.world.health.client, self.world.health.clock
        if client.get(self.record.torrent) is None:
            return "it was gone"
        client.stop(self.record.torrent)
        deadline = clock.monotonic() + _AT_REST_WITHIN
        while (there := client.get(self.record.torrent)) is not None and there.state in _RUNNING:
            if clock.monotonic() >= deadline:
                break  # the warrant is refused, and says so
            clock.wait(_POLL)
        if there is not None:
            self._note(amount_left=there.amount_left)  # bytes that came until it stood still
        return None

    def _save_part(self) -> str:
        size = self.world.bin.keep_part(self.record)
        self._note(part_size=size)
        return f"{size} bytes"

    def _take_out(self) -> str:
        health = self.world.health
        there = health.client.get(self.record.torrent)
        if there is None:
            return "it is out"
        if self.record.warranted:
            self._note(warranted=False)  # it is there: an earlier try took nothing out
        if not self.record.same(there):
            # As after an eviction while its client was away: this record would never be true again, and never end.
            raise self._changed()
        read_at = health.clock.monotonic()
        retires = health.client.role(Retires)
        assert retires is not None  # noqa: S101  asked by note
        warrant = issue_warrant(
            WarrantEvidence(
                client=health.client_name,
                torrent=there,
                read_at=read_at,
                now=health.clock.monotonic(),
                reason=self.log.record.reason,
                same_verdict=self.record.same(there),
                leased=True,
                written=self.log.begun(ActingStep.TAKE_OUT),
            )
        )
        self._note(warranted=True)
        try:
            retires.retire(warrant)
        except TorrentGone:
            return "it was gone"
        return "out"

    def _into_bin(self) -> str:
        """What another torrent uses by now stays; so does what a re-grabbed one writes, and what was not taken out by us."""
        if not self.record.warranted:
            return "it was not taken out by us: its files stay"
        if any(_uses(each, self.record) for each in self.world.health.client.torrents()):
            return "another torrent uses its files: they stay where they are"
        if neighbour := _neighbour(self.world, self.record, self.record.going):
            return f"{neighbour}: its files stay where they are"
        size = self.world.bin.put_in(self.record)
        health = self.world.health
        health.journal.save_bin_entry(self.world.bin.entry(self.record, health.clock.now(), size))
        return f"{size} bytes"

    def _file(self) -> str | None:
        sorting, there = self.world.health.client.role(Categories), self.world.health.client.get(self.record.torrent)
        if sorting is None or there is None:
            return "it stays where it is"
        sorting.set_category(self.record.torrent, self.world.health.settings.kept_category)
        return None

    def _search(self) -> str:
        searches = self.world.health.searches
        if self.record.arr_searches:
            return "the Arr searches by itself"
        if searches is None or not self.record.media:
            return "nothing to search for"
        searches.wish(self.record.torrent, self.record.media, self.log.record.reason)
        return "wished for"

    def _note(self, **changes: object) -> None:
        self.record = replace(self.record, **changes)  # type: ignore[arg-type]
        self.world.records.save(self.record)


def _uses(torrent: Torrent, record: TakenOut) -> bool:
    """Whether a torrent of the client lies over the data of the one that was taken out."""
    if torrent.content_path is None or torrent.id == record.torrent:
        return torrent.id == record.torrent
    places = [record.folder / file.lies_at for file in record.going]
    return any(place.is_within(torrent.content_path) for place in places)
