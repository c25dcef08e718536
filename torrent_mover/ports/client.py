"""The role of a torrent client, in the words of the domain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.attributes import ShareLimits
from torrent_mover.domain.torrent.canary import Canary
from torrent_mover.domain.torrent.certificate import Certificate
from torrent_mover.domain.torrent.torrent import ClientFile, InfoHash, PieceStates, Torrent, Tracker

_ASIDE: Final = ".torrent-mover"


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """For messages: `product` and `version` as the client says them, `api` the interface's version.

    `clock_ahead` is how many seconds its clock is ahead of ours, to the second; None where it does not tell.
    """

    product: str
    version: str
    api: str
    clock_ahead: float | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a client's own options do: `what` follows its name, `option` says where a person changes it."""

    what: str
    option: str


@dataclass(frozen=True, slots=True)
class AddSpec:
    """How a torrent is added: stopped, automatic management off, content layout as in the metainfo.

    `save_path` as that client sees it. Share limits are always set to "none" (-1) at the start, so that no limit of the
    destination can remove what has just arrived; the source's own are set once the torrent seeds.
    """

    save_path: ClientPath
    category: str = ""
    tags: tuple[str, ...] = ()
    name: str = ""
    upload_limit: int = 0
    download_limit: int = 0
    renames: tuple[tuple[int, str], ...] = field(default=())
    """(file index, path wanted, relative to the save path) of every file that the client may call otherwise by itself."""
    skip_checking: bool = False
    sequential: bool = False
    first_last_piece_first: bool = False
    priorities: tuple[tuple[int, int], ...] = ()
    """(file index, priority) of every file whose priority is not the usual one; 0: not wanted."""

    def aside(self, torrent: InfoHash) -> ClientPath:
        """A place of its own where nothing lies, for clients that rename on disk: there no name can meet another one."""
        return self.save_path / _ASIDE / f"layout-{torrent.hex}"


class RecheckVerdict(Enum):
    """How a recheck stands."""

    QUEUED = "waits for its turn"
    CHECKING = "is being checked"
    GOOD = "all pieces are good"
    BAD = "pieces are missing or bad"
    FAILED = "the client reports an error"


@dataclass(frozen=True, slots=True)
class RecheckProgress:
    """What the client says of a check that it surely began. `fraction` is how much was read, never how much is good."""

    verdict: RecheckVerdict
    fraction: float
    client_state: str
    reason: str = ""
    """What the client itself says of a check that FAILED; blank where it says nothing."""


class RecheckTicket(Protocol):
    """A recheck that was asked for. Answers are never taken from before it began (a client shows stale success for seconds)."""

    def poll(self, row: Torrent | None = None) -> RecheckProgress:
        """Ask once. GOOD only after the check was seen to begin, has ended, and two reads >= 2 s apart agree.

        `row`: the torrent in a listing that was asked for since the last poll, which spares a question.
        """


class TorrentClient(Protocol):
    """One client. Raises ServerError's children for what is wrong with the server, TorrentGone for a torrent it does not have."""

    @property
    def name(self) -> str:
        """How messages call it: `seedbox:8080`."""

    def info(self) -> ClientInfo:
        """Log in if need be and say what it is. Raises Unreachable, LoginRefused, Banned, ServerTooOld, BadAnswer."""

    def torrents(self, category: str | None = None) -> Sequence[Torrent]:
        """All torrents, or those of one category (`""`: those without one). An error is raised, never an empty list."""

    def get(self, torrent: InfoHash) -> Torrent | None:
        """One torrent; None: the client answered properly and does not list it."""

    def lookup(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Torrent]:
        """Those of these torrents that it lists, by one question, however many they are."""

    def categories(self) -> Sequence[str]:
        """All categories, empty ones too, by name."""

    def files(self, torrent: InfoHash) -> Sequence[ClientFile]:
        """Its files in metainfo order, without padding files."""

    def trackers(self, torrent: InfoHash) -> Sequence[Tracker]:
        """Its trackers as the user edited them, without DHT, PeX and LSD."""

    def metainfo(self, torrent: InfoHash) -> bytes:
        """The .torrent, info dictionary byte for byte. Raises ServerTooOld where the client cannot export it."""

    def pieces(self, torrent: InfoHash) -> PieceStates:
        """Which pieces the client has."""

    def add_stopped(self, metainfo: bytes, spec: AddSpec) -> InfoHash:
        """Add, stopped; returns when it is listed, stopped and laid out as asked, all of it read back.

        A torrent that is there already is left as it is if it is stopped and lies at the same save path (an earlier attempt);
        otherwise raises Collision.
        """

    def recheck(self, torrent: InfoHash) -> RecheckTicket:
        """Ask for a full check of the data on disk."""

    def start(self, torrent: InfoHash) -> None:
        """Let it seed."""

    def stop(self, torrent: InfoHash) -> None:
        """Pause it."""

    def set_category(self, torrent: InfoHash, category: str) -> None:
        """Put it into a category, created where missing, without moving data."""

    def web_seeds(self, torrent: InfoHash) -> Sequence[str]:
        """Its web seeds (BEP 19) as the user edited them."""

    def share_defaults(self) -> ShareLimits:
        """The limits that count for torrents with -2, and what the client does when one is met."""

    def remarks(self) -> Sequence[Remark]:
        """What its own options do with torrents that arrive, and a person may not expect."""

    def trash(self) -> Remark | None:
        """That data of a removed torrent goes to a trash, where it keeps its space; None where it is deleted."""

    def set_share_limits(self, torrent: InfoHash, limits: ShareLimits) -> None:
        """Set what this version knows of them; reading the torrent tells what that was."""

    def set_super_seeding(self, torrent: InfoHash, *, on: bool) -> None:
        """Offer each piece to one peer at a time, or to all."""

    def set_force_start(self, torrent: InfoHash, *, on: bool) -> None:
        """Let it share outside the queue; on also starts it."""

    def managed_path(self, category: str) -> ClientPath:
        """Where automatic management would put a torrent of that category."""

    def set_auto_managed(self, torrent: InfoHash, *, on: bool) -> None:
        """Switch automatic management; on moves the data unless it lies at the category's `managed_path`."""

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

    def remove(self, certificate: Certificate) -> None:
        """Remove the certified torrent, with its data where the certificate says so. The one destructive call there is."""

    def close(self) -> None:
        """Log out. Never raises."""
