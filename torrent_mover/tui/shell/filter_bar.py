"""The line that opens under a list after `/`."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from torrent_mover.tui.shell.query import Query


class FilterBar(Input):
    """Hidden until it is opened. Every letter filters; enter keeps the filter, escape ends it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "clear", show=False)]

    class Filtered(Message):
        """The text changed."""

        def __init__(self, query: Query) -> None:
            super().__init__()
            self.query = query

    class Closed(Message):
        """Typing is over."""

    def __init__(self, hint: str = "name   !not   state:retry   tracker:example   route:main") -> None:
        """`hint` shows what may be typed."""
        super().__init__(placeholder=hint, id="filter", compact=True)
        self.display = False

    def open(self, text: str) -> None:
        """Show it, with the filter of now."""
        self.display = True
        self.value = text
        self.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while one types."""
        event.stop()
        if self.display:
            self.post_message(self.Filtered(Query(event.value)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it."""
        event.stop()
        self._close()

    def action_clear(self) -> None:
        """Show everything again."""
        self.value = ""
        self.post_message(self.Filtered(Query()))
        self._close()

    def _close(self) -> None:
        self.display = False
        self.post_message(self.Closed())
