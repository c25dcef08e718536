"""Pre-flight: the checks as they end, and for each that failed what helps."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from torrent_mover.domain.report.snapshot import CheckView, Phase, Snapshot
from torrent_mover.domain.text import counted, safe
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell.base import ScreenView
from torrent_mover.tui.shell.header import Header
from torrent_mover.tui.shell.ink import BLANK, Line, Span, Tone, left, line, prose, right, rule, wrap
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.rows import CHROME, ListRow, Rows
from torrent_mover.tui.shell.session import ScreenSession


def check_state(check: CheckView, look: Look) -> Span:
    """Glyph and tone of a check."""
    if check.passed is None:
        return Span(look.glyphs.dots, Tone.ACCENT)
    if check.passed:
        return Span(look.glyphs.good, Tone.GOOD)
    return Span(look.glyphs.bad, Tone.BAD) if check.fatal else Span(look.glyphs.warn, Tone.WARN)


def check_row(check: CheckView, width: int, look: Look) -> Line:
    """One check: state, name, result, time."""
    name = min(40, max(24, width // 3))
    glyph = check_state(check, look)
    result = "runs" if check.passed is None else safe(check.result) or ("passed" if check.passed else "failed")
    took = "" if check.passed is None else f"{check.took:.1f} s"
    tone = Tone.PLAIN if check.passed else glyph.tone
    words = Span(prose(result, width - name - 12), tone)
    return line(glyph, " ", left(safe(check.name), name), "  ", words, Span(right(took, 8), Tone.DIM))


def remedy_lines(check: CheckView | None, width: int, look: Look) -> list[Line]:
    """What is wrong with the chosen check, and what helps."""
    if check is None or check.passed or check.trouble is None:
        return []
    trouble = check.trouble
    glyph = check_state(check, look)
    head = f" {glyph.text} {trouble.code}  "
    lines = []
    for index, piece in enumerate(wrap(safe(trouble.what), width - len(head) - 1)):
        lines.append(line(Span(head if index == 0 else " " * len(head), glyph.tone), piece))
    for text, tone in ((trouble.kept, Tone.DIM), (trouble.remedy, Tone.ACCENT)):
        for paragraph in text.splitlines():
            lines += [line(" " * len(head), Span(one, tone)) for one in wrap(safe(paragraph), width - len(head) - 1)]
    if check.offer:
        lines.append(line(" " * len(head), Span("[w] ", Tone.KEY, "screen.accept"), safe(check.offer)))
    return lines


class Preflight(ScreenView):
    """A list of checks; under it the remedy of the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.PREFLIGHT]

    def __init__(self, session: ScreenSession, *, leaves_by_itself: bool = False) -> None:
        super().__init__(session)
        self._leaves = leaves_by_itself
        self._pointed = False

    def compose(self) -> ComposeResult:
        """Header, checks, remedy, keys."""
        look = self.session.look
        yield Header(look)
        yield Lines(look, id="views")
        yield Lines(look, id="heading")
        yield Rows(look, lambda check, width: check_row(check, width, look), empty="no check has begun", id="checks")
        yield Lines(look, id="remedy-title")
        yield Lines(look, id="remedy")
        yield Keys(look, ("preflight.check", "preflight.fix", "preflight.copy", "preflight.go", "app.quit"))

    def on_mount(self) -> None:
        """Keys go to the checks."""
        self.query_one("#checks", Rows).focus()

    def show(self, snapshot: Snapshot) -> None:
        """Draw the picture of now; leave when everything is passed and the run goes on."""
        failed = [check for check in snapshot.checks if check.passed is False]
        fatal = any(check.fatal for check in failed)
        if self._leaves and not fatal and snapshot.phase not in (Phase.STARTING, Phase.PREFLIGHT, Phase.REFUSED):
            self.dismiss()
            return
        self.query_one(Header).show(snapshot)
        title = self.query_one("#views", Lines)
        config = self.session.options.config
        source = f"   config {safe(config)}" if config else ""
        title.show_lines(
            [line(Span(" Pre-flight", Tone.TITLE), Span(f"{source}   mode {safe(snapshot.mode)}", Tone.DIM))]
        )
        rows = self.query_one("#checks", Rows)
        self._show_heading(rows.size.width - CHROME)
        rows.show_rows([ListRow(check.name, check) for check in snapshot.checks])
        if failed and not self._pointed:
            self._pointed = True
            rows.go_to(failed[0].name)
        self._show_remedy(snapshot, len(failed))
        self.query_one(Keys).show()

    def _show_heading(self, width: int) -> None:
        name = min(40, max(24, width // 3))
        text = "   " + left("Check", name) + "  " + left("Result", width - name - 12) + right("Time", 8)
        self.query_one("#heading", Lines).show_lines([line(Span(" " + text[1:], Tone.DIM))])

    def _check(self) -> CheckView | None:
        row = self.query_one("#checks", Rows).current
        return row.item if row else None

    def _show_remedy(self, snapshot: Snapshot, failed: int) -> None:
        running = sum(check.passed is None for check in snapshot.checks)
        title = self.query_one("#remedy-title", Lines)
        fatal = sum(check.passed is False and check.fatal for check in snapshot.checks)
        counts = ((fatal, "problem"), (failed - fatal, "warning"))
        text = ", ".join(counted(count, noun) for count, noun in counts if count) or "all checks passed"
        if running:
            text = f"{counted(running, 'check')} to go"
        title.show_lines([rule(text, "", title.size.width, self.session.look.glyphs.rule)])
        panel = self.query_one("#remedy", Lines)
        panel.show_lines(
            (remedy_lines(self._check(), panel.size.width, self.session.look) or [BLANK])[: panel.size.height]
        )

    @on(Rows.Moved, "#checks")
    def _moved(self) -> None:
        snapshot = self.session.snapshot
        self._show_remedy(snapshot, sum(check.passed is False for check in snapshot.checks))

    @on(Rows.Opened, "#checks")
    def action_dashboard(self) -> None:
        """On to the dashboard."""
        self.dismiss()

    def action_check(self) -> None:
        """Run the checks again."""
        self._pointed = False
        self.session.control.check_again()
        self.say("Checks again")

    def action_accept(self) -> None:
        """Do what the check offers."""
        check = self._check()
        if check is None or not check.offer:
            self.say("This check offers no fix; the remedy is for you to do.")
        else:
            self.session.control.accept(check.name)
            self.say(check.offer)

    def action_copy(self) -> None:
        """Copy the remedy."""
        check = self._check()
        if check and check.trouble:
            self.app.copy_to_clipboard(safe(check.trouble.remedy))
            self.say("Copied the remedy")
