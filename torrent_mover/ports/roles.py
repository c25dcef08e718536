"""What only some torrent clients can do: one small role each, which a client has or lacks (`TorrentClient.role`).

A client has a role when it has all methods of its protocol. None of them may pretend: what a client can do only in part is not
its role. Every method may raise ServerError's children, and TorrentGone for a torrent that the client does not have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.domain.torrent.manifest import InfoHashes
from torrent_mover.domain.torrent.sharing import ShareLimits
from torrent_mover.domain.torrent.torrent import ClientFile, FilePriority, InfoHash, PieceStates, Torrent, Tracker
from torrent_mover.domain.torrent.warrant import Warrant


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a client's own options do: `what` follows its name, `option` says where a person changes it.

    `at_removal`: to torrents that are removed, or by removing them; else to those that arrive. `moves`: it moves their data.
    `runs`: what it runs when a torrent has finished, as its configuration has it; blank: this is about something else.
    """

    what: str
    option: str
    at_removal: bool = False
    moves: bool = False
    runs: str = ""


class TorrentPhase(Enum):
    """What a torrent is in the middle of."""

    METADATA = "fetches its metadata"
    DOWNLOADING = "downloads"
    SEEDING = "seeds"
    QUEUED = "waits for its turn"
    STOPPED = "is stopped"
    CHECKING = "is being checked"
    MOVING = "is being moved"
    MISSING_FILES = "misses its files"
    ERROR = "is in error"
    UNKNOWN = "does what is unknown"


@dataclass(frozen=True, slots=True)
class TorrentPulse:
    """What a torrent is doing right now. Rates in bytes/s, `eta` in seconds, `last_activity` in Unix seconds; None: not told.

    `availability`: how many whole copies of it the connected peers have among them. `seeds` and `peers` are connected ones,
    `swarm_seeds` and `swarm_peers` those that trackers know of. `last_activity` is the time of adding until a byte came.
    `was_complete`: it had all its bytes once; a recheck that finds nothing does not change that. `queue_place` from 1;
    None: it has none. `private` (BEP 27) is None where the client does not say; then the metainfo does.
    """

    download_rate: int
    upload_rate: int
    eta: int | None
    availability: float | None
    seeds: int
    peers: int
    last_activity: int | None
    phase: TorrentPhase = TorrentPhase.UNKNOWN
    swarm_seeds: int | None = None
    swarm_peers: int | None = None
    was_complete: bool | None = None
    queue_place: int | None = None
    private: bool | None = None


@dataclass(frozen=True, slots=True)
class ClientCondition:
    """How a client is. None: it does not tell.

    `connected`: it has a network at all, as far as it knows. It also says so of a firewalled one, and where there is none.
    `alternative_limits`: the alternative limits of all rates are on. `queueing`: it keeps a queue.
    """

    connected: bool | None
    dht_nodes: int | None
    alternative_limits: bool | None
    queueing: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class ClientSnapshot:
    """All torrents of a client and what they do. `condition` None: the client does not tell how it is in the same answer.

    Compared with the snapshot before, what has not changed of a torrent is the same object, and a snapshot in which nothing has
    changed is the same one.
    """

    torrents: Mapping[InfoHash, Torrent]
    pulses: Mapping[InfoHash, TorrentPulse]
    condition: ClientCondition | None


# -- what it tells of a torrent ----------------------------------------------------------------------------------------


@runtime_checkable
class Exports(Protocol):
    """Hands out .torrent files."""

    def metainfo(self, torrent: InfoHash) -> bytes:
        """The .torrent, info dictionary byte for byte. Raises ServerTooOld where this version cannot export it."""


@runtime_checkable
class NamesTorrents(Protocol):
    """Says by which infohash it knows a torrent that has several. A client without this role uses `InfoHashes.client_id`."""

    def id_of(self, hashes: InfoHashes) -> InfoHash | None:
        """By which it knows, or would know, the torrent; None: it cannot hold it. Asks nobody."""


@runtime_checkable
class ListsFiles(Protocol):
    """It tells the files of many torrents by few questions."""

    def files_of(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Sequence[ClientFile]]:
        """As `TorrentClient.files`, for many. One that it does not have, or whose files it cannot tell, is left out."""


@runtime_checkable
class HasPieces(Protocol):
    """Tells which pieces of a torrent are good."""

    def pieces(self, torrent: InfoHash) -> PieceStates:
        """Which pieces the client has."""


@runtime_checkable
class WebSeeds(Protocol):
    """Downloads from web servers too (BEP 19), and tells which."""

    def web_seeds(self, torrent: InfoHash) -> Sequence[str]:
        """Its web seeds as the user edited them."""


@runtime_checkable
class Pulses(Protocol):
    """Tells what its torrents are doing."""

    def pulses(self) -> Mapping[InfoHash, TorrentPulse]:
        """All torrents, magnets without metadata included, by one question."""


