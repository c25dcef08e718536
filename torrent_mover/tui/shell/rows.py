"""Rows: a list with a cursor that draws the visible rows only, so that 5,000 cost what 20 do."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.ink import Line, Span, Tone, crop, line
from torrent_mover.tui.shell.lines import Inked
from torrent_mover.tui.shell.look import Look

CHROME = 3
"""Cells of a row that are not the drawing function's: cursor, blank, scroll bar."""

_DOUBLE_CLICK = 2

Draw = Callable[[Any, int], Line]


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row: `key` keeps the cursor on it however the list changes; `item` is what the drawing function gets."""

    key: Hashable
    item: Any


class Rows(Inked, can_focus=True):
    """A list of rows. `draw(item, width)` makes the line; the first cell is the cursor's, the last the scroll bar's."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.LIST]

    class Moved(Message):
        """The cursor went to another row."""

        def __init__(self, rows: Rows) -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> Rows:
            """The list."""
            return self.rows

    class Opened(Moved):
        """A row was chosen with enter or a second click."""

    class Dragged(Moved):
        """The mouse was drawn over `keys`, the button still down."""

        def __init__(self, rows: Rows, keys: frozenset[Hashable]) -> None:
            super().__init__(rows)
            self.keys = keys

    def __init__(self, look: Look, draw: Draw, *, empty: str = "", id: str | None = None) -> None:  # noqa: A002 - textual's name
        super().__init__(look, id=id)
        self._draw = draw
        self._empty = empty
        self._rows: Sequence[ListRow] = ()
        self._place: dict[Hashable, int] = {}
        self._cursor = 0
        self._top = 0
        self._painted: dict[int, tuple[Line, bool]] = {}
        self._anchor: int | None = None
        self.marks: frozenset[Hashable] = frozenset()
        self.pointing = True
        """Whether the cursor is drawn; a page to read has none."""

    @property
    def cursor_key(self) -> Hashable | None:
        """The key under the cursor; None for an empty list."""
        return self._rows[self._cursor].key if self._rows else None

    @property
    def current(self) -> ListRow | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    def show_rows(self, rows: Sequence[ListRow], empty: str | None = None, *, follow: bool = True) -> None:
        """Show these rows. The cursor stays on its key; where that is gone, or it shall not `follow`, on its place."""
        key = self.cursor_key
        self._rows = rows
        self._place = {row.key: index for index, row in enumerate(rows)}
        if empty is not None:
            self._empty = empty
        wanted = self._place.get(key, self._cursor) if follow and key is not None else self._cursor
        self._cursor = max(0, min(wanted, len(rows) - 1))
        self._scroll_to_cursor()
        self.repaint()
        if self.cursor_key != key:
            self.post_message(self.Moved(self))

    def mark(self, keys: frozenset[Hashable]) -> None:
        """Show these keys as marked."""
        self.marks = keys
        self.repaint()

    def go_to(self, key: Hashable) -> None:
        """Put the cursor on that key, if it is in the list."""
        if key in self._place:
            self._move_to(self._place[key])

    def repaint(self) -> None:
        """Paint again the visible rows that changed since they were painted."""
        width, height = self.size
        if not width or not height:
            return
        changed = [y for y in range(height) if self._painted.get(y) != self._look_of(y, width)]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def _look_of(self, y: int, width: int) -> tuple[Line, bool]:
        index = self._top + y
        rail = self._rail(y)
        if index >= len(self._rows):
            text = self._empty if y == 0 and not self._rows else ""
            return line(Span(f"  {text}".ljust(width - 2), Tone.DIM), rail), False
        row = self._rows[index]
        here = self.pointing and index == self._cursor
        glyphs = self.look.glyphs
        pointer = Span(glyphs.cursor if here else " ", Tone.ACCENT if self.has_focus else Tone.DIM)
        body = crop(self._draw(row.item, width - CHROME), width - CHROME)
        if row.key in self.marks:  # in the place of a blank: the columns stay where they are
            body = line(Span(glyphs.mark, Tone.ACCENT), body[0]._replace(text=body[0].text[1:]), body[1:])
        return line(pointer, body, rail), here

    def _rail(self, y: int) -> Span:
        height, total = self.size.height, len(self._rows)
        if total <= height:
            return Span("  ")
        thumb = max(1, height * height // total)
        start = round(self._top / (total - height) * (height - thumb))
        on = start <= y < start + thumb
        return Span(f" {self.look.glyphs.thumb if on else self.look.glyphs.rail}", Tone.TRACK)

    def render_line(self, y: int) -> Strip:
        """One row of the list."""
        width = self.size.width
        ink, here = self._look_of(y, width)
        self._painted[y] = ink, here
        return self.paint(ink, width, here=here and self.has_focus)

    def _scroll_to_cursor(self) -> None:
        height = max(1, self.size.height)
        self._top = max(0, min(self._top, len(self._rows) - height))
        if self._cursor < self._top:
            self._top = self._cursor
        elif self._cursor >= self._top + height:
            self._top = self._cursor - height + 1

    def _move_to(self, index: int) -> None:
        if not self.pointing:  # a page scrolls at once, instead of after a cursor that nobody sees
            index = min(index, len(self._rows) - max(1, self.size.height))
            self._top = max(0, index)
        index = max(0, min(index, len(self._rows) - 1))
        if index == self._cursor:
            return
        self._cursor = index
        self._scroll_to_cursor()
        self.repaint()
        self.post_message(self.Moved(self))

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._painted.clear()
        self._scroll_to_cursor()
        self.refresh()

    def on_focus(self) -> None:
        """The cursor row shows where the keys go."""
        self.refresh()

    def on_blur(self) -> None:
        """As on_focus."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """The first click chooses a row, a second one opens it."""
        index = self._top + event.y
        if index >= len(self._rows):
            return
        if (
            index == self._cursor and event.chain == _DOUBLE_CLICK
        ):  # a third and fourth click open nothing that came up meanwhile
            self.action_open()
        self._move_to(index)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Where drawing over rows may begin."""
        index = self._top + event.y
        self._anchor = index if index < len(self._rows) else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """With the button down: all rows from where it went down, beyond the edge too."""
        if self._anchor is None:
            return
        index = max(0, min(self._top + event.y, len(self._rows) - 1))
        if index == self._cursor == self._anchor:
            return
        self.capture_mouse()
        self._move_to(index)
        first, last = sorted((self._anchor, index))
        self.post_message(self.Dragged(self, frozenset(row.key for row in self._rows[first : last + 1])))

    def on_mouse_up(self) -> None:
        """The end of it."""
        self._anchor = None
        self.release_mouse()

    def on_mouse_scroll_down(self) -> None:
        """The wheel moves the cursor, so that it is never out of sight."""
        self._move_to(self._cursor + 3)

    def on_mouse_scroll_up(self) -> None:
        """As on_mouse_scroll_down."""
        self._move_to(self._cursor - 3)

    def action_down(self) -> None:
        """One row down."""
        self._move_to(self._cursor + 1)

    def action_up(self) -> None:
        """One row up."""
        self._move_to(self._cursor - 1)

    def action_page_down(self) -> None:
        """A page down."""
        self._move_to(self._cursor + max(1, self.size.height - 1))

    def action_page_up(self) -> None:
        """A page up."""
        self._move_to(self._cursor - max(1, self.size.height - 1))

    def action_first(self) -> None:
        """To the first row."""
        self._move_to(0)

    def action_last(self) -> None:
        """To the last row."""
        self._move_to(len(self._rows) - 1)

    def action_open(self) -> None:
        """Say that the row was chosen."""
        if self._rows:
            self.post_message(self.Opened(self))
