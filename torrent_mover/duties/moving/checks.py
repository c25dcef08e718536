"""The list of checks for one source and one destination, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from torrent_mover.domain.text import clause, clauses, counted
from torrent_mover.engine.delivery.places import Destination, MovePolicy, Source
from torrent_mover.engine.delivery.space import ReservedSpace
from torrent_mover.engine.preflight.destination import DestinationFolder
from torrent_mover.engine.preflight.examination import Check, Doubt
from torrent_mover.engine.preflight.source import SourceFiles, SourceTree
from torrent_mover.engine.preflight.space import own_space, space_checks
from torrent_mover.engine.run.work import Plan
from torrent_mover.ports.client import TorrentClient
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.filesystem import ReadableFiles
from torrent_mover.ports.journal import JobJournal
from torrent_mover.ports.roles import Remarks, SkipsCheck, Trashes
from torrent_mover.ports.rsync import RsyncProgram
from torrent_mover.ports.ssh import Login

_CLOCK_TOLERANCE: Final = 300.0  # seconds
_SOURCE, _DESTINATION, _FOLDER = "source client", "destination client", "destination folder"
_DISK: Final = "disk of the destination"


class LoginServer(Protocol):
    """A server that can be logged in to."""

    @property
    def place(self) -> str:
        """How messages call it."""

    def login(self) -> Login:
        """Log in and tell how that went. Raises what logging in raises."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What checks ask beside clients and files.

    `ssh`: the source server, and the destination server in the modes that have one; `rsync`: the programs of the rsync modes;
    `own_files`: where the journal lies; `second_run` says whether another run is active; `statistics` whether what
    the source has counted can be written at the destination, None where nobody wants that; `open_files` whether this process
    may have enough of them open; `disk` whether the disk of the destination folder is mounted, None on another machine.
    """

    config: Callable[[], str]
    ssh: tuple[LoginServer, ...]
    rsync: tuple[RsyncProgram, ...]
    tree: SourceTree
    own_files: ReadableFiles
    second_run: Callable[[], str]
    statistics: Callable[[], str] | None = None
    open_files: Callable[[], str] | None = None
    disk: Callable[[], str] | None = None


class Checks:
    """Makes the list."""

    def __init__(
        self,
        source: Source,
        destination: Destination,
        policy: MovePolicy,
        reach: Reach,
        space: ReservedSpace,
        journal: JobJournal | None,
        clock: Clock,
        category: str,
        jobs: int,
    ) -> None:
        self._source = source
        self._destination = destination
        self._reach = reach
        self._space = space
        self._journal = journal
        self._jobs = jobs
        self._certified = policy.certified
        self._deletes = policy.delete_at_source and not policy.test_run
        self._files = SourceFiles(source, reach.tree, category)
        self.folder: Final = DestinationFolder(destination, policy, clock)

    def first(self) -> tuple[Check, ...]:
        """What is asked before the plan is made."""
        reach = self._reach
        ssh = [_ssh_check(role, server) for role, server in zip(("source", "destination"), reach.ssh, strict=False)]
        there = ssh[1:] if len(ssh) > 1 else []
        rsync = (
            [Check(_rsync_name(reach.rsync), self._rsync, needs=tuple(each.name for each in ssh), quick=False)]
            if reach.rsync
            else []
        )
        disk = [Check(_DISK, reach.disk)] if reach.disk else []
        needs = tuple(each.name for each in (*there, *disk))
        folder = Check(_FOLDER, self.folder.write, needs=needs, quick=False)
        ask = reach.statistics
        statistics = [Check("folder for statistics", ask, fatal=False, needs=needs, quick=False)] if ask else []
        leaving = [Check("what leaves there", self._departures, fatal=False, needs=(_SOURCE,))] if self._deletes else []
        proving = [Check("who checks the data", self._prover, fatal=False)] if self._certified else []
        lasts = Check("lasting writes", self.folder.lasts, fatal=False, needs=(_FOLDER,), quick=False)
        lasting = [lasts] if there else []
        return (
            Check("config", reach.config),
            *([Check("open files", reach.open_files)] if reach.open_files else []),
            Check("second copy running?", reach.second_run),
            Check(_SOURCE, lambda: _introduce(self._source.client)),
            Check(_DESTINATION, lambda: _introduce(self._destination.client)),
            Check("clocks", self._clocks, fatal=False, needs=(_SOURCE, _DESTINATION)),
            Check("what arrives there", self._arrivals, fatal=False, needs=(_DESTINATION,)),
            *leaving,
            *proving,
            *ssh,
            *rsync,
            Check("source files", self._files.ask, needs=(_SOURCE, ssh[0].name), quick=False),
            *disk,
            folder,
            *lasting,
            *statistics,
            Check("left open by a killed run", self._left_open, fatal=False),
            Check("space here", own_space(reach.own_files), fatal=False),
        )

    def planned(self, plan: Plan) -> tuple[Check, ...]:
        """What is asked once it is known what will move; nothing where nothing does."""
        return self.room(plan) if plan.moves else ()

    def room(self, plan: Plan) -> tuple[Check, ...]:
        """The client's view of the destination, and room for a plan."""
        sizes = [move.torrent.size for move in plan.moves]
        seen = Check(
            "path as destination client sees it", self.folder.seen_by_client, needs=(_DESTINATION, _FOLDER), quick=False
        )
        return (seen, *self._needing_folder(space_checks(self._space, sizes, self._jobs)))

    def _needing_folder(self, checks: Iterable[Check]) -> Iterator[Check]:
        for check in checks:
            yield Check(check.name, check.ask, check.fatal, needs=(_FOLDER,))

    def _clocks(self) -> str:
        told = []
        for client in (self._source.client, self._destination.client):
            ahead = client.info().clock_ahead
            if ahead is None:
                continue
            told.append(f"{client.name} {round(ahead):+d} s")
            if abs(ahead) > _CLOCK_TOLERANCE:
                raise Doubt(
                    f"The clock of {client.name} is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours.",
                    kept="Moves go on. Only the times in the history and min_seed_time are wrong.",
                    remedy="On the machine that is wrong: timedatectl set-ntp true",
                )
        return ", ".join(told) or "the clients do not report their time"

    def _arrivals(self) -> str:
        """What the destination client's own options do, that somebody may not expect of a move."""
        _doubt_of_automation(self._destination.client, at_removal=False)
        return "no other automation acts on it"

    def _prover(self) -> str:
        """Whether `handover = certified` makes a difference with this client."""
        client = self._destination.client
        if client.role(SkipsCheck) is None:
            raise Doubt(
                f"{client.name} checks each torrent itself, whatever handover says: it takes none without a check.",
                kept="Moves go on; they take as long as its checks.",
                remedy="Nothing to do. handover = recheck says the same without this line.",
            )
        return "our own read-back, where that is safe"

    def _departures(self) -> str:
        """What the source client's own options do with data that it is told to delete."""
        client = self._source.client
        trashing = client.role(Trashes)
        remark = trashing.trash() if trashing else None
        if remark is not None:
            raise Doubt(
                f"{client.name}: {remark.what}.",
                kept="Moves go on.",
                remedy=f"To free the space, set there: {remark.option}. Then empty the trash.",
            )
        _doubt_of_automation(client, at_removal=True)
        return "its data is deleted"

    def _rsync(self) -> str:
        here, versions = "", []
        for program in self._reach.rsync:
            found = program.probe()
            here = ".".join(map(str, found.here))
            versions.append(".".join(map(str, found.there)))
        return " / ".join((here, *versions))

    def _left_open(self) -> str:
        modes = self._journal.modes() if self._journal else ()
        return f"{counted(len(modes), 'folder')}; closed before the first move" if modes else "none"


