"""Screens that close themselves and nothing else."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import Screen

Result = TypeVar("Result")


class ClosesItself(Screen[Result]):
    """Never closes what lies over it, nor what is left once it has gone.

    Textual's own `dismiss` (8.x) takes away the topmost screen, whichever that is: a second one in the same moment, or one from
    below a dialog, would hit another screen. A dialog names it after `ModalScreen`: styles go by the first base.
    """

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, with that result; nothing where it is not the topmost screen."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
