"""What every torrent client can do, in the words of the domain; what only some can is in `ports.roles`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol, TypeVar

from torrent_mover.domain.paths import ClientPath
from torrent_mover.domain.torrent.certificate import Certificate
from torrent_mover.domain.torrent.torrent import ClientFile, FilePriority, InfoHash, Torrent, Tracker

R = TypeVar("R")

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
class AddSpec:
    """How a torrent is added: stopped, not managed by the client, content layout as in the metainfo.

    `save_path` as that client sees it. Where the client knows share limits, it is added without any, so that none can remove
    what has just arrived; the source's own are set once the torrent seeds. A field whose role (see `ports.roles`) the client lacks
    keeps its default.
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
    priorities: tuple[tuple[int, FilePriority], ...] = ()
    """(file index, priority) of every file whose priority is not the usual one."""

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

    def role(self, kind: type[R]) -> R | None:
        """This client in that role (a protocol of `ports.roles`); None: it lacks it. Asks nobody; the answer never changes."""

    def info(self) -> ClientInfo:
        """Log in if need be and say what it is. Raises Unreachable, LoginRefused, Banned, ServerTooOld, BadAnswer."""

    def torrents(self, category: str | None = None) -> Sequence[Torrent]:
        """All torrents, or those of one category (`""`: those without one). An error is raised, never an empty list.

        For a client without Categories all are without one.
        """

    def get(self, torrent: InfoHash) -> Torrent | None:
        """One torrent; None: the client answered properly and does not list it."""

    def lookup(self, torrents: Collection[InfoHash]) -> Mapping[InfoHash, Torrent]:
        """Those of these torrents that it lists, by one question, however many they are."""

    def files(self, torrent: InfoHash) -> Sequence[ClientFile]:
        """Its files in metainfo order, without padding files."""

    def trackers(self, torrent: InfoHash) -> Sequence[Tracker]:
        """Its trackers as the user edited them, without DHT, PeX and LSD."""

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

    def remove(self, certificate: Certificate) -> None:
        """Remove the certified torrent, with its data where the certificate says so. The one destructive call there is."""

    def complaint(self, certificate: Certificate) -> str:
        """Why the data of a torrent that `remove` has removed is still there, as the client says; blank: it says nothing yet.

        To be asked only where the data is seen to be left. Free of addresses, which may hold a passkey.
        """

    def close(self) -> None:
        """Log out. Never raises."""
