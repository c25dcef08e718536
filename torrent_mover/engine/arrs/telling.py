"""Where duties say that a torrent's data lies whole at a new place: each Arr that it belongs to is told of it once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torrent_mover.domain.arrs.errors import ArrPathUnknown
from torrent_mover.domain.arrs.handover import ArrHandover, HandoverStep, is_news
from torrent_mover.domain.arrs.path_pairs import DeliveredData
from torrent_mover.domain.paths import ClientPath, LocalPath, RelativePath
from torrent_mover.domain.text import safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.arrs.desk import ArrDesk, ArrDeskStatus
from torrent_mover.ports.clock import Clock
from torrent_mover.ports.handovers import HandoverJournal

Measure = Callable[[LocalPath], tuple[RelativePath, int] | None]
"""The largest file at or below a path, and its size in bytes; None where there is no file."""


@dataclass(frozen=True, slots=True)
class ArrTelling:
    """The desks of all Arrs that are told anything."""

    desks: Sequence[ArrDesk]
    journal: HandoverJournal
    clock: Clock
    measure: Measure

    def tell(
        self, torrent: InfoHash, label: str, path: LocalPath, name: str = "", client_path: ClientPath | None = None
    ) -> None:
        """Write down that each Arr of that label is to be told: of `path`, the file itself or the folder that holds all of it.

        Asks no Arr: that is done by the desks, and waits for one that is down. It is on stable storage when this returns. An Arr
        that was told of the torrent at this path is not told again. Raises ArrPathUnknown where no file lies there.
        """
        if not self.anybody_wants(label):
            return
        largest = self.measure(path)
        if largest is None:
            raise ArrPathUnknown(
                f"There is no file at {safe(path.text)}, so no Arr was told of it.",
                kept="Nothing was changed.",
                remedy=f"Look at it with: ls -la {safe(path.text)}",
            )
        self.tell_of(torrent, (label,), DeliveredData(path, *largest, client_path), name)

    def anybody_wants(self, *labels: str) -> bool:
        """Whether a torrent with one of these labels may be some Arr's, as far as is known without asking."""
        return any(desk.may_want(label) for desk in self.desks for label in labels)

    def tell_of(self, torrent: InfoHash, labels: Sequence[str], data: DeliveredData, name: str = "") -> Sequence[str]:
        """The same, with data that was measured already. The first of `labels` that may be an Arr's counts for it.

        Returns the names of the loops that have something new to do.
        """
        told = []
        for desk in self.desks:
            arr, label = desk.manager.name, next((each for each in labels if desk.may_want(each)), "")
            if label and is_news(self.journal.handover(torrent, arr), torrent, data):
                self.journal.save_handover(ArrHandover(torrent, arr, name, label, data, self.clock.now()))
                told.append(desk.name)
        return told

    def again(self, torrent: InfoHash) -> int:
        """A person asks for it: what is not imported is told anew. Returns to how many Arrs."""
        records = [each for each in self.journal.handovers() if each.torrent == torrent]
        left = [each for each in records if each.step is not HandoverStep.IMPORTED]
        for record in left:
            self.journal.save_handover(record.again(self.clock.now()))
        return len(left)

    def imported(self, torrent: InfoHash) -> bool:
        """Whether each Arr that was told of it has imported it, by its own history. Nobody was told: no."""
        records = [each for each in self.journal.handovers() if each.torrent == torrent]
        return bool(records) and all(each.step is HandoverStep.IMPORTED for each in records)

    def status(self) -> Sequence[ArrDeskStatus]:
        """How each Arr is; asks none."""
        return [desk.status() for desk in self.desks]
