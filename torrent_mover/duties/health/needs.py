"""What one loop of health needs from outside: its client, its Arr, its journal, what acts, what searches. Protocols."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from torrent_mover.domain.arrs.media import MediaEvent, QueueItem
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.rules import TrackerRules
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.health.attributes import AttributeChange
from torrent_mover.duties.health.listing import ClientListing
from torrent_mover.duties.health.model import (
    ActionOutcome,
    ActionRecord,
    BinEntry,
    CountedSeeding,
    DiskRoom,
    HealthHold,
    HealthMemory,
    Intent,
    MediaView,
    Picture,
    ProbeVerdict,
)
from torrent_mover.duties.health.settings import HealthSettings
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.media_manager import MediaManager


@dataclass(frozen=True, slots=True)
class HealthOrder:
    """What is to be done now: the intent, and the picture that it was decided by. `evidence`: of the finding, in words."""

    intent: Intent
    picture: Picture
    evidence: str


class SecondLook(Protocol):
    """Looks again at one torrent, just before something is done with it."""

    def again(self, order: HealthOrder) -> HealthOrder | None:
        """The same order by what is seen now; None: the torrent is no longer as it was, and nothing is done.

        Asks client and Arr anew. `intent.vetoes` holds what is open now.
        """


class Acts(Protocol):
    """What changes anything: the one executor. Writes down each step before it is taken."""

    def carry_out(self, order: HealthOrder, reader: SecondLook) -> ActionOutcome:
        """Do it, under the torrent's lease and after another look. Raises nothing but what ends the process: troubles are told."""

    def resume(self) -> Sequence[ActionOutcome]:
        """Take further what was cut short, or waits for a server: the world is read first. Asked before each look; what is news."""

    def adjust(self, picture: Picture, change: AttributeChange) -> ActionOutcome:
        """Set attributes of one torrent, under its lease."""

    def arrange(self, first: Sequence[InfoHash]) -> str:
        """Put these at the head of the client's queue, one after the other; blank, or why it was not done."""

    def undo(self, number: int) -> ActionOutcome:
        """Take an action back: files and torrent. Raises NoSuchRecord, HealthRefused."""

    def bin(self) -> Sequence[BinEntry]:
        """What lies in the bins, oldest first."""

    def empty_bin(self, *, everything: bool) -> Sequence[BinEntry]:
        """Delete what is older than `bin_keep`, or all, or what is above `bin_max_gb`; what was deleted."""


class Searches(Protocol):
    """What asks the Arr to search, within a budget."""

    def wish(self, torrent: InfoHash, media: Sequence[int], why: str) -> None:
        """Have these searched for soon: written down, and done by `look`. The same wish twice is one."""

    def look(self) -> Sequence[str]:
        """Search for what the budget allows now; what was done, in words. Raises ServerError's children."""

    def rows(self) -> Sequence[Mapping[str, object]]:
        """What waits and what was asked, newest first: `id`, `hash`, `title`, `state`, `at`."""


class HealthFiles(Protocol):
    """The files of the client as far as we reach them (here, or by SSH)."""

    def here(self, path: ClientPath) -> LocalPath | None:
        """A path of the client as we see it; None: out of reach."""

    def disk(self, path: ClientPath) -> DiskRoom | None:
        """The file system that holds it, measured by us; None: out of reach."""


class MediaProbe(Protocol):
    """Looks into media files."""

    def begin(self) -> None:
        """A look begins: so much time of it goes into files that were never looked into."""

    def verdict(self, picture: Picture) -> ProbeVerdict:
        """What is known of a complete torrent's media files; looks at one at a time."""


class OtherDuties(Protocol):
    """What the journal knows of a torrent beside health."""

    def counted(self, torrent: InfoHash) -> CountedSeeding:
        """What was counted of its seeding before it was moved here."""

    def last_copy(self, torrent: InfoHash) -> bool | None:
        """Whether a certificate says that what lies here is the last verified copy; None: unknown."""

    def places(self, torrent: InfoHash) -> Sequence[ClientPath]:
        """Folders to which moves have brought it, or from which they took it: hints where its data may lie."""

    def facts(self) -> object:
        """The same object as long as neither `counted` nor `last_copy` says anything else than before, of whatever torrent."""

    def leased_among(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, str]:
        """Who works on those that somebody works on, in words."""

    def hold(self, torrent: InfoHash) -> AbstractContextManager[None]:
        """Its lease. Entering raises TransferError where somebody else has it."""


