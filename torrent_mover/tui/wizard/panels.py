"""What the wizard draws: lines of ink from the desk. Names of torrents, categories and trackers are data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from torrent_mover.domain.categorizing import CategoryShelf, Change, Fate, RuleSet, SortState, Unsorted
from torrent_mover.domain.rules import Rule
from torrent_mover.domain.text import counted, safe
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import (
    BLANK,
    ROOMY,
    Line,
    Part,
    Span,
    Tone,
    left,
    line,
    prose,
    right,
    rule,
    squeeze,
    wrap,
)
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.rows import CHROME
from torrent_mover.tui.wizard.desk import Desk, Remember

_COUNT_CELLS = 16
_HITS_CELLS = 14
_SIZE_CELLS = 10
_PICKED_BY_DIGIT = 9
NONE = "(none)"


def named(category: str) -> str:
    """A category for people."""
    return safe(category) or NONE


def head_line(desk: Desk, width: int) -> Line:
    """Which client, which category, and how far we are."""
    draft = desk.draft
    category = f", category: {named(draft.category)}" if draft else ""
    start = [
        Part(line(" ", Span("Categorise", Tone.STRONG)), 3),
        Part(line(f"{left(safe(desk.place) + category, min(60, max(20, width - 46))).rstrip()}")),
    ]
    if draft is None:
        return squeeze(start, [], width)
    end = [
        Part(line(f"{desk.count(SortState.OPEN)} of {len(draft.candidates)} left")),
        Part(line(Span(f"{desk.count(SortState.BY_RULE)} auto", Tone.DIM)), 1),
        Part(line(Span(f"{desk.count(SortState.IGNORED)} ignored ", Tone.DIM)), 2),
    ]
    return squeeze(start, end, width)


def torrent_lines(candidate: Unsorted, desk: Desk, width: int) -> list[Line]:
    """Name, facts, trackers."""
    look, torrent = desk.look, candidate.torrent
    facts = [
        Part(line(f" {fmt.size(torrent.size, look.units)}")),
        Part(line(Span(f"added {fmt.ago(desk.at - torrent.added_on)} ago", Tone.DIM)), 2),
        Part(line(left(safe(str(torrent.save_path)), width // 2).rstrip()), 1),
    ]
    if torrent.tags:
        facts.append(Part(line(Span(f"tags: {safe(', '.join(torrent.tags))}", Tone.DIM)), 3))
    return [
        rule("Torrent", torrent.id.short, width, look.glyphs.rule),
        line(" ", Span(left(safe(torrent.name), width - 2), Tone.STRONG)),
        squeeze(facts, [], width),
        _tracker_line(candidate, look, width),
    ]


def _tracker_line(candidate: Unsorted, look: Look, width: int) -> Line:
    parts = [Part(line(Span(" Trackers", Tone.DIM)))]
    for number, tracker in enumerate(candidate.trackers):
        glyph, tone = (look.glyphs.running, Tone.GOOD) if tracker.working else (look.glyphs.queued, Tone.DIM)
        word = "working" if tracker.working else "off"
        name = left(tracker.host, min(40, width // 2)).rstrip()
        parts.append(Part(line(f"{name} ", Span(f"{glyph} {word}", tone)), number))
    if not candidate.trackers:
        parts.append(Part(line(Span("none", Tone.DIM))))
    return squeeze(parts, [], width, 2)


def put_line(desk: Desk, filtered: str, width: int) -> Line:
    """The heading of the categories."""
    end = f"shows {safe(filtered)}" if filtered else "/ filters"
    return rule("Put it in", end, width, desk.look.glyphs.rule)


def choice_line(number: int, shelf: CategoryShelf, reason: str, width: int) -> Line:
    """One category: its number, name, how full it is, and why it is suggested."""
    digit = str(number) if number <= _PICKED_BY_DIGIT else ""
    room = max(10, min(48, width - _COUNT_CELLS - 42))
    return line(
        Span(f" {digit:>1}  ", Tone.KEY),
        left(safe(shelf.category), room),
        Span(right(_torrents(shelf.count), _COUNT_CELLS), Tone.DIM),
        Span(f"   {prose(reason, max(0, width - room - _COUNT_CELLS - 7))}", Tone.GOOD),
    )


def _torrents(count: int) -> str:
    return counted(count, "torrent") + (" " if count == 1 else "")


def remember_lines(desk: Desk, width: int) -> list[Line]:
    """The three ways, and for which domain."""
    glyphs = desk.look.glyphs
    lines = [rule("Remember", "r changes, t another domain", width, glyphs.rule)]
    if not desk.domain:
        return [*lines, _way(desk, Remember.ONCE, "Only this torrent: it has no tracker to remember", "")]
    others = len(desk.covered(Remember.TRACKER)) - 1
    more = f"{others} more in this list match{'es' if others == 1 else ''}"
    domain = left(desk.domain, width - 50).rstrip()
    return [
        *lines,
        _way(desk, Remember.TRACKER, f"Always for  {domain}", more),
        _way(desk, Remember.ONCE, "Only this torrent", ""),
        _way(desk, Remember.IGNORE, "Ignore this tracker (never move, never touch)", ""),
    ]


def _way(desk: Desk, way: Remember, text: str, end: str) -> Line:
    chosen = desk.remembered is way
    mark = Span(f" ({desk.look.glyphs.mark if chosen else ' '}) ", Tone.ACCENT if chosen else Tone.DIM)
    action = f"screen.remember_as('{way.value}')"
    return line(
        mark, Span(text, Tone.PLAIN if chosen else Tone.DIM, action), Span(f"   {end}" if end else "", Tone.DIM)
    )


def covered_lines(desk: Desk, width: int, most: int) -> list[Line]:
    """The torrents that the choice would decide, and what they are now; the heading and at most `most` lines."""
    fates = desk.covered(desk.remembered)
    title = "This choice covers" if desk.remembered is Remember.ONCE else "This rule covers"
    shown = fates if len(fates) <= most else fates[: max(1, most - 1)]
    more = len(fates) - len(shown)
    lines = [covered_heading(title, fates, "c shows all" if more else "", desk, width)]
    lines += [line(" ", fate_line(fate, desk, width - CHROME)) for fate in shown]
    if more and most > 1:
        lines.append(line("  ", Span(f"and {more} more: c shows all", Tone.ACCENT, "screen.covered")))
    return lines


def covered_heading(title: str, fates: Sequence[Fate], end: str, desk: Desk, width: int) -> Line:
    """How many torrents, and how large they are together."""
    size = fmt.size(sum(fate.candidate.torrent.size for fate in fates), desk.look.units)
    return rule(f"{title} {counted(len(fates), 'torrent')}, {size}", end, width, desk.look.glyphs.rule)


def _fate_columns(width: int) -> tuple[int, int, int]:
    """Cells of the name, of the category, and of what was decided about it before."""
    category = min(30, max(12, width // 6))
    decided = min(48, width // 4) if width + CHROME >= ROOMY else 0
    return width - _SIZE_CELLS - category - decided - 6, category, decided


def fates_heading(width: int) -> Line:
    """The names of the columns of `fate_line`."""
    name, category, decided = _fate_columns(width)
    return line(
        Span(
            f" {left('Torrent', name)}{right('Size', _SIZE_CELLS)}   {left('Category now', category)}"
            f"  {left('Decided before', decided)}",
            Tone.DIM,
        )
    )


def fate_line(fate: Fate, desk: Desk, width: int) -> Line:
    """One torrent, its size, the category it has now, and, where there is room, what would be done with it otherwise."""
    name, category, decided = _fate_columns(width)
    torrent = fate.candidate.torrent
    return line(
        " ",
        left(safe(torrent.name), name),
        Span(right(fmt.size(torrent.size, desk.look.units), _SIZE_CELLS), Tone.DIM),
        "   ",
        left(named(torrent.category), category),
        "  ",
        Span(left(_decided(fate, desk), decided), Tone.DIM),
    )


def _decided(fate: Fate, desk: Desk) -> str:
    if fate.standing is SortState.OPEN:
        return ""
    goal = f" {_arrow(desk).text} {safe(fate.category)}" if fate.category else ""
    return f"{fate.rule.domain if fate.rule else fate.standing.value}{goal}"


def preview_lines(desk: Desk, category: str, width: int) -> list[Line]:
    """What the choice would do; where none is chosen, how to choose."""
    lines = [rule("Preview", "", width, desk.look.glyphs.rule)]
    current = desk.current
    if current is None:
        return lines
    if desk.remembered is Remember.IGNORE:
        count = len(desk.covered(Remember.IGNORE))
        text = f"{counted(count, 'torrent')} left as before, now and always; rule written to tracker_rules.json"
        return [*lines, line(f" {text}")]
    if not category:
        lines.append(line(Span(f" {prose(desk.how_to_choose(), width - 2)}", Tone.ACCENT)))
        return [*lines, line(Span(" Nothing is written before you have seen all of it and pressed w.", Tone.DIM))]
    concerned = desk.covered(desk.remembered)
    kept = "rule written to tracker_rules.json" if desk.remembered is Remember.TRACKER else "no rule"
    room = max(10, (width - 62) // 2 + 6)
    what = squeeze(
        [
            Part(line(" category  ", left(named(current.torrent.category), room).rstrip(), " ", _arrow(desk), " ",
                      Span(left(safe(category), room).rstrip(), Tone.STRONG))),
            Part(line(counted(len(concerned), "torrent"))),
            Part(line(Span(kept, Tone.DIM)), 1),
        ],
        [],
        width,
    )  # fmt: skip
    return [*lines, what, _management(sum(one.candidate.torrent.auto_managed for one in concerned), width)]


def _arrow(desk: Desk) -> Span:
    return Span("->" if desk.look.ascii else "→", Tone.ACCENT)


def _management(managed: int, width: int) -> Line:
    if not managed:
        return line(Span(" Files stay where they are.", Tone.DIM))
    text = f" Automatic management is switched off for {managed}: files stay where they are."
    return line(Span(prose(text, width), Tone.WARN))


def idle_lines(desk: Desk, width: int) -> list[Line]:
    """In place of a torrent, where none waits."""
    assert desk.draft is not None  # noqa: S101  its caller looked
    category = named(desk.draft.category)
    if not desk.draft.candidates:
        text = f"No completed torrent at {safe(desk.place)} is in the category {category}. Another one: --category CAT"
    elif desk.pending:
        text = "Every torrent is decided. a shows what will change, and w writes it there; u takes the last step back."
    else:
        text = "Every torrent is decided, and nothing changes. q leaves; u takes the last step back."
    return [BLANK, *(line(f" {piece}") for piece in wrap(text, width - 2))]


def rule_line(one: Rule, hits: int, width: int) -> Line:
    """One rule of the list."""
    room = max(20, (width - _HITS_CELLS - 4) // 2)
    tone = Tone.WARN if one.ignores else Tone.PLAIN
    return line(
        " ",
        left(one.domain, room),
        "  ",
        Span(left(safe(one.category), width - room - _HITS_CELLS - 4), tone),
        Span(right(str(hits), _HITS_CELLS), Tone.DIM),
    )


def rules_heading(width: int) -> Line:
    """The names of the columns."""
    room = max(20, (width - _HITS_CELLS - 4) // 2)
    category = left("Category", width - room - _HITS_CELLS - 4)
    return line(
        Span(f" {left('Domain and its subdomains', room)}  {category}{right('Torrents', _HITS_CELLS)}", Tone.DIM)
    )


def change_line(change: Change, desk: Desk, width: int) -> Line:
    """One torrent of the last page: the new category and who asks for it. With room, its size and its category now.

    That one is the same for all of them: the first line of the screen has it in any case.
    """
    by = change.rule.domain if change.rule else "by hand"
    wide = width + CHROME >= ROOMY
    room = max(12, width // (7 if wide else 5))
    size = right(fmt.size(change.torrent.size, desk.look.units), _SIZE_CELLS) if wide else ""
    now = left(named(change.torrent.category), room) if wide else ""
    name = width - (3 if wide else 2) * room - len(size) - 6
    return line(
        " ",
        left(safe(change.torrent.name), name),
        Span(f"{size}  ", Tone.DIM),
        now,
        _arrow(desk),
        " ",
        Span(left(safe(change.category), room), Tone.STRONG),
        " ",
        Span(left(by, room - 1), Tone.DIM),
    )


def rule_change_line(change: RuleSet, desk: Desk, width: int) -> Line:
    """One rule of the last page: what it becomes, what it was, and how many torrents it covers then."""
    draft = desk.draft
    assert draft is not None  # noqa: S101  its caller looked
    before = next((one.category for one in draft.saved if one.domain == change.domain), None)
    was = "new" if before is None else f"was {safe(before)}"
    count = sum(one.rule is not None and one.rule.domain == change.domain for one in desk.fates)
    room, old = max(12, width // 5), max(12, width // 6)
    return line(
        Span(" rule ", Tone.ACCENT),
        left(change.domain, width - room - old - _HITS_CELLS - 9),
        " ",
        _arrow(desk),
        " ",
        Span(left("deleted" if change.category is None else safe(change.category), room), Tone.STRONG),
        Span(left(was, old), Tone.DIM),
        Span(right(_torrents(count), _HITS_CELLS), Tone.DIM),
    )


def review_lines(desk: Desk, width: int, most: int) -> list[Line]:
    """How many torrents go where, `most` lines of it, and what happens to their files; the list below has every one."""
    changes = desk.changes()
    lines: list[Line] = []
    counts = Counter(change.category for change in changes)
    for category, count in counts.most_common():
        room = min(48, width - 24)
        lines.append(
            line(Span(right(_torrents(count), 16), Tone.DIM), "  ", _arrow(desk), " ", left(safe(category), room))
        )
    if len(lines) > most:
        lines = [*lines[: most - 1], line(Span(f"{'':>18}and {len(lines) - most + 1} more", Tone.DIM))]
    lines.append(_management(sum(change.torrent.auto_managed for change in changes), width))
    return lines
