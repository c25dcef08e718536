"""The application of the tiers: one timer that fetches the picture, two screens, and how to leave."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.report.events import Event, TierRoundEnded
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.domain.report.tiers import TierPhase, WorkView, stage_of
from torrent_mover.domain.text import safe, shorten
from torrent_mover.ports.tier_control import TierControl
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ask import Choice, Choose
from torrent_mover.tui.shell.list_app import ListApp, shown_until_left
from torrent_mover.tui.shell.listing import DutyPage
from torrent_mover.tui.shell.options import DashboardOptions
from torrent_mover.tui.shell.panel import reading_width
from torrent_mover.tui.tiering import keys, panels
from torrent_mover.tui.tiering.screens import TierLog, TierScreen
from torrent_mover.tui.tiering.session import TierSession

_LOG = logging.getLogger(__name__)
_NAMED = 5  # torrents that the question about leaving names
_NAME_CELLS = 40
_STOP, _NOW = "s", "n"


class TierApp(ListApp):
    """Returns None when somebody left, a signal's exit code when one ended it."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.APP]
    session: TierSession
    session_type, list_type, log_type, help_groups = TierSession, TierScreen, TierLog, keys.HELP
    words = "tiers"

    @property
    def over(self) -> bool:
        """See ListApp."""
        tiers = self.session.snapshot.tiers
        return bool(tiers) and all(tier.phase is TierPhase.ENDED for tier in tiers)

    def heard(self, event: Event) -> None:
        """A round that did something is worth a word; everything else is in the log."""
        if isinstance(event, TierRoundEnded) and (event.copied or event.evicted or event.failed):
            self.notify(
                narrate(event).text, severity="warning" if event.failed else "information", timeout=5, markup=False
            )

    def action_next_tier(self) -> None:
        """Look at the next tier."""
        count = len(self.session.snapshot.tiers)
        if count > 1:
            self.session.place = ((self.session.place or 0) + 1) % count
            self.draw_all()
        else:
            self.notify("There is no other tier.", timeout=3, markup=False)

    def action_round(self) -> None:
        """Look now."""
        tier = self.session.tier
        if tier is None:
            self.notify("No tier is configured.", timeout=3, markup=False)
        elif tier.phase is TierPhase.ENDED:
            self.notify("The worker has ended: nothing is done any more.", timeout=3, markup=False)
        else:
            self.session.control.request_round(tier.name)
            waits = "; no worker is running yet" if tier.phase is TierPhase.ABSENT else ""
            self.notify(f"A round is asked for{waits}", timeout=3, markup=False)

    def action_alarms(self) -> None:
        """All that needs somebody, in full."""
        lines = panels.alarm_texts(self.session.snapshot, reading_width(self.size.width))
        self.read("Alarms", lines, bad=bool(self.session.snapshot.alarms))

    # -- leaving -------------------------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        """Leave; ask while a torrent is copied or evicted by a worker that ends with this screen."""
        if self.options.attached:
            self.exit(None)
            return
        self.session.refresh()
        snapshot = self.session.snapshot
        if not snapshot.works_here:
            self.exit(None)
        elif self.over or not snapshot.under_way:
            self._leave(_STOP)
        elif isinstance(self.screen, DutyPage):
            choices = (
                Choice(_STOP, "stop after the pieces in flight, then leave"),
                Choice(_NOW, "stop now"),
                Choice("escape", "stay"),
            )
            self.push_screen(Choose(self, "Work is under way", _leave_text(snapshot.under_way), choices), self._leave)

    def _leave(self, key: str | None) -> None:
        if key is None:
            return
        if not self.over:
            self.session.control.stop(now=key == _NOW)
        self.exit(None)


def _leave_text(works: tuple[WorkView, ...]) -> list[str]:
    """What would be broken off, and what becomes of it."""
    text = [
        f"{fmt.percent(work.fraction):>4}  {stage_of(work.task, work.stage).words:<15}  {shorten(safe(work.name), _NAME_CELLS)}"
        for work in works[:_NAMED]
    ]
    text += [f"      and {len(works) - _NAMED} more"] if len(works) > _NAMED else []
    return [
        *text,
        "",
        "What was copied is kept; the next worker goes on from there.",
        "Nothing on the SSD goes before it is proven.",
    ]


def run_tier_dashboard(
    control: TierControl,
    options: DashboardOptions,
    by_signal: Callable[[ExitCode], None] = lambda _code: None,
    gone: Callable[[], bool] = lambda: False,
) -> int | None:
    """Show the tiers until somebody leaves; see shown_until_left. Raises ConfigError for a wrong keymap.

    `by_signal` hears of a signal (or Ctrl-C) before the workers are stopped for it. `gone`: whether whoever executes the
    workers is there no more, which closes the screen of workers that have not ended.
    """
    return shown_until_left(TierApp(control, options, by_signal, gone), "the workers of the tiers go on")