def _doubt_of_automation(client: TorrentClient, *, at_removal: bool) -> None:
    """Raises Doubt where a client's own options act on torrents that it gets, or that leave it."""
    acting = client.role(Remarks)
    remarks = [remark for remark in acting.remarks() if remark.at_removal is at_removal] if acting else []
    if remarks:
        raise Doubt(
            f"{client.name}: {clause(clauses(*(remark.what for remark in remarks)))}.",
            kept="Moves go on.",
            remedy=f"If you do not want that, change there: {clause(clauses(*(remark.option for remark in remarks)))}.",
        )


def _ssh_check(role: str, server: LoginServer) -> Check:
    def ask() -> str:
        login = server.login()
        key = login.host_key.partition(" ")[0]
        parts = (
            f"logged in by {login.method}" if login.method else "logged in",
            f"{key} host key known" if key else "",
        )
        return f"{', '.join(filter(None, parts))} ({login.speaker})"

    return Check(f"ssh {role}: {server.place}", ask)


def _rsync_name(programs: tuple[RsyncProgram, ...]) -> str:
    return " / ".join(("rsync here", *(program.server.rpartition(":")[0] for program in programs)))


def _introduce(client: TorrentClient) -> str:
    info = client.info()
    return f"{client.name}: {info.product} {info.version}, API {info.api}"
