"""One torrent in full: files, pieces, stages, attempts, its log, everything known of it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from torrent_mover.domain.report.snapshot import AttemptView, MoveDetail, MoveView, Snapshot, StageView
from torrent_mover.domain.text import cause_first, duration, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.tui.moving.move_table import state
from torrent_mover.tui.moving.piece_strip import legend, strip_lines
from torrent_mover.tui.moving.selected import (
    facts_line,
    file_line,
    inner_paths,
    now_line,
    step_line,
    steps_line,
    trouble_lines,
)
from torrent_mover.tui.shell import bindings
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.base import MoveActs
from torrent_mover.tui.shell.filter_bar import FilterBar
from torrent_mover.tui.shell.ink import BLANK, ROOMY, Line, Part, Span, Tone, left, line, prose, right, squeeze, wrap
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.log_acts import LogActs
from torrent_mover.tui.shell.log_pane import LogPane
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import CHROME, ListRow, Rows
from torrent_mover.tui.shell.session import ScreenSession

TABS = ("files", "pieces", "stages", "attempts", "log", "info")


def head_lines(move: MoveView, width: int, look: Look) -> list[Line]:
    """Name and state, the steps, the bar of the one that runs."""
    glyph, word = state(move, look.glyphs)
    end = line(Span(move.id.short, Tone.DIM), "   ", glyph, Span(f" {word.upper()} ", glyph.tone))
    room = max(8, width - sum(len(span.text) for span in end) - 4)
    first = squeeze([Part(line(" ", Span(left(safe(move.name), room).rstrip(), Tone.STRONG)))], [Part(end)], width)
    running = next((step for step in move.steps if step.step is move.step), None)
    second = step_line(running, min(width - 12, 78), look) if running else BLANK
    return [first, facts_line(move, width, look), second, steps_line(move, width, look)]


def tab_line(current: str, width: int) -> Line:
    """The names of the tabs, the current one in brackets."""
    spans = [Span(" ")]
    for tab in TABS:
        label = f"[{tab.capitalize()}]" if tab == current else f" {tab.capitalize()} "
        spans.append(Span(label, Tone.TITLE if tab == current else Tone.DIM, f"screen.tab('{tab}')"))
    del width
    return tuple(spans)


def stage_line(stage: StageView, look: Look) -> Line:
    """A stage with when and how long."""
    took = "now" if stage.took is None else duration(stage.took)
    glyph = Span(look.glyphs.running, Tone.ACCENT) if stage.took is None else Span(look.glyphs.good, Tone.GOOD)
    return line(
        glyph, f" {stage.stage.value:<14}", Span(f"{fmt.time_of_day(stage.entered_at)}  ", Tone.DIM), right(took, 10)
    )


def attempt_line(attempt: AttemptView, width: int, look: Look) -> Line:
    """A try: when, how long, how much, how it ended."""
    took = "-" if attempt.took is None else duration(attempt.took)
    rate = fmt.rate(attempt.rate, look.units) if attempt.rate else "-"
    sent = fmt.size(attempt.sent, look.units)
    numbers = f"{attempt.number:>2}  {fmt.time_of_day(attempt.started_at)} {took:>9} {sent:>11} {rate:>12}  "
    return line(Span(numbers), Span(prose(safe(cause_first(attempt.ended)), max(8, width - len(numbers)))))


def tab_lines(tab: str, move: MoveView, detail: MoveDetail, width: int, height: int, look: Look) -> list[Line]:
    """What a tab shows, one line a row of its list."""
    if tab == "files":
        named = zip(detail.files, inner_paths(detail.files), strict=True)
        return [file_line(file, path, width, look, bar=12 if width >= ROOMY else 0) for file, path in named]
    if tab == "pieces":
        room = max(1, height - 2)
        return [*strip_lines(detail.pieces, width - 1, room, look), BLANK, legend(detail.pieces, width - 1, room, look)]
    if tab == "stages":
        return [stage_line(stage, look) for stage in detail.stages]
    if tab == "attempts":
        return [attempt_line(attempt, width, look) for attempt in detail.attempts]
    facts = [("name", move.name), *((label, value) for label, value in detail.facts if value)]
    label_cells = min(max(len(label) for label, _ in facts), max(8, width // 3)) + 2
    return [
        line(Span(left(safe(label) if index == 0 else "", label_cells - 2), Tone.DIM), "  ", one)
        for label, value in facts
        for index, one in enumerate(wrap(safe(value), max(8, width - label_cells)))
    ]


_HEADINGS = {
    "attempts": " #  started       took        sent         rate  ended",
    "stages": "  stage         since           took",
}


class Detail(LogActs, MoveActs):
    """Tabs over one torrent. Wide terminals keep its log beside them."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.DETAIL, *bindings.FILTER]

    def __init__(self, session: ScreenSession, torrent: InfoHash, tab: str = "files") -> None:
        super().__init__(session)
        self._torrent = torrent
        self._tab = tab

    def compose(self) -> ComposeResult:
        """Head, tabs, list, what happened, log, keys."""
        look = self.session.look
        yield Lines(look, id="head")
        yield Lines(look, id="tabs")
        with Container(id="body"):
            with Container(id="left"):
                yield Lines(look, id="heading")
                yield Rows(look, lambda item, _: item, empty="nothing to show yet", id="rows")
                yield Lines(look, id="happened")
            yield LogPane(look, id="log")
        yield FilterBar()
        yield Keys(
            look,
            (
                "app.back",
                "detail.next",
                "torrent.retry",
                "torrent.pause",
                "torrent.skip",
                "torrent.cancel",
                "torrent.copy",
                "log.open",
                "app.help",
            ),
        )

    def on_mount(self) -> None:
        """The log is this torrent's."""
        self.pane.torrent = self._torrent
        self._place_focus()

    def _place_focus(self) -> None:
        logging = self._tab == "log"
        self.set_class(logging, "-log-tab")
        (self.pane if logging else self.query_one("#rows", Rows)).focus()

    def chosen(self) -> list[MoveView]:
        """This torrent."""
        move = self.session.move(self._torrent)
        return [move] if move else []

    def show(self, snapshot: Snapshot) -> None:
        """Draw the picture of now."""
        del snapshot
        move = self.session.move(self._torrent)
        if move is None:
            self.dismiss()
            return
        look = self.session.look
        detail = self.session.control.detail(self._torrent) or MoveDetail(self._torrent, (), (), (), (), ())
        head = self.query_one("#head", Lines)
        head.show_lines(head_lines(move, head.size.width, look))
        tabs = self.query_one("#tabs", Lines)
        tabs.show_lines([tab_line(self._tab, tabs.size.width)])
        heading = self.query_one("#heading", Lines)
        heading.display = self._tab in _HEADINGS
        heading.show_lines([line(Span("  " + _HEADINGS.get(self._tab, ""), Tone.DIM))])
        rows = self.query_one("#rows", Rows)
        if self._tab != "log":
            lines = tab_lines(self._tab, move, detail, rows.size.width - CHROME, rows.size.height, look)
            rows.pointing = self._tab != "pieces"
            rows.show_rows([ListRow((self._tab, index), one) for index, one in enumerate(lines)])
        self._show_happened(move)
        self.show_log()
        self.query_one(Keys).show()

    def _show_happened(self, move: MoveView) -> None:
        panel = self.query_one("#happened", Lines)
        width = panel.size.width or self.size.width
        lines = trouble_lines(move, width, self.session.look)
        lines.append(now_line(move))
        panel.styles.height = len(lines)
        panel.show_lines(lines)

    def action_turn(self, by: int) -> None:
        """The next tab, or the previous one."""
        self.action_tab(TABS[(TABS.index(self._tab) + by) % len(TABS)])

    def action_tab(self, tab: str) -> None:
        """That tab."""
        self._tab = tab
        self._place_focus()
        self.draw()
        self.call_after_refresh(self.draw)

    def action_only(self) -> None:
        """This torrent's lines, or all."""
        self.pane.only(None if self.pane.torrent else self._torrent)

    def back_out(self) -> bool:
        """Escape ends the filter of the log."""
        return self.pane.end_filter()

    def action_filter(self) -> None:
        """Find in the log."""
        self.query_one(FilterBar).open(self.pane.query_text.text)

    @on(FilterBar.Filtered)
    def _filtered(self, event: FilterBar.Filtered) -> None:
        self.pane.find(event.query)

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self._place_focus()

    def find(self, text: str) -> None:
        """Show only log lines that match."""
        self.pane.find(Query(text))