class Neighbours(Protocol):
    """The other clients of the config whose data lies on the same machine."""

    def using(self, places: Collection[ClientPath]) -> str:
        """Who has a torrent at, above or below any of these, or cannot be asked, in words; blank: nobody."""

    def sharing(self, places: Mapping[InfoHash, ClientPath]) -> Collection[InfoHash]:
        """Those of which others have the data too, by where each lies. One that cannot be asked counts as having all of it."""


class HealthArr(Protocol):
    """The loop's Arr, as looks ask it. Raises ServerError's children."""

    @property
    def name(self) -> str:
        """Its name in the config."""

    def categories(self) -> frozenset[str]:
        """Categories of the torrents that are its own."""

    def queue(self) -> Sequence[QueueItem]:
        """Its whole queue."""

    def events(self, torrent: InfoHash) -> Sequence[MediaEvent]:
        """The history of one torrent, newest first."""

    def media(self, events: Sequence[MediaEvent]) -> Sequence[MediaView] | None:
        """What it knows of all that a torrent was last grabbed for, by its history; None: this Arr is not asked for that."""


class HealthJournal(Protocol):
    """The records of one loop. Every write is on stable storage when it returns."""

    def memory(self) -> HealthMemory:
        """What is remembered between looks; an empty one before the first."""

    def save_memory(self, memory: HealthMemory) -> None:
        """Write it."""

    def forget(self, torrent: InfoHash) -> None:
        """What is remembered of one torrent is dropped at the next look."""

    def resets(self) -> Sequence[InfoHash]:
        """What `forget` asked for and no look has done yet."""

    def reset_done(self, torrents: Collection[InfoHash]) -> None:
        """A look has done these."""

    def holds(self) -> Sequence[HealthHold]:
        """What is held."""

    def save_hold(self, hold: HealthHold) -> None:
        """Hold it."""

    def release(self, torrent: InfoHash) -> bool:
        """Let it go; whether it was held."""

    def actions(self) -> Sequence[ActionRecord]:
        """All actions, oldest first."""

    def action(self, number: int) -> ActionRecord | None:
        """One of them."""

    def open_action(self, record: ActionRecord) -> ActionRecord:
        """Write a new one; it comes back with its number."""

    def save_action(self, record: ActionRecord) -> None:
        """Write it anew."""

    def blocks(self) -> Mapping[InfoHash, float]:
        """What we had an Arr block, and when last (Unix seconds)."""

    def stopped_by_us(self) -> Mapping[InfoHash, float]:
        """What we have stopped for want of space, and when (Unix seconds)."""

    def mark_stopped(self, torrent: InfoHash, at: float | None) -> None:
        """Mark it, or (None) take the mark away."""

    def bin_entries(self) -> Sequence[BinEntry]:
        """What lies in the bin, or lay there, oldest first."""

    def save_bin_entry(self, entry: BinEntry) -> None:
        """Write it; the number is that of its action."""


Say: TypeAlias = Callable[[InfoHash | None, str, Level], None]
"""Tells what happened, about one torrent or about the loop."""


@dataclass(frozen=True, slots=True)
class HealthWorld:
    """Everything that one loop works with. `client_name`: of its [CLIENT].

    `arr` for looks, `manager` for acts, `probe`, `searches`, `internet` (whether a host that should answer does), `neighbours`:
    None where not configured. `other_arrs`: those of the config beside the loop's. `paced`: whether our own `bandwidth` limits now.
    `listing`: shared by the loops of a client; None: the loop has one of its own.
    """

    name: str
    settings: HealthSettings
    client_name: str
    client: TorrentClient
    journal: HealthJournal
    files: HealthFiles
    others: OtherDuties
    clock: Clock
    rules: TrackerRules
    say: Say
    arr: HealthArr | None = None
    manager: MediaManager | None = None
    probe: MediaProbe | None = None
    searches: Searches | None = None
    internet: Callable[[], bool] | None = None
    paced: Callable[[], bool] = lambda: False
    neighbours: Neighbours | None = None
    other_arrs: Sequence[HealthArr] = ()
    listing: ClientListing | None = None