@runtime_checkable
class Snapshots(Protocol):
    """Tells again and again of all torrents, at the cost of what has changed. What a person edits may show half an hour later."""

    def snapshot(self) -> ClientSnapshot:
        """How all is now."""


@runtime_checkable
class ListsTrackers(Protocol):
    """Tells the trackers of many torrents by few questions."""

    def trackers_of(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Sequence[Tracker]]:
        """Theirs; what the client does not have is left out."""


@runtime_checkable
class TellsPrivate(Protocol):
    """Tells of a single torrent whether it is private (BEP 27)."""

    def is_private(self, torrent: InfoHash) -> bool | None:
        """Whether it is; None where it is not known yet: a magnet without metadata."""


@runtime_checkable
class Conditions(Protocol):
    """Tells how it is itself."""

    def condition(self) -> ClientCondition:
        """How it is now."""

    def free_space(self) -> int | None:
        """Bytes free at its default save path, as it says: it may be wrong (0 on a disk with room), and asking is costly."""


# -- how it sorts and names torrents -----------------------------------------------------------------------------------


@runtime_checkable
class Categories(Protocol):
    """Sorts torrents by one word each, which other clients call label."""

    def categories(self) -> Sequence[str]:
        """All categories, by name; empty ones too where the client knows such."""

    def set_category(self, torrent: InfoHash, category: str) -> None:
        """Put it into a category, created where missing, without moving data. Blank: into none."""


@runtime_checkable
class Tags(Protocol):
    """Marks torrents with any number of words."""

    def set_tags(self, torrent: InfoHash, tags: Sequence[str]) -> None:
        """Give it these tags and no others."""


@runtime_checkable
class DisplayNames(Protocol):
    """Shows a torrent by another name than its .torrent has; no file is renamed by that."""

    def set_name(self, torrent: InfoHash, name: str) -> None:
        """Show it by this name."""


@runtime_checkable
class Renames(Protocol):
    """Gives the files of a torrent other paths than its .torrent has."""

    def rename_file(self, torrent: InfoHash, old: str, new: str) -> None:
        """Rename one file, on disk too where it lies there. Paths are relative to the save path. Raises Collision."""


# -- which files it brings, and in which order -------------------------------------------------------------------------


@runtime_checkable
class Priorities(Protocol):
    """Wants some files of a torrent more than others, or not at all."""

    def set_priorities(self, torrent: InfoHash, priorities: Mapping[int, FilePriority]) -> None:
        """Set those of these files, by their index."""


@runtime_checkable
class PartFiles(Protocol):
    """Keeps what it has of unselected files in a part file of libtorrent's format (`domain.torrent.partfile`)."""

    def part_file(self, torrent: InfoHash) -> ClientPath:
        """Where that file lies, or would lie."""


@runtime_checkable
class OrdersPieces(Protocol):
    """Downloads pieces in order, or the first and last of each file before others, where told so."""

    def set_piece_order(self, torrent: InfoHash, *, sequential: bool, first_last_first: bool) -> None:
        """Set both."""


# -- its trackers, and leaving -----------------------------------------------------------------------------------------


@runtime_checkable
class Reannounces(Protocol):
    """Asks the trackers of a torrent for peers, out of turn."""

    def reannounce(self, torrent: InfoHash) -> None:
        """Ask them all now. A tracker may refuse what comes too early; a stopped torrent asks none."""


@runtime_checkable
class EditsTrackers(Protocol):
    """Takes trackers away from a torrent, and adds some."""

    def add_tracker(self, torrent: InfoHash, url: str) -> None:
        """Add one, read back; one that is there is fine."""

    def remove_tracker(self, torrent: InfoHash, url: str) -> None:
        """Take one away, read back; one that is not there is fine."""


@runtime_checkable
class Retires(Protocol):
    """Takes a torrent out and leaves its data."""

    def retire(self, warrant: Warrant) -> None:
        """Take it out; returns when it is no longer listed. One that is not listed already is fine. Raises WarrantStale.

        Its files stay. A part file (see `PartFiles`) is not one of them: the client deletes it.
        """


# -- how it shares -----------------------------------------------------------------------------------------------------


@runtime_checkable
class EndsSharing(Protocol):
    """May stop or remove torrents that have been shared for long enough, by whatever rule of its own."""

    def limited(self, torrent: Torrent) -> bool:
        """Whether a limit, its own or the client's, could stop or remove it one day. In doubt it could."""


@runtime_checkable
class LimitsSharing(EndsSharing, Protocol):
    """Ends sharing by limits that can be set for each torrent."""

    def share_defaults(self) -> ShareLimits:
        """The limits that count for torrents without their own, and what the client does when one is met."""

    def set_share_limits(self, torrent: InfoHash, limits: ShareLimits) -> None:
        """Set what this version knows of them; reading the torrent tells what that was."""


