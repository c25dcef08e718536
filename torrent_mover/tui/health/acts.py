"""What one may do with the chosen torrent or action: each says why where it makes no sense, and asks where it should."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from textual.binding import BindingType

from torrent_mover.domain.report.health import ActView, HealthPhase, PatientView
from torrent_mover.domain.text import clauses
from torrent_mover.tui.health import keys
from torrent_mover.tui.health.rows import Item, outlook
from torrent_mover.tui.health.session import HealthSession
from torrent_mover.tui.shell.ask import Choice, Choose
from torrent_mover.tui.shell.fitted import FittedScreen
from torrent_mover.tui.shell.list_app import ListApp

_WEEK: Final = 7 * 86400.0
_FOR_GOOD, _A_WEEK = "g", "w"


class PatientActs(FittedScreen):
    """Mixed into the screen that has the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.TORRENT]

    session: HealthSession

    def chosen_item(self) -> Item | None:
        """What the keys act on. Subclasses say."""
        return None

    def _chosen(self, *, alive: bool = True) -> Item | None:
        """What is chosen; None, and said so, where there is nothing or, if `alive`, its loop has ended."""
        item = self.chosen_item()
        if item is None:
            self.say("No torrent is chosen.")
            return None
        loop = self.session.loop_of(item.loop)
        if alive and (loop is None or loop.phase is HealthPhase.ENDED):
            self.say("The loop has ended: nothing is done any more.")
            return None
        return item

    def _ask(self, title: str, text: list[str], choices: tuple[Choice, ...], act: Callable[[str], object]) -> None:
        def answered(key: str | None) -> None:
            if key is not None and key in {choice.key for choice in choices}:
                act(key)

        self.app.push_screen(Choose(self, title, text, (*choices, Choice("escape", "leave it as it is"))), answered)

    def action_hold(self) -> None:
        """Hold it, or release what is held."""
        item = self._chosen()
        if item is None:
            return
        control = self.session.control
        if isinstance(item, PatientView) and item.held_until is not None:
            control.release(item.loop, item.id)
            self.say(f"Judged again: {item.name}")
            return
        choices = (Choice(_A_WEEK, "for 7 days"), Choice(_FOR_GOOD, "until it is released"))

        def hold(key: str) -> None:
            control.hold(item.loop, item.id, _WEEK if key == _A_WEEK else None)
            self.say(f"Left alone: {item.name}")

        self._ask(
            "Leave it alone?", [item.name, "", "Nothing is found and nothing is done while it is held."], choices, hold
        )

    def action_act(self) -> None:
        """Ask, then do what is due."""
        item = self._chosen()
        if item is None:
            return
        if isinstance(item, ActView):
            self.say("That is an action that was taken; z takes it back where that is possible.")
            return
        loop = self.session.loop_of(item.loop)
        against = _against(item, acts=loop is not None and loop.acts)
        if against:
            self.say(f"Nothing done: {item.name} {against}.")
            return
        text = [item.name, "", outlook(item, self.session.at, acts=True)[1]]
        text += ["", "It is looked at again first; obligations and caps hold."]
        self._ask("Do it now?", text, (Choice("x", f"{item.would} it now"),), lambda _key: self._act(item))

    def _act(self, item: PatientView) -> None:
        self.session.control.act(item.loop, item.id)
        self.say(f"Asked for: {item.would} {item.name}")

    def action_undo(self) -> None:
        """Ask, then take the chosen action back."""
        item = self._chosen()
        if item is None:
            return
        if not isinstance(item, ActView):
            self.say("Only an action can be taken back: 4 lists them.")
            return
        if not item.undoable:
            self.say(f"This cannot be taken back: {item.action}, {item.state}.")
            return
        text = [item.name, "", "Files and torrent come back; it is checked, then started, and left alone for 7 days."]
        self._ask("Take it back?", text, (Choice("z", "take it back"),), lambda _key: self._undo(item))

    def _undo(self, item: ActView) -> None:
        self.session.control.undo(item.loop, item.number)
        self.say(f"To be taken back: {item.name}")

    def action_reset(self) -> None:
        """Let its clocks begin anew."""
        item = self._chosen()
        if item is not None:
            self.session.control.reset(item.loop, item.id)
            self.say(f"Its clocks begin anew: {item.name}")

    def action_explain(self) -> None:
        """Every rule and reason."""
        item = self._chosen(alive=False)
        if item is not None and isinstance(self.app, ListApp):
            self.app.explain(partial(self.session.control.explain, item.loop, item.id))

    def action_copy(self) -> None:
        """Choose what to copy, then copy it by OSC 52."""
        item = self._chosen(alive=False)
        if item is None:
            return
        reason = item.reason if isinstance(item, ActView) else outlook(item, self.session.at, acts=True)[1]
        self.copy_one_of([("hash", item.id.hex), ("name", item.name), ("reason", reason)])


def _against(item: PatientView, *, acts: bool) -> str:
    """What speaks against doing it that can be seen here; blank: nothing, and another look decides."""
    if not acts:
        return f"is only reported ([HEALTH {item.loop}] mode = report)"
    reasons = (
        (item.held_until is not None, "is held; space lets it be judged again"),
        (bool(item.skipped), f"is not judged: {item.skipped}"),
        (not item.would, "has nothing due that changes something"),
        (bool(item.vetoes), f"is kept: {clauses(*item.vetoes)}"),
        (bool(item.capped), f"has to wait: {item.capped}"),
    )
    return next((words for true, words in reasons if true), "")
