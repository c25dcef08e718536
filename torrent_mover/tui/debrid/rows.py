"""The rows of debrid accounts: findings with what would be done, repairs, retries, links that were set aside."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeAlias

from torrent_mover.domain.report.debrid import (
    DebridAccountView,
    DebridFindingView,
    DebridRepairView,
    DebridRetryView,
    SetAsideView,
)
from torrent_mover.domain.text import counted, safe
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import Line, Span, Tone, left, line, prose, right
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import ListRow

_STATE, _WHAT, _WHEN = 10, 23, 12  # cells
_LEAST_WHY, _WHY_TENTHS = 20, 4
_LABEL = 13

DebridItem: TypeAlias = DebridFindingView | DebridRepairView | DebridRetryView | SetAsideView


class DebridList(Enum):
    """What the list shows."""

    FOUND = "found"
    PLAN = "plan"
    REPAIRS = "repairs"
    RETRIES = "retries"
    ASIDE = "aside"


_HEADINGS: Final = {
    DebridList.FOUND: ("Finding", "Since", "What would be done, or why not"),
    DebridList.PLAN: ("Finding", "Since", "What would be done"),
    DebridList.REPAIRS: ("Stage", "Changed", "What came of it"),
    DebridList.RETRIES: ("Tries", "Due", "Why"),
    DebridList.ASIDE: ("", "When", "Why"),
}


def rows_of(accounts: Sequence[DebridAccountView], which: DebridList) -> list[ListRow]:
    """The rows of that list."""
    return [ListRow((item.account, _key(item)), item) for account in accounts for item in _items(account, which)]


def _items(account: DebridAccountView, which: DebridList) -> Sequence[DebridItem]:
    match which:
        case DebridList.FOUND:
            return account.findings
        case DebridList.PLAN:
            begun = [repair for repair in account.repairs if repair.open]
            return (*begun, *(finding for finding in account.findings if finding.ready))
        case DebridList.REPAIRS:
            return account.repairs
        case DebridList.RETRIES:
            return account.retries
        case DebridList.ASIDE:
            return account.aside


def _key(item: DebridItem) -> str:
    return item.key if isinstance(item, SetAsideView) else item.id.hex


def finds(query: Query, item: object) -> bool:
    """Whether a row matches: by name, hash, `fault:`, `account:` or `state:`."""
    return isinstance(item, DebridItem) and query.finds_what(lambda term: _holds(item, term))


def _holds(item: DebridItem, term: str) -> bool:
    field, colon, value = term.partition(":")
    if colon and field == "fault":
        return value in _what(item)
    if colon and field == "account":
        return value in item.account.casefold()
    if colon and field == "state":
        return value in state(item)[1]
    return term in item.name.casefold() or item.id.hex.startswith(term) or term in _what(item)


def state(item: DebridItem) -> tuple[Tone, str]:
    """How it stands, in a word: (WARN, `proven`)."""
    match item:
        case DebridFindingView():
            return (Tone.WARN, "proven") if item.proof else (Tone.DIM, "suspect")
        case DebridRepairView():
            if item.open:
                return Tone.ACCENT, "repairing"
            return (Tone.GOOD, "done") if item.went_well else (Tone.BAD, "failed")
        case DebridRetryView():
            return (Tone.BAD, "given up") if item.given_up else (Tone.ACCENT, "waits")
        case SetAsideView():
            return Tone.ACCENT, "set aside"


def _what(item: DebridItem) -> str:
    match item:
        case DebridFindingView():
            return item.fault
        case DebridRepairView():
            moving = item.open and 0 < item.progress < 1
            return f"{item.stage} {fmt.percent(item.progress)}" if moving else item.stage
        case DebridRetryView():
            return f"{item.tries} of {item.most}"
        case SetAsideView():
            return ""


def _when(item: DebridItem) -> float:
    match item:
        case DebridFindingView():
            return item.since
        case DebridRepairView():
            return item.changed_at
        case DebridRetryView():
            return item.due
        case SetAsideView():
            return item.at


def reason(item: DebridItem) -> tuple[Tone, str]:
    """What becomes of it, or why, in a line."""
    match item:
        case DebridFindingView():
            if item.against:
                return Tone.DIM, f"not now: {item.against}"
            if item.would:
                return Tone.WARN, f"{item.would}: {item.proof}"
            return Tone.PLAIN, "only reported: the settings want nothing done"
        case DebridRepairView():
            if item.went_well:
                return Tone.GOOD, f"{item.files}/{item.files} files proven"
            return (Tone.PLAIN if item.open else Tone.BAD), item.trouble or counted(item.files, "file")
        case DebridRetryView() | SetAsideView():
            return Tone.PLAIN, item.reason


def _widths(width: int) -> tuple[int, int]:
    """Cells of the name and of the last column."""
    last = max(_LEAST_WHY, width * _WHY_TENTHS // 10)
    return max(8, width - _STATE - _WHAT - _WHEN - 2 - last), last


def rows_heading(which: DebridList, width: int, found: str) -> Line:
    """The names of the columns. `found`: what a filter says instead of the first."""
    name, last = _widths(width)
    what, when, why = _HEADINGS[which]
    words = f"{'State':<{_STATE}}{what:<{_WHAT}}{'Link' if which is DebridList.ASIDE else 'Torrent'}"
    first = left(found or words, _STATE + _WHAT + name)
    return line(Span(f"{first}{right(when, _WHEN)}  {left(why, last)}", Tone.DIM))


def row_line(item: object, at: float, width: int) -> Line:
    """One row."""
    if not isinstance(item, DebridItem):
        return line()
    name, last = _widths(width)
    tone, word = state(item)
    tone_why, why = reason(item)
    return line(
        Span(left(word, _STATE), tone), left(_what(item), _WHAT), left(safe(item.name), name),
        Span(right(fmt.day_and_time(_when(item), at), _WHEN) + "  ", Tone.DIM),
        Span(prose(safe(why), last), tone_why),
    )  # fmt: skip


def selected_lines(item: object, at: float, width: int) -> list[Line]:
    """All that is known of the chosen row, what matters most first."""
    if not isinstance(item, DebridItem):
        return []
    lines = [line(Span(prose(safe(item.name), max(width - 10, 1)), Tone.STRONG), Span(f" {item.id.short}", Tone.DIM))]
    tone, why = reason(item)
    facts = [("outlook", why, tone), *((label, text, Tone.PLAIN) for label, text in _facts(item, at) if text)]
    for label, text, shade in facts:
        lines.append(line(Span(f"{label:<{_LABEL}}", Tone.DIM), Span(prose(safe(text), max(width - _LABEL, 1)), shade)))
    return lines


def _facts(item: DebridItem, at: float) -> list[tuple[str, str]]:
    when = fmt.day_and_time(_when(item), at)
    match item:
        case DebridFindingView():
            seen = f"{item.fault}, since {when}, seen {counted(item.looks, 'time')}"
            facts = [("finding", seen), ("proven by", item.proof), ("service says", item.said)]
            facts += [("broken link", link) for link in item.links]
        case DebridRepairView():
            began = fmt.day_and_time(item.began_at, at)
            facts = [("stage", f"{_what(item)}, {counted(item.files, 'file')}, began {began}")]
            facts += [("entries", f"old {item.old or 'gone'}, new {item.new or 'none'}"), ("trouble", item.trouble)]
        case DebridRetryView():
            due = "never: given up; r tries it again" if item.given_up else f"{when}, {_what(item)} tries"
            facts = [("due", due)]
        case SetAsideView():
            facts = [("was at", item.path), ("id", f"{item.key}, {when}; u puts it back")]
    return [*facts, ("account", item.account)]
