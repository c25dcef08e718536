"""The log: filtered by level, torrent and text; follows new lines until somebody scrolls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.strip import Strip

from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.snapshot import LogLine
from torrent_mover.domain.text import safe, shorten
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import ROOMY, Line, Span, Tone, line, rule, steady, wrap
from torrent_mover.tui.shell.lines import Inked
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.query import Query

KEPT = 5000
"""Lines that the pane holds, as many as the ring."""

_LEVELS = (Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR)
_TONES = {Level.DEBUG: Tone.DIM, Level.INFO: Tone.PLAIN, Level.WARN: Tone.WARN, Level.ERROR: Tone.BAD}
_HEAD = 11  # `12:41:17 W `


def log_lines(entry: LogLine, width: int, *, wrapped: bool, times: int = 1) -> list[Line]:
    """One record, that came so many times in a row, as one line, or as many as its text needs."""
    tone = _TONES[entry.level]
    torrent = f"{entry.torrent.short} " if entry.torrent else ""
    head = (
        Span(fmt.time_of_day(entry.at) + " ", Tone.DIM),
        Span(entry.level.value[0] + " ", tone),
        Span(torrent, Tone.DIM),
    )
    text = steady(" ".join(safe(part) for part in entry.text.splitlines()))
    if times > 1:
        text = f"({times}x) {text}"
    indent = _HEAD + len(torrent)
    if not wrapped:
        room = max(width - indent, 0) or len(text)  # a pane that has no size yet is laid out soon
        return [line(*head, Span(shorten(text, room, middle=False), tone))]
    pieces = wrap(text, max(8, width - indent))
    first = line(*head, Span(pieces[0], tone))
    return [first, *(line(" " * indent, Span(piece, tone)) for piece in pieces[1:])]


def _says(entry: LogLine) -> tuple[Level, InfoHash | None, str]:
    return entry.level, entry.torrent, entry.text


class LogPane(Inked, can_focus=True):
    """The lines of the ring that pass the filters; its first row says which."""

    BINDINGS: ClassVar[list[BindingType]] = [binding for binding in bindings.LIST if binding.action != "open"]

    def __init__(self, look: Look, *, id: str | None = None) -> None:  # noqa: A002 - textual's name
        super().__init__(look, id=id)
        self.level = Level.INFO
        self.torrent: InfoHash | None = None
        self.query_text = Query()
        self.wrapped = False
        self.following = True
        self.unseen = 0
        self._records: Sequence[LogLine] = ()
        self._last = 0
        self._lines: list[Line] = []
        self._newest: LogLine | None = None  # the record that is drawn last, how often it came, and in how many lines
        self._times, self._height = 0, 0
        self._top = 0
        self._painted: dict[int, Line] = {}

    def show(self, records: Sequence[LogLine]) -> None:
        """Take what is new in the ring."""
        self._records = records
        fresh = []
        for entry in reversed(records):
            if entry.number <= self._last:
                break
            fresh.append(entry)
        if fresh:
            self._last = fresh[0].number
            self._append([entry for entry in reversed(fresh) if self._passes(entry)])
        self._repaint()

    def _append(self, entries: list[LogLine]) -> None:
        for entry in entries:
            self._add(entry)
        surplus = len(self._lines) - KEPT
        if surplus > 0:
            del self._lines[:surplus]
            self._top = max(0, self._top - surplus)
        if self.following:
            self._top = self._bottom
        else:
            self.unseen += len(entries)

    def _add(self, entry: LogLine) -> None:
        """Draw one more record; the same one again only counts up, with the time of its last coming."""
        again = self._newest is not None and _says(self._newest) == _says(entry)
        if again and self._height:
            del self._lines[-self._height :]
        self._newest, self._times = entry, self._times + 1 if again else 1
        lines = log_lines(entry, self.size.width, wrapped=self.wrapped, times=self._times)
        self._height = len(lines)
        self._lines += lines

    def refilter(self) -> None:
        """Filters, wrapping or width changed: make the lines again from the ring."""
        self._lines, self._newest, self._times = [], None, 0
        for entry in self._records:
            if self._passes(entry):
                self._add(entry)
        del self._lines[:-KEPT]
        self._top = self._bottom if self.following else min(self._top, self._bottom)
        self._repaint()

    def _passes(self, entry: LogLine) -> bool:
        if _LEVELS.index(entry.level) < _LEVELS.index(self.level):
            return False
        if self.torrent is not None and entry.torrent != self.torrent:
            return False
        return not self.query_text or self.query_text.finds(entry.text)

    @property
    def _room(self) -> int:
        return max(0, self.size.height - 1)

    @property
    def _bottom(self) -> int:
        return max(0, len(self._lines) - self._room)

    def title(self) -> Line:
        """`─ log: all ≥INFO ───── f level  / find  F follow:on ─`."""
        atleast = ">=" if self.look.ascii else "≥"
        which = self.torrent.short if self.torrent else "all"
        here = f"{self.look.glyphs.cursor} " if self.has_focus else ""
        text = f"{here}log: {which} {atleast}{self.level.value}"
        if self.query_text:
            text += f" {self.query_text.told}"
        state = "F follow:on" if self.following else "F follow:off"
        if self.unseen:
            state = f"F to follow, {self.unseen} new"
        keys = f"f level  / find  {state}" + ("  w wrap" if self.size.width >= ROOMY else "")
        return rule(text, keys, self.size.width, self.look.glyphs.rule)

    def _row(self, y: int) -> Line:
        if y == 0:
            return self.title()
        index = self._top + y - 1
        return self._lines[index] if index < len(self._lines) else ()

    def _repaint(self) -> None:
        width, height = self.size
        changed = [y for y in range(height) if self._painted.get(y) != self._row(y)]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """One row of the pane."""
        ink = self._row(y)
        self._painted[y] = ink
        return self.paint(ink, self.size.width)

    def on_resize(self, event: events.Resize) -> None:
        """Lines are broken again where they wrap."""
        del event
        self._painted.clear()
        self.refilter()
        self.refresh()

    def on_focus(self) -> None:
        """The title shows where the keys go."""
        self._repaint()

    def on_blur(self) -> None:
        """As on_focus."""
        self._repaint()

    def _scroll(self, by: int) -> None:
        self._top = max(0, min(self._bottom, self._top + by))
        self.following = self._top >= self._bottom
        if self.following:
            self.unseen = 0
        self._repaint()

    def follow(self) -> None:
        """To the newest line, and stay there."""
        self.following, self.unseen, self._top = True, 0, self._bottom
        self._repaint()

    def next_level(self) -> None:
        """DEBUG, INFO, WARN, ERROR, and again."""
        self.level = _LEVELS[(_LEVELS.index(self.level) + 1) % len(_LEVELS)]
        self.refilter()

    def toggle_wrap(self) -> None:
        """Break long lines, or cut them."""
        self.wrapped = not self.wrapped
        self.refilter()

    def only(self, torrent: InfoHash | None) -> None:
        """Lines of one torrent, or of all."""
        self.torrent = torrent
        self.refilter()

    def find(self, query: Query) -> None:
        """Lines that match."""
        self.query_text = query
        self.refilter()

    def end_filter(self) -> bool:
        """Show all lines again; False where none was hidden by a filter."""
        if not self.query_text:
            return False
        self.find(Query())
        return True

    def on_mouse_scroll_down(self) -> None:
        """The wheel."""
        self._scroll(3)

    def on_mouse_scroll_up(self) -> None:
        """The wheel."""
        self._scroll(-3)

    def action_down(self) -> None:
        """One line down."""
        self._scroll(1)

    def action_up(self) -> None:
        """One line up; stops following."""
        self._scroll(-1)

    def action_page_down(self) -> None:
        """A page down."""
        self._scroll(max(1, self._room - 1))

    def action_page_up(self) -> None:
        """A page up; stops following."""
        self._scroll(-max(1, self._room - 1))

    def action_first(self) -> None:
        """To the oldest line."""
        self._scroll(-len(self._lines))

    def action_last(self) -> None:
        """To the newest line."""
        self.follow()
