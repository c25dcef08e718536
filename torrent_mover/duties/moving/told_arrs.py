"""What a move has to do with Arrs: they are told where its data lies now, and hold what they have not imported yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from torrent_mover.domain.arrs.path_pairs import DeliveredData
from torrent_mover.domain.errors import Cancelled
from torrent_mover.domain.paths import ROOT, ClientPath, LocalPath, RelativePath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.arrs.desk import ArrDesk
from torrent_mover.engine.arrs.telling import ArrTelling
from torrent_mover.ports.clock import Clock

_SOON: Final = 10.0
"""Seconds: an Arr that is to be asked again after more than that is away, or has refused."""

_POLL: Final = 0.2


class TellsOfMoves(Protocol):
    """Whoever tells Arrs of moves."""

    def told(
        self,
        torrent: InfoHash,
        labels: Sequence[str],
        name: str,
        save_path: ClientPath,
        files: Iterable[tuple[RelativePath, int]],
    ) -> str:
        """Write down that the Arrs of the first of these labels that is theirs are to be told. Asks none, and waits for none.

        `files`: path below the save path and size of each. Returns why nobody can be told; blank where that is written, or
        nobody wants it. Raises ProvisioningError's children.
        """

    def finish(self) -> None:
        """Nothing moves: give the Arrs some time for what they were told. Raises nothing but what is no trouble of theirs."""


class NoArrs:
    """There is none."""

    def told(
        self,
        torrent: InfoHash,
        labels: Sequence[str],
        name: str,
        save_path: ClientPath,
        files: Iterable[tuple[RelativePath, int]],
    ) -> str:
        """See TellsOfMoves."""
        del torrent, labels, name, save_path, files
        return ""

    def finish(self) -> None:
        """See TellsOfMoves."""


@dataclass(frozen=True, slots=True)
class MovesToArrs:
    """See TellsOfMoves. `root` is the destination's folder as we see it, `save_path` as its client does.

    `wake` has a loop look now; `patience`: seconds that `finish` takes at most.
    """

    telling: ArrTelling
    root: LocalPath
    save_path: ClientPath
    clock: Clock
    wake: Callable[[str], object]
    patience: float

    def told(
        self,
        torrent: InfoHash,
        labels: Sequence[str],
        name: str,
        save_path: ClientPath,
        files: Iterable[tuple[RelativePath, int]],
    ) -> str:
        """See TellsOfMoves."""
        if save_path != self.save_path or not self.telling.anybody_wants(*labels):
            return ""  # whoever has put it elsewhere tells of that place
        data = delivered(self.root, self.save_path, list(files))
        if data is None:
            return "its files have no folder of their own, so no Arr was told of it"
        for loop in self.telling.tell_of(torrent, labels, data, name):
            self.wake(loop)
        return ""

    def finish(self) -> None:
        """See TellsOfMoves."""
        until = self.clock.monotonic() + self.patience
        try:
            while any(self._busy(desk) for desk in self.telling.desks) and self.clock.monotonic() < until:
                self.clock.wait(_POLL)
        except Cancelled:
            return  # the run was stopped: the next one goes on

    def _busy(self, desk: ArrDesk) -> bool:
        return desk.has_work_within(_SOON)


def delivered(
    root: LocalPath, save_path: ClientPath, files: Sequence[tuple[RelativePath, int]]
) -> DeliveredData | None:
    """The one file, or the folder that holds all files; None where several lie beside those of other torrents."""
    if not files:
        return None
    largest, size = max(files, key=lambda file: file[1])
    top = RelativePath(largest.parts[:1])
    if len(files) == 1 and len(largest.parts) == 1:
        return DeliveredData(root / largest, ROOT, size, save_path / largest)
    if any(len(path.parts) == 1 or path.parts[:1] != top.parts for path, _ in files):
        return None
    return DeliveredData(root / top, RelativePath(largest.parts[1:]), size, save_path / top)
