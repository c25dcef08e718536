"""What the screens share: the session, the acts on the chosen torrent, the line to type in."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.screen import Screen

from torrent_mover.domain.report.snapshot import MoveStatus, MoveView, Phase, Snapshot
from torrent_mover.domain.text import counted, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.moving.move_table import in_trouble
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ask import Choice, Choose
from torrent_mover.tui.shell.header import phase_span
from torrent_mover.tui.shell.ink import line, wrap
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.messages import TroubleWanted
from torrent_mover.tui.shell.session import ScreenSession

LEAST_WIDTH, LEAST_HEIGHT = 60, 15
NARROW_BELOW, HUGE_FROM = 110, 180
_NAMED = 5  # torrents that a question names


_RUN_KEYS = frozenset({"run.pause", "run.bandwidth", "run.rescan"})
"""Keys that do nothing once the run is over."""


class ScreenView(Screen[Any]):
    """A screen that draws the picture of each tick. `show` is called by the application."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (LEAST_WIDTH, "-narrow"), (NARROW_BELOW, "-wide"), (HUGE_FROM, "-huge")]  # noqa: RUF012 - textual's type
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST_HEIGHT, "-low"), (22, "-short"), (34, "-tall"), (50, "-high")]  # noqa: RUF012 - textual's type

    def __init__(self, session: ScreenSession) -> None:
        super().__init__()
        self.session = session

    def on_mount(self) -> None:
        """What is shown where the terminal is too small for the rest."""
        self.mount(Lines(self.session.look, classes="too-small"))

    def on_screen_resume(self) -> None:
        """Draw at once; the next tick may be half a second away."""
        self.call_after_refresh(self.draw)

    def on_resize(self) -> None:
        """Everything is laid out anew."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw the picture of now, once there is something to draw on."""
        if not (self.is_mounted and self.is_running):
            return
        if self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT:
            self._say_too_small()
        else:
            self.show(self.session.snapshot)

    def _say_too_small(self) -> None:
        snapshot, size = self.session.snapshot, self.size
        text = f"{size.width}x{size.height} is too small: {LEAST_WIDTH}x{LEAST_HEIGHT} or more, or --simple. Transfers go on."
        lines = [line(phase_span(snapshot, self.session.look), f" {fmt.percent_tenths(snapshot.fraction)}")]
        lines += [line(piece) for piece in wrap(text, max(1, size.width))]
        for panel in self.query(".too-small").results(Lines):
            panel.show_lines(lines)

    def show(self, snapshot: Snapshot) -> None:
        """Draw. Subclasses do."""

    def chosen(self) -> list[MoveView]:
        """The torrents that keys act on. Subclasses say."""
        return []

    def idle_keys(self) -> frozenset[str]:
        """See HasIdleKeys. Subclasses add theirs."""
        over = self.session.snapshot.phase is Phase.ENDED
        return _RUN_KEYS if over else frozenset()

    def back_out(self) -> bool:
        """What escape ends on this screen before it leaves it, a filter or marks; False where there is nothing."""
        return False

    def say(self, text: str, *, bad: bool = False) -> None:
        """A short word in the corner; names in it are data."""
        self.app.notify(safe(text), severity="error" if bad else "information", timeout=8 if bad else 3, markup=False)

    def copy_one_of(self, texts: list[tuple[str, str]]) -> None:
        """Ask which of these (label, text) to copy."""
        choices = tuple(Choice(str(index), f"{label}  {text}") for index, (label, text) in enumerate(texts[:9], 1))

        def answered(key: str | None) -> None:
            if key and key.isdigit():
                label, text = texts[int(key) - 1]
                self.app.copy_to_clipboard(safe(text))
                self.say(f"Copied the {label}")

        self.app.push_screen(Choose(self.session, "Copy", [], (*choices, Choice("escape", "nothing"))), answered)


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
            self.say(f"Nothing to {what}: {moves[0].name} {_IS[moves[0].standing]}.")
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
