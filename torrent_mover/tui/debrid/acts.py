"""What one may do with the chosen row: each says why where it makes no sense, and asks where it should."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from torrent_mover.domain.report.debrid import DebridPhase, DebridRetryView, SetAsideView
from torrent_mover.tui.debrid import keys
from torrent_mover.tui.debrid.rows import DebridItem, reason
from torrent_mover.tui.debrid.session import AccountsSession
from torrent_mover.tui.shell.ask import Choice, Choose
from torrent_mover.tui.shell.fitted import FittedScreen
from torrent_mover.tui.shell.list_app import ListApp


class DebridActs(FittedScreen):
    """Mixed into the screen that has the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.TORRENT]

    session: AccountsSession

    def chosen_item(self) -> DebridItem | None:
        """What the keys act on. Subclasses say."""
        return None

    def _chosen(self, *, alive: bool = True) -> DebridItem | None:
        """What is chosen; None, and said so, where there is nothing or, if `alive`, the rounds of its account have ended."""
        item = self.chosen_item()
        if item is None:
            self.say("Nothing is chosen.")
            return None
        ended = any(
            each.name == item.account and each.phase is DebridPhase.ENDED for each in self.session.snapshot.accounts
        )
        if alive and ended:
            self.say("The rounds have ended: nothing is done any more.")
            return None
        return item

    def action_retry(self) -> None:
        """Make the chosen retry due."""
        item = self._chosen()
        if item is None:
            return
        if not isinstance(item, DebridRetryView):
            self.say("Only what waits can be tried again: 4 lists it.")
            return
        self.session.control.retry(item.account, item.id)
        self.say(f"Due now: {item.name}")

    def action_restore(self) -> None:
        """Ask, then put the chosen link back."""
        item = self._chosen()
        if item is None:
            return
        if not isinstance(item, SetAsideView):
            self.say("Only a link that was set aside can be put back: 5 lists them.")
            return

        def answered(key: str | None) -> None:
            if key == "u":
                self.session.control.restore(item.account, item.key)
                self.say(f"To be put back: {item.name}")

        text = [item.path, "", "It is put back where it was. What has its name now is not overwritten."]
        choices = (Choice("u", "put it back"), Choice("escape", "leave it as it is"))
        self.app.push_screen(Choose(self, "Put it back?", text, choices), answered)

    def action_explain(self) -> None:
        """Every reason."""
        item = self._chosen(alive=False)
        if item is not None and isinstance(self.app, ListApp):
            self.app.explain(partial(self.session.control.explain, item.account, item.id))

    def action_copy(self) -> None:
        """Choose what to copy, then copy it by OSC 52."""
        item = self._chosen(alive=False)
        if item is None:
            return
        texts = [("hash", item.id.hex), ("name", item.name), ("reason", reason(item)[1])]
        self.copy_one_of([*texts, ("path", item.path)] if isinstance(item, SetAsideView) else texts)
