"""What one may do with the chosen torrent of a tier: each act says why where it makes no sense, and asks where it should."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from torrent_mover.domain.report.tiers import (
    CandidateView,
    PinView,
    QueuedView,
    TierPhase,
    TierTask,
    TierView,
    WorkView,
)
from torrent_mover.domain.text import clause
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ask import Choice, Choose
from torrent_mover.tui.shell.fitted import FittedScreen
from torrent_mover.tui.shell.list_app import ListApp
from torrent_mover.tui.tiering import keys
from torrent_mover.tui.tiering.rows import Item, TorrentRow, why
from torrent_mover.tui.tiering.session import TierSession


class TorrentActs(FittedScreen):
    """Mixed into the screen that has the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.TORRENT]

    session: TierSession

    def chosen_row(self) -> TorrentRow | None:
        """The row that the keys act on. Subclasses say."""
        return None

    def _chosen(self, *, alive: bool = True) -> tuple[TierView, Item] | None:
        """The tier and the torrent that are chosen; None, and said so, where there is none or, if `alive`, no worker is left."""
        tier, row = self.session.tier, self.chosen_row()
        if tier is None or row is None:
            self.say("No torrent is chosen.")
            return None
        if alive and tier.phase is TierPhase.ENDED:
            self.say("The worker has ended: nothing is done any more.")
            return None
        return tier, row.item

    def _ask(self, title: str, text: list[str], yes: Choice, act: Callable[[], object]) -> None:
        def answered(key: str | None) -> None:
            if key == yes.key:
                act()

        self.app.push_screen(Choose(self, title, text, (yes, Choice("escape", "leave it as it is"))), answered)

    def action_pin(self) -> None:
        """Pin it; what was pinned by command is unpinned."""
        found = self._chosen()
        if found is None:
            return
        tier, item = found
        pin = next((each for each in tier.pins if each.key == item.key), None)
        if pin is None and isinstance(item, CandidateView) and item.pinned:
            self.say(f"{item.name} is pinned by its label or a tag: the config says which.")
        elif pin is None:
            self.session.control.pin(tier.name, item.id)
            self.say(f"Stays on the SSD: {item.name}")
        elif pin.by_command:
            self.session.control.unpin(tier.name, item.id)
            self.say(f"May leave the SSD: {item.name}")
        else:
            self.say(
                f"{item.name} is pinned by {clause(pin.why)}: only the config, or its label and tags, change that."
            )

    def action_evict(self) -> None:
        """Ask, then evict it now."""
        found = self._chosen()
        if found is None:
            return
        tier, item = found
        against = _against_eviction(tier, item)
        if against:
            self.say(f"Not evicted: {item.name} {against}.")
            return
        text = [item.name, ""]
        if isinstance(item, CandidateView):
            text.append(f"It frees {fmt.size(item.frees, self.look.units)} on the SSD.")
            if item.together > 1:
                text.append(f"It shares files with {item.together - 1} more: all of them leave together.")
        text += [
            "The client checks the copy and seeds it first; the SSD's files go last.",
            "Where any proof fails it stays on the SSD.",
        ]
        self._ask(
            "Evict it now?", text, Choice("x", "evict it now"), lambda: self._evict(tier.name, item.id, item.name)
        )

    def _evict(self, tier: str, torrent: InfoHash, name: str) -> None:
        self.session.control.evict(tier, torrent)
        self.say(f"To be evicted: {name}")

    def action_recopy(self) -> None:
        """Ask, then have a fresh copy made."""
        found = self._chosen()
        if found is None:
            return
        tier, item = found
        if isinstance(item, WorkView):
            self.say(f"Not now: {item.name} is worked on.")
            return
        text = [
            item.name,
            "",
            "A fresh copy is made from the SSD. The old one is kept in quarantine, nothing of it is changed.",
        ]
        self._ask(
            "Copy it afresh?", text, Choice("c", "copy it afresh"), lambda: self._recopy(tier.name, item.id, item.name)
        )

    def _recopy(self, tier: str, torrent: InfoHash, name: str) -> None:
        self.session.control.recopy(tier, torrent)
        self.say(f"To be copied afresh: {name}")

    def action_queue(self) -> None:
        """Have it copied."""
        found = self._chosen()
        if found is None:
            return
        tier, item = found
        if isinstance(item, WorkView):
            self.say(f"Not queued: {item.name} is worked on.")
        elif isinstance(item, CandidateView) and item.proven:
            self.say(f"Not queued: {item.name} has a proven copy; c makes a fresh one.")
        else:
            self.session.control.queue(tier.name, item.id)
            self.say(f"{'Tried at once' if isinstance(item, QueuedView) else 'Queued'}: {item.name}")

    def action_explain(self) -> None:
        """Why it is where it is."""
        found = self._chosen(alive=False)
        if found is not None:
            tier, item = found
            ask = partial(self.session.control.explain, tier.name, item.id)
            if isinstance(self.app, ListApp):
                self.app.explain(ask)

    def action_copy(self) -> None:
        """Choose what to copy, then copy it by OSC 52."""
        found = self._chosen(alive=False)
        if found is None:
            return
        item = found[1]
        texts = [("hash", item.id.hex), ("name", item.name)]
        if isinstance(item, CandidateView) and item.path:
            texts.append(("path", item.path))
        if isinstance(item, WorkView) and item.target:
            texts.append(("path of the copy", item.target))
        if not isinstance(item, WorkView):
            texts.append(("reason", why(item, self.session.snapshot.at)))
        self.copy_one_of(texts)


def _against_eviction(tier: TierView, item: Item) -> str:
    """What speaks against evicting it that can be seen here; blank: nothing, and the gates decide."""
    if not tier.acts:
        return "stays: the tier only reports (mode = report)"
    if isinstance(item, WorkView):
        return "is being copied" if item.task is TierTask.COPY else "is being evicted already"
    if isinstance(item, QueuedView):
        return "has no proven copy yet"
    if isinstance(item, PinView) or item.pinned:
        return "is pinned; p lets it leave again"
    return "" if item.proven else "has no proven copy yet; u queues it"
