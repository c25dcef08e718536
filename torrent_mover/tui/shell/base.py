"""What the screens share: the session, the acts on the chosen torrent, the line to type in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import ClassVar

from textual.binding import BindingType

from torrent_mover.domain.report.snapshot import LogLine, MoveStatus, MoveView, Phase, Snapshot
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.moving.move_table import in_trouble
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ask import Choice, Choose
from torrent_mover.tui.shell.fitted import FittedScreen
from torrent_mover.tui.shell.header import phase_span
from torrent_mover.tui.shell.ink import Line, line
from torrent_mover.tui.shell.messages import TroubleWanted
from torrent_mover.tui.shell.session import ScreenSession

_NAMED = 5  # torrents that a question names


_RUN_KEYS = frozenset({"run.pause", "run.bandwidth", "run.rescan"})
"""Keys that do nothing once the run is over."""


class ScreenView(FittedScreen):
    """A screen that draws the picture of each tick. `show` is called by the application."""

    def __init__(self, session: ScreenSession) -> None:
        super().__init__(session.look)
        self.session = session

    def redraw(self) -> None:
        """The picture of now."""
        self.show(self.session.snapshot)

    def small_head(self) -> list[Line]:
        """Phase and percent."""
        snapshot = self.session.snapshot
        return [line(phase_span(snapshot, self.look), f" {fmt.percent_tenths(snapshot.fraction)}")]

    def show(self, snapshot: Snapshot) -> None:
        """Draw. Subclasses do."""

    def log_records(self) -> Sequence[LogLine]:
        """The log of the run."""
        return self.session.log

    def log_torrent(self) -> InfoHash | None:
        """The first of the chosen ones."""
        return next((move.id for move in self.chosen()), None)

    def chosen(self) -> list[MoveView]:
        """The torrents that keys act on. Subclasses say."""
        return []

    def idle_keys(self) -> frozenset[str]:
        """See HasIdleKeys. Subclasses add theirs."""
        over = self.session.snapshot.phase is Phase.ENDED
        return _RUN_KEYS if over else frozenset()


_LEAVABLE = frozenset({MoveStatus.ACTIVE, MoveStatus.RETRYING, MoveStatus.QUEUED, MoveStatus.PAUSED})
_ENDED_BADLY = frozenset({MoveStatus.FAILED, MoveStatus.SKIPPED})
_WAITING = frozenset({MoveStatus.QUEUED, MoveStatus.RETRYING})
_IS = {
    MoveStatus.ACTIVE: "moves",
    MoveStatus.RETRYING: "waits for its next attempt",
    MoveStatus.FAILED: "has failed",
    MoveStatus.PAUSED: "is paused",
    MoveStatus.QUEUED: "waits for a free slot",
    MoveStatus.DONE: "is done",
    MoveStatus.SKIPPED: "was left for a later run",
}


def _is(move: MoveView) -> str:
    return "is being checked" if move.checks else _IS[move.standing]


def may_retry(move: MoveView) -> bool:
    """Whether trying it again would change anything: not where it moves, is done, or only waits for a free slot."""
    return move.held or move.standing in _ENDED_BADLY | {MoveStatus.PAUSED, MoveStatus.RETRYING}


class MoveActs(ScreenView):
    """What one may do with the chosen torrents."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.MOVE]

    def idle_keys(self) -> frozenset[str]:
        """Those that make no sense for any of the chosen torrents."""
        moves, over = self.chosen(), self.session.snapshot.phase is Phase.ENDED
        useful = {
            "torrent.pause": not over and any(move.standing in _LEAVABLE for move in moves),
            "torrent.skip": not over and any(move.standing in _LEAVABLE for move in moves),
            "torrent.cancel": not over and any(move.standing in _LEAVABLE | {MoveStatus.SKIPPED} for move in moves),
            "torrent.retry": not over and any(map(may_retry, moves)),
            "torrent.earlier": not over and any(move.standing in _WAITING for move in moves),
            "torrent.later": not over and any(move.standing in _WAITING for move in moves),
            "torrent.problem": any(move.trouble for move in (*moves, *self.session.snapshot.moves)),
            "torrent.copy": bool(moves),
            "list.open": bool(moves),
        }
        return super().idle_keys() | {name for name, is_useful in useful.items() if not is_useful}

    def _chosen(self) -> list[MoveView]:
        moves = self.chosen()
        if not moves:
            self.say("No torrent is chosen.")
        return moves

    def _those(self, standings: frozenset[MoveStatus], what: str) -> list[MoveView]:
        """Those of the chosen torrents that stand so."""
        return self._that(lambda move: move.standing in standings, what)

    def _that(self, fits: Callable[[MoveView], bool], what: str) -> list[MoveView]:
        """Those of the chosen torrents that fit; where none does, it is said that there is nothing to do `what` with."""
        moves = self._chosen()
        if moves and self.session.snapshot.phase is Phase.ENDED:
            self.say(f"The run is over: nothing to {what}.")
            return []
        fitting = [move for move in moves if fits(move)]
        if moves and not fitting:
            self.say(f"Nothing to {what}: {moves[0].name} {_is(moves[0])}.")
        return fitting

    def _ask(self, moves: list[MoveView], act: Callable[[InfoHash], object], done: str) -> None:
        """Ask it of each, and say so once: a hundred notes would cover the screen."""
        for move in moves:
            act(move.id)
        if moves:
            self.say(f"{done}: {moves[0].name if len(moves) == 1 else counted(len(moves), 'torrent')}")

    def action_pause(self) -> None:
        """Pause what moves or waits; where all of it is paused, go on."""
        control, moves = self.session.control, self._those(_LEAVABLE, "pause")
        running = [move for move in moves if move.standing is not MoveStatus.PAUSED]
        if running:
            self._ask(running, control.pause, "Paused")
        else:
            self._ask(moves, control.resume, "Goes on")

    def action_retry(self) -> None:
        """Try again now."""
        moves = self._that(may_retry, "try again")
        goes_on = all(move.standing is MoveStatus.PAUSED for move in moves)
        self._ask(moves, self.session.control.retry, "Goes on" if goes_on else "Tries again")

    def action_skip(self) -> None:
        """Leave it for a later run."""
        moves = self._those(_LEAVABLE, "leave")
        self._ask(moves, self.session.control.skip, "Left for a later run, what arrived is kept")

    def action_reorder(self, places: int) -> None:
        """Move queued torrents up or down, all of them by as much: none passes another one that moves too."""
        chosen = {move.id for move in self._those(_WAITING, "put in another place")}
        waiting = [move.id for move in self.session.snapshot.moves if move.standing in _WAITING]
        ahead = waiting if places < 0 else waiting[::-1]
        at_the_edge = list(takewhile(chosen.__contains__, ahead))
        for torrent in ahead[len(at_the_edge) :]:
            if torrent in chosen:
                self.session.control.reorder(torrent, places)

    def action_cancel(self) -> None:
        """Ask, then leave it and remove what arrived."""
        moves = self._those(_LEAVABLE | {MoveStatus.SKIPPED}, "cancel")
        if not moves:
            return
        names = [move.name for move in moves[:_NAMED]]
        if len(moves) > _NAMED:
            names.append(f"and {len(moves) - _NAMED} more")
        text = [
            *names,
            "",
            "What arrived in the staging folder is removed; what lay there",
            "before us goes back to its place.",
            "The source keeps its copy and goes on seeding.",
        ]
        it = "it" if len(moves) == 1 else "them"
        choices = (Choice("x", f"cancel {it}"), Choice("escape", f"keep {it}"))

        def answered(key: str | None) -> None:
            if key == "x":
                self._ask(moves, self.session.control.cancel, "Cancelled")

        self.app.push_screen(Choose(self.session, "Cancel?", text, choices), answered)

    def action_copy(self) -> None:
        """Choose what to copy, then copy it by OSC 52."""
        moves = self._chosen()
        if moves:
            self.copy_one_of(self._copyable(moves[0]))

    def _copyable(self, move: MoveView) -> list[tuple[str, str]]:
        texts = [("hash", move.id.hex), ("name", move.name)]
        if move.trouble and move.trouble.remedy:
            texts.append(("remedy", move.trouble.remedy))
        detail = self.session.control.detail(move.id)
        texts += [(label, value) for label, value in detail.facts if "/" in value] if detail else []
        return texts

    def action_trouble(self) -> None:
        """What went wrong with the chosen torrent, or else with the first that needs somebody."""
        moves = [*self.chosen(), *filter(in_trouble, self.session.snapshot.moves), *self.session.snapshot.moves]
        troubled = next((move for move in moves if move.trouble), None)
        if troubled is None:
            self.say("Nothing is wrong.")
        else:
            self.post_message(TroubleWanted(troubled.id))