@runtime_checkable
class TransferLimits(Protocol):
    """Limits the rates of single torrents."""

    def set_transfer_limits(self, torrent: InfoHash, *, upload: int, download: int) -> None:
        """Set both, in bytes/s; 0: no limit."""


@runtime_checkable
class SuperSeeds(Protocol):
    """Knows super seeding (BEP 16)."""

    def set_super_seeding(self, torrent: InfoHash, *, on: bool) -> None:
        """Offer each piece to one peer at a time, or to all."""


@runtime_checkable
class ForceStarts(Protocol):
    """Shares torrents outside of its queue where told so."""

    def set_force_start(self, torrent: InfoHash, *, on: bool) -> None:
        """Let it share outside the queue; on also starts it."""


@runtime_checkable
class QueueOrder(Protocol):
    """Keeps torrents in a queue, where told so, and lets each be moved in it."""

    def queue_place(self, torrent: InfoHash) -> int | None:
        """Its place, from 1; None where it has none: it is complete, or the queue is off."""

    def move_in_queue(self, torrent: InfoHash, *, first: bool) -> None:
        """Let it be the first, or the last. Raises TorrentError where the queue is off."""


# -- where the data lies -----------------------------------------------------------------------------------------------


@runtime_checkable
class AutoManages(Protocol):
    """Decides by itself where the data of a torrent lies, where told so."""

    def managed_path(self, category: str) -> ClientPath:
        """Where automatic management would put a torrent of that category."""

    def set_auto_managed(self, torrent: InfoHash, *, on: bool) -> None:
        """Switch automatic management; on moves the data unless it lies at the category's `managed_path`."""


@runtime_checkable
class SkipsCheck(Protocol):
    """Takes a torrent for complete without a look at its data, where `AddSpec.skip_checking` says so."""

    def skips_check(self, *, renamed: bool) -> bool:
        """Whether it really does; `renamed`: also where files have other names than in the .torrent."""


@runtime_checkable
class Relocates(Protocol):
    """Lets a torrent use files that lie ready at another place. For whoever has brought and proven them there."""

    def relocate(self, torrent: InfoHash, save_path: ClientPath) -> None:
        """Use the files that lie ready there, all of them: what is missing there the client may move or make itself.

        Moves no data, and takes nothing away where it was. Leaves the torrent stopped, and unproven until a recheck.
        Category, tags and limits stay. Raises BadAnswer where it does not take effect.
        """

    def persist(self, torrent: InfoHash) -> ClientPath | None:
        """Return once a power cut cannot take the torrent back to where it was, read back. Raises BadAnswer where it is not so.

        The save path that its saved state names; None where that is unknown.
        """

    def opened(self, torrent: InfoHash) -> Sequence[ClientPath]:
        """The paths of the files that it really uses, in metainfo order."""


@runtime_checkable
class Locates(Protocol):
    """Finds files by our questions, so that we learn how it sees a folder."""

    def folders(self) -> Sequence[ClientPath]:
        """Folders that it uses, as it sees them: its default save path first, then those of categories and torrents."""

    def locate(self, canary: Canary, folders: Sequence[ClientPath], *, by_reading: bool = False) -> ClientPath | None:
        """In which of these folders, as it sees them, it finds the canary; None: it looked, and finds it in none.

        `by_reading`: a name in a listing is not enough. Raises ClientMayNotRead where it finds the file and cannot read it.

        Leaves nothing behind, on disk or in the client, and touches no torrent but those that it makes for this question.
        Raises BadAnswer where it cannot tell in time, because it is busy checking.
        """

    def forget_canary(self, canary: Canary) -> None:
        """Take what a killed run made of a canary out of the client: its torrents, and no other one. Files stay."""


# -- what its own options do -------------------------------------------------------------------------------------------


@runtime_checkable
class Remarks(Protocol):
    """Has options of its own that act on torrents that arrive, or that are removed."""

    def remarks(self) -> Sequence[Remark]:
        """What they do, and a person may not expect."""


@runtime_checkable
class Trashes(Protocol):
    """May keep the data of removed torrents in a trash."""

    def trash(self) -> Remark | None:
        """That data goes to a trash, where it keeps its space; None where it is deleted."""


ROLES: tuple[type, ...] = (
    Exports,
    NamesTorrents,
    ListsFiles,
    HasPieces,
    WebSeeds,
    Pulses,
    Snapshots,
    ListsTrackers,
    TellsPrivate,
    Conditions,
    Categories,
    Tags,
    DisplayNames,
    Renames,
    Priorities,
    PartFiles,
    OrdersPieces,
    Reannounces,
    EditsTrackers,
    Retires,
    EndsSharing,
    LimitsSharing,
    TransferLimits,
    SuperSeeds,
    ForceStarts,
    QueueOrder,
    AutoManages,
    SkipsCheck,
    Relocates,
    Locates,
    Remarks,
    Trashes,
)
"""All of them, for whoever asks what a client is."""
