"""Acts on the whole run, the same on every screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torrent_mover.domain.quantities import PAUSE, format_rate, parse_rate
from torrent_mover.domain.report.snapshot import Phase
from torrent_mover.tui.moving.detail import Detail
from torrent_mover.tui.moving.preflight import Preflight
from torrent_mover.tui.shell.ask import AskLine
from torrent_mover.tui.shell.fitted import FittedScreen
from torrent_mover.tui.shell.header import limit_of, limit_words
from torrent_mover.tui.shell.help import Help

if TYPE_CHECKING:
    from textual.app import App

    from torrent_mover.tui.shell.session import ScreenSession

    _Base = App[int]
else:
    _Base = object

VIEW_NAMES = ("dashboard", "queue", "history", "health", "log")


class RunActs(_Base):
    """Mixed into the application."""

    session: ScreenSession

    def action_view(self, name: str) -> None:
        """One of the five views; whatever lies over the current one is put away."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.switch_mode(name)

    def action_turn(self, by: int) -> None:
        """The next view, or the previous one."""
        if self.current_mode in VIEW_NAMES:
            here = VIEW_NAMES.index(self.current_mode)
            self.action_view(VIEW_NAMES[(here + by) % len(VIEW_NAMES)])

    async def action_back(self) -> None:
        """Go back one level: out of a filter, out of a screen, from another view to the dashboard."""
        screen = self.screen
        if isinstance(screen, FittedScreen) and screen.back_out():
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.current_mode != "dashboard":
            self.switch_mode("dashboard")

    def action_preflight(self) -> None:
        """The checks."""
        if not isinstance(self.screen, Preflight):
            self.push_screen(Preflight(self.session))

    def action_help(self) -> None:
        """All keys that hold here."""
        if not isinstance(self.screen, Help):
            self.push_screen(Help(self.session.look, self.screen.active_bindings, "moves"))

    def action_pause_all(self) -> None:
        """Pause everything, or go on."""
        if limit_of(self.session.snapshot) == PAUSE:
            self.notify("The bandwidth is paused; b changes it", timeout=3, markup=False)
            return
        paused = self.session.snapshot.phase is Phase.PAUSED
        if paused:
            self.session.control.resume()
        else:
            self.session.control.pause()
        self.notify("Goes on" if paused else "All torrents pause; p goes on", timeout=3, markup=False)

    def action_rescan(self) -> None:
        """Look for new torrents now."""
        self.session.control.rescan()
        self.notify("Looks for new torrents", timeout=3, markup=False)

    def action_bandwidth(self) -> None:
        """Ask for a limit."""
        current, units = limit_of(self.session.snapshot), self.session.look.units

        def answered(text: str | None) -> None:
            if text is None:
                return
            limit = _asked_limit(text)
            self.session.control.limit(limit)
            said = "Limit as configured" if limit is None else limit_words(None if limit == _NO_LIMIT else limit, units)
            self.notify(said[0].upper() + said[1:], timeout=3, markup=False)

        hint = f"now {limit_words(current, units)}; 512K, 5M, 1.5G (KiB/s, MiB/s, GiB/s), off, pause, or nothing: as configured"
        value = "" if current is None else _exact_rate(current)
        self.push_screen(
            AskLine(self.session, "Bandwidth of all torrents together", hint, value, _wrong_rate), answered
        )

    def open_torrent(self, hex_digits: str) -> None:
        """The detail screen of that torrent, if it is in the run."""
        for move in self.session.snapshot.moves:
            if move.id.hex == hex_digits:
                self.push_screen(Detail(self.session, move.id))
                return


_NO_LIMIT = float("inf")


def _asked_limit(text: str) -> float | None:
    """As Control.limit takes it; nothing: as configured."""
    if not text.strip():
        return None
    limit = parse_rate(text)
    return _NO_LIMIT if limit is None else limit


def _exact_rate(limit: float) -> str:
    """What would be typed for that limit; nothing where that is an odd number of bytes."""
    text = format_rate(int(limit))
    return "" if text.endswith("B") else text


def _wrong_rate(text: str) -> str:
    if not text.strip():
        return ""
    try:
        parse_rate(text)
    except ValueError as error:
        return str(error)
    return ""
