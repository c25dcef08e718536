"""The history: what was moved before, how fast, and what did not work."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from torrent_mover.domain.move import HistoryEntry, Outcome
from torrent_mover.domain.report.narrate import ended_well
from torrent_mover.domain.report.snapshot import HistoryView, Snapshot
from torrent_mover.domain.text import cause_first, counted, duration, safe
from torrent_mover.domain.torrent.attributes import BETWEEN_LOST
from torrent_mover.tui.moving.move_table import TABLE_FROM
from torrent_mover.tui.shell import bindings, graph
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ask import AskLine
from torrent_mover.tui.shell.base import ScreenView
from torrent_mover.tui.shell.export import write_history
from torrent_mover.tui.shell.filter_bar import FilterBar
from torrent_mover.tui.shell.header import Header, view_line
from torrent_mover.tui.shell.ink import Line, Span, Tone, left, line, prose, right, rule, wrap
from torrent_mover.tui.shell.keys import Keys
from torrent_mover.tui.shell.lines import Lines
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import CHROME, ListRow, Rows
from torrent_mover.tui.shell.session import ScreenSession

_WEEK = 7 * 86400
_BROADEST, _GAP_FROM = 16, 4  # dots of the column of one run; from how many on columns stand apart
_RESULT = {Outcome.MOVED: "moved", Outcome.COPIED: "copied, source kept", Outcome.FAILED: "failed"}


def _result(entry: HistoryEntry, look: Look) -> Span:
    glyphs = look.glyphs
    if entry.outcome is Outcome.FAILED:
        return Span(f"{glyphs.bad} {safe(cause_first(entry.detail)) or 'failed'}", Tone.BAD)
    word = _RESULT[entry.outcome]
    if not entry.confirmed:
        return Span(f"{glyphs.warn} deletion not confirmed", Tone.WARN)
    fixed = f", {counted(entry.repaired, 'piece')} fixed" if entry.repaired else ""
    return Span(f"{glyphs.good} {word}{fixed}", Tone.GOOD)


def _cells(width: int) -> tuple[int, int, int]:
    """Cells of name, duration and result."""
    took = 9 if width >= TABLE_FROM else 0
    result = max(20 if took else 14, width // 4)
    return width - result - took - 29, took, result


def history_heading(width: int) -> Line:
    """The names of the columns."""
    name, took, result = _cells(width)
    numbers = f"{'Size':>11}{right('Took', took)}"
    return line(Span(f" {left('When', 13)} {left('Torrent', name)}{numbers}   {left('Result', result)}", Tone.DIM))


def summary(past: HistoryView, at: float, look: Look) -> str:
    """The last seven days in one phrase."""
    week = [entry for entry in past.entries if at - entry.ended_at < _WEEK]
    good = [entry for entry in week if entry.outcome is not Outcome.FAILED]
    copied = sum(entry.outcome is Outcome.COPIED for entry in good)
    sent, took = sum(entry.sent for entry in good), sum(entry.took for entry in good)
    average = f", average {fmt.rate(sent / took, look.units)}" if took else ""
    size = fmt.size(sum(entry.size for entry in good), look.units)
    return f"last 7 days: {ended_well(len(good) - copied, copied)}, {size}{average}, {len(week) - len(good):,} failed"


def rates_lines(past: HistoryView, width: int, height: int, look: Look) -> list[Line]:
    """The rates of past runs, one column a run, newest at the right."""
    inner = max(1, width - 8)
    dots = inner * graph.samples_per_cell(look.graph)
    rates = [rate for _, rate in past.run_rates][-dots:]
    top = graph.ladder(max(rates, default=0.0))
    picture = graph.rows(look.graph, _columns(rates, dots), top, inner, max(1, height))
    ticks = {0: fmt.compact(top, look.units), height - 1: "0"}
    return [
        line(Span(right(ticks.get(index, ""), 6), Tone.DIM), Span(look.glyphs.axis, Tone.TRACK), Span(row, Tone.IN))
        for index, row in enumerate(picture)
    ]


def _columns(rates: list[float], dots: int) -> list[float]:
    """Few runs are broad columns with a gap between them, many are one dot each."""
    broad = min(_BROADEST, dots // max(1, len(rates)))
    if broad < _GAP_FROM:
        return rates
    return [value for rate in rates for value in (*[rate] * (broad - 2), 0.0, 0.0)][:-2]


def carried_not(text: str, look: Look) -> str:
    """`uploaded=65713211801 ratio=1.84; its tags (x)` as people read it; what is nothing is left out."""
    numbers, *words = text.split(BETWEEN_LOST)
    said = []
    for name, _, value in (word.partition("=") for word in numbers.split()):
        number = float(value) if value.replace(".", "", 1).isdigit() else None
        if number is None:
            said.append(f"{name} {value}".strip())
        elif number and name.endswith("_on"):
            said.append(f"{name[:-3]} {datetime.fromtimestamp(number, UTC).astimezone():%Y-%m-%d}")
        elif number:
            in_words = {"uploaded": fmt.size, "downloaded": fmt.size}.get(name)
            shown = in_words(number, look.units) if in_words else fmt.ago(number) if name.endswith("time") else value
            said.append(f"{name.replace('_', ' ')} {shown}")
    return ", ".join((*said, *words))


class History(ScreenView):
    """A list, a graph, and the whole story of the chosen entry."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings.HISTORY, *bindings.FILTER]

    def __init__(self, session: ScreenSession) -> None:
        super().__init__(session)
        self._query = Query()
        self._past = HistoryView((), ())
        self._graph = True

    def compose(self) -> ComposeResult:
        """Header, list, graph, story, keys."""
        look = self.session.look
        yield Header(look)
        yield Lines(look, id="views")
        yield Lines(look, id="heading")
        yield Rows(look, self._draw, empty="nothing was moved yet", id="entries")
        yield FilterBar()
        yield Lines(look, id="rates")
        yield Lines(look, id="story")
        yield Keys(
            look,
            (
                "app.back",
                "history.again",
                "history.handled",
                "history.copy",
                "history.export",
                "list.filter",
                "history.graph",
                "app.quit",
                "app.help",
            ),
        )

    def on_mount(self) -> None:
        """Read the journal once; events bring the rest."""
        self.query_one("#entries", Rows).focus()
        self.refresh_history()

    def refresh_history(self) -> None:
        """Something ended: read again."""
        self._past = self.session.control.history()
        self.draw()

    def idle_keys(self) -> frozenset[str]:
        """Nothing can be done about what ended well."""
        entry = self._entry()
        failed = entry is not None and entry.outcome is Outcome.FAILED
        return super().idle_keys() | (frozenset() if failed else {"history.again", "history.handled"})

    def _draw(self, entry: HistoryEntry, width: int) -> Line:
        look = self.session.look
        name, took, result = _cells(width)
        ended = _result(entry, look)
        return line(
            Span(" " + left(fmt.day_and_time(entry.ended_at, self.session.snapshot.at), 13) + " ", Tone.DIM),
            left(safe(entry.name), name),
            right(fmt.size(entry.size, look.units), 11),
            right(duration(entry.took), took),
            "   ",
            Span(prose(ended.text, result), ended.tone),
        )

    def show(self, snapshot: Snapshot) -> None:
        """Draw the picture of now."""
        look = self.session.look
        self.query_one(Header).show(snapshot)
        views = self.query_one("#views", Lines)
        rows = self.query_one("#entries", Rows)
        self.query_one("#heading", Lines).show_lines(
            [
                line(Span(f" {summary(self._past, snapshot.at, look)}")),
                line(" ", history_heading(rows.size.width - CHROME)),
            ]
        )
        entries = [
            entry
            for entry in self._past.entries
            if not self._query or self._query.finds(f"{entry.name} {entry.id.hex} {entry.outcome.value} {entry.detail}")
        ]
        found = Span(f"{self._query.told}: {len(entries):,} of " if self._query else "", Tone.ACCENT)
        said = line(found, Span(f"{len(self._past.entries):,} ended ", Tone.DIM))
        views.show_lines([view_line("history", views.size.width, said)])
        empty = "nothing matches; escape ends the filter" if self._query else "nothing was moved yet"
        rows.show_rows([ListRow((entry.id, entry.ended_at), entry) for entry in entries], empty)
        self._show_graph(look)
        self._show_story()
        self.query_one(Keys).show()

    def _show_graph(self, look: Look) -> None:
        panel = self.query_one("#rates", Lines)
        hidden = not (self._graph and self._past.run_rates)
        if self.has_class("-no-graph") != hidden:
            self.set_class(hidden, "-no-graph")
            self.call_after_refresh(self.draw)
        width, height = panel.size
        if height > 1:
            title = rule("rate of each run", "newest at the right", width, look.glyphs.rule)
            panel.show_lines([title, *rates_lines(self._past, width, height - 1, look)])

    def _entry(self) -> HistoryEntry | None:
        row = self.query_one("#entries", Rows).current
        return row.item if row else None

    def _show_story(self) -> None:
        panel = self.query_one("#story", Lines)
        entry = self._entry()
        if entry is None:
            panel.show_lines([])
            return
        look, width = self.session.look, panel.size.width
        lines = [rule(left(safe(entry.name), max(8, width - 30)).rstrip(), entry.id.short, width, look.glyphs.rule)]
        facts = [f"{fmt.size(entry.sent, look.units)} sent"]
        facts += [f"{fmt.size(entry.reused, look.units)} there already"] if entry.reused else []
        facts += [fmt.rate(entry.rate, look.units)] if entry.rate and entry.outcome is not Outcome.FAILED else []
        facts += [f"{counted(entry.pieces, 'piece')} proven"] if entry.pieces else []
        facts += [f"{entry.repaired} repaired"] if entry.repaired else []
        facts += [f"run {safe(entry.run)}"] if entry.run else []
        lines += [line(f" {one}") for one in wrap(", ".join(facts), width - 2)]
        lost = carried_not(entry.not_carried, look)
        for text in (entry.detail, lost and f"Not carried over: {lost}"):
            lines += [line(Span(f" {one}", Tone.DIM)) for one in wrap(safe(text), width - 2) if text]
        panel.show_lines(lines[: panel.size.height])

    @on(Rows.Moved, "#entries")
    def _moved(self) -> None:
        self._show_story()
        self.query_one(Keys).show()

    def action_again(self) -> None:
        """Try a failed one again."""
        entry = self._entry()
        if entry is None or entry.outcome is not Outcome.FAILED:
            self.say("This one did not fail.")
            return
        self.session.control.retry(entry.id)
        self.say(f"Tries again: {entry.name}")

    def action_handled(self) -> None:
        """Somebody has dealt with this failure."""
        entry = self._entry()
        if entry is None or entry.outcome is not Outcome.FAILED:
            self.say("This one did not fail.")
            return
        self.session.control.dismiss(entry.id)
        self.say(f"Marked as handled: {entry.name}")

    def action_graph(self) -> None:
        """Show or hide the graph."""
        self._graph = not self._graph
        self.draw()

    def action_copy(self) -> None:
        """Copy something of the chosen entry."""
        entry = self._entry()
        if entry:
            texts = [("hash", entry.id.hex), ("name", entry.name)]
            self.copy_one_of(texts + ([("result", entry.detail)] if entry.detail else []))

    def action_export(self) -> None:
        """Ask for a file name and write."""
        past = self._past

        def answered(text: str | None) -> None:
            if not text:
                return
            try:
                write_history(past, _expanded(text))
            except OSError as error:
                self.say(f"{text}: {error.strerror}", bad=True)
            else:
                self.say(f"Wrote {'1 entry' if len(past.entries) == 1 else f'{len(past.entries):,} entries'} to {text}")

        hint = ".csv or .json says which; a file that exists is not overwritten"
        self.app.push_screen(
            AskLine(self.session, "Export to", hint, "torrent-mover-history.csv", _wrong_file), answered
        )

    def back_out(self) -> bool:
        """Escape ends the filter."""
        if not self._query:
            return False
        self._query = Query()
        self.draw()
        return True

    def action_filter(self) -> None:
        """Type what to show."""
        self.query_one(FilterBar).open(self._query.text)

    @on(FilterBar.Filtered)
    def _filtered(self, event: FilterBar.Filtered) -> None:
        self._query = event.query
        self.draw()

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self.query_one("#entries", Rows).focus()


def _expanded(text: str) -> Path:
    return Path(os.path.expanduser(text))  # noqa: PTH111  Path's own raises for a user without a home


def _wrong_file(text: str) -> str:
    path = _expanded(text)
    if path.suffix not in (".csv", ".json"):
        return "The name ends in .csv or .json"
    if path.exists():
        return f"{text} exists already"
    return "" if path.parent.is_dir() else f"There is no folder {path.parent}"
