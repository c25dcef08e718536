"""Leaving while bytes move: what runs, what is kept, three ways."""

from __future__ import annotations

from enum import Enum

from torrent_mover.domain.snapshot import Standing
from torrent_mover.tui import format as fmt
from torrent_mover.tui.screens.ask import Choice, Choose
from torrent_mover.tui.session import Session


class Way(Enum):
    """How to leave."""

    STOP = "s"
    NOW = "n"
    STAY = "escape"


class Leave(Choose):
    """Ends with the key of a Way."""

    def __init__(self, session: Session) -> None:
        active = [move for move in session.snapshot.moves if move.standing is Standing.ACTIVE]
        text = [f"{fmt.percent(move.fraction):>4}  {move.name}" for move in active[:5]]
        if len(active) > len(text):
            text.append(f"      and {len(active) - len(text)} more")
        text += [
            "",
            "What arrived is kept; the next run goes on from there.",
            "No source torrent is removed before it is proven.",
        ]
        choices = (
            Choice(Way.STOP.value, "stop after the pieces in flight, then leave"),
            Choice(Way.NOW.value, "stop now"),
            Choice(Way.STAY.value, "stay"),
        )
        super().__init__(session, "Bytes are moving", text, choices)
