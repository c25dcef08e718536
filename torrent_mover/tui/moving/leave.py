"""Leaving while torrents are under way: what runs, what is kept, three ways."""

from __future__ import annotations

from enum import Enum

from torrent_mover.domain.report.snapshot import MoveStatus
from torrent_mover.tui.moving.move_table import state
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ask import Choice, Choose
from torrent_mover.tui.shell.session import ScreenSession

_NAMED = 5  # torrents that the question names


class LeavingWay(Enum):
    """How to leave."""

    STOP = "s"
    NOW = "n"
    STAY = "escape"


class Leave(Choose):
    """Ends with the key of a LeavingWay."""

    def __init__(self, session: ScreenSession) -> None:
        choices = (
            Choice(LeavingWay.STOP.value, "stop after the pieces in flight, then leave"),
            Choice(LeavingWay.NOW.value, "stop now"),
            Choice(LeavingWay.STAY.value, "stay"),
        )
        title = "Bytes are moving" if session.snapshot.transferring else "Torrents are being checked"
        super().__init__(session, title, leave_text(session), choices)
        self._asked_of = session

    def draw(self) -> None:
        """What moves now: some of it may have ended while somebody reads."""
        if self.is_mounted:
            self.say(leave_text(self._asked_of))


def leave_text(session: ScreenSession) -> list[str]:
    """The torrents that would be broken off, with the figures of their rows, and what becomes of them."""
    active = [move for move in session.snapshot.moves if move.standing is MoveStatus.ACTIVE]
    text = [
        f"{fmt.percent(move.fraction):>4}  {state(move, session.look.glyphs)[1]:<10}  {move.name}"
        for move in active[:_NAMED]
    ]
    if len(active) > len(text):
        text.append(f"      and {len(active) - len(text)} more")
    return [
        *(text or ["Nothing moves any more."]),
        "",
        "What arrived is kept; the next run goes on from there.",
        "No source torrent is removed before it is proven.",
    ]
