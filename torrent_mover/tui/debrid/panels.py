"""What stands around the rows: header, accounts, the red strip where somebody is needed, and the last repairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from torrent_mover.domain.report.debrid import DebridAccountView, DebridPhase, DebridSnapshot
from torrent_mover.domain.text import counted, safe, shorten
from torrent_mover.tui.debrid.rows import DebridList, reason, rows_of
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import BLANK, ROOMY, Line, Part, Span, Tone, line, prose, rule, squeeze, wrap
from torrent_mover.tui.shell.look import Look

_NAME_CELLS: Final = 24
_DAY: Final = 86400.0
_PREMIUM_SOON: Final = 7 * _DAY
_PHASE_TONES: Final = {
    DebridPhase.ABSENT: Tone.DIM,
    DebridPhase.WORKING: Tone.GOOD,
    DebridPhase.WAITING: Tone.GOOD,
    DebridPhase.RESTARTING: Tone.WARN,
    DebridPhase.PARKED: Tone.BAD,
    DebridPhase.PAUSED: Tone.WARN,
    DebridPhase.STUCK: Tone.BAD,
    DebridPhase.ENDED: Tone.DIM,
}
LISTS: Final = (
    ("found", "1 Found"),
    ("plan", "2 Plan"),
    ("repairs", "3 Repairs"),
    ("retries", "4 Retries"),
    ("aside", "5 Set aside"),
    ("log", "6 Log"),
)


def header_line(snapshot: DebridSnapshot, account: DebridAccountView | None, width: int, look: Look) -> Line:
    """One line; what matters least goes first where it is narrow."""
    title = line(Span("torrent_mover", Tone.STRONG), Span(f" {shorten(safe(snapshot.version), _NAME_CELLS)}", Tone.DIM))
    accounts = (account,) if account is not None else snapshot.accounts
    which = (
        f"account {shorten(safe(account.name), _NAME_CELLS)}"
        if account is not None
        else counted(len(accounts), "account")
    )
    start = [Part(title, 6), Part(line(Span("debrid ", Tone.DIM), which))]
    if accounts and not any(each.acts for each in accounts):
        start.append(Part(line(Span("only reports", Tone.WARN))))
    if snapshot.needs_somebody:
        start.append(Part(line(Span(f"{look.glyphs.alarm} {snapshot.needs_somebody}", Tone.BAD, "app.alarms"))))
    end = [Part(line(Span("torrents ", Tone.DIM), f"{sum(each.total for each in accounts):,} "), 5)]
    return line(" ", squeeze(start, end, width - 1, 3 if width >= ROOMY else 2))


def list_names(accounts: Sequence[DebridAccountView]) -> tuple[tuple[str, str], ...]:
    """The lists with how much there is in each."""
    counts = {which.value: len(rows_of(accounts, which)) for which in DebridList}
    return tuple((name, f"{label} {counts[name]:,}" if counts.get(name) else label) for name, label in LISTS)


def account_lines(accounts: Sequence[DebridAccountView], at: float, width: int, look: Look, room: int) -> list[Line]:
    """Two lines an account: standing, slots, traffic, pace; then what is known of its torrents."""
    most = max(room // 2, 1)
    lines = [each for account in accounts[:most] for each in _account(account, at, width, look)]
    if len(accounts) > most:
        lines.append(line(Span(f" and {counted(len(accounts) - most, 'more account')}: T shows them", Tone.DIM)))
    return lines


def _account(account: DebridAccountView, at: float, width: int, look: Look) -> list[Line]:
    bad = account.trouble is not None
    tone = Tone.BAD if bad else _PHASE_TONES[account.phase]
    glyph = look.glyphs.bad if bad else look.glyphs.running
    looked = "never looked" if account.looked_at is None else f"looked {fmt.ago(at - account.looked_at)} ago"
    again = "" if account.next_look_at is None else f", again in {fmt.span(max(account.next_look_at - at, 0.0))}"
    first = [
        Part(line(Span(f"{glyph} {shorten(safe(account.name), _NAME_CELLS)}", tone))),
        Part(line(Span(account.phase.value, tone)), 4),
        Part(line(Span("acts" if account.acts else "only reports", Tone.PLAIN if account.acts else Tone.WARN))),
        Part(_standing(account)),
        Part(_traffic(account, at), 3),
        Part(_pace(account, at), 5),
    ]
    counts = f"{account.suspect:,} suspect, {account.proven:,} proven, {account.repairing:,} repairing, {account.done:,} done"
    scanned = f"full scan {account.seen:,}/{account.total:,}"
    second = [Part(line(f"  {counts}")), Part(line(Span(scanned, Tone.DIM)), 4)]
    return [
        line(" ", squeeze(first, [], width - 1, 2)),
        line(" ", squeeze(second, [Part(line(Span(f"{looked}{again} ", Tone.DIM)), 5)], width - 1, 2)),
    ]


def _standing(account: DebridAccountView) -> Line:
    if not account.good_at:
        return line(Span("standing not known", Tone.DIM))
    tone = Tone.WARN if account.premium < _PREMIUM_SOON else Tone.PLAIN
    slots = "" if account.slots is None else f", slots {account.slots_used}/{account.slots}"
    return line(Span(f"premium {account.premium / _DAY:.0f} d", tone), slots)


def _traffic(account: DebridAccountView, at: float) -> Line:
    if account.parked_until:
        return line(Span(f"traffic used up until {fmt.day_and_time(account.parked_until, at)}", Tone.BAD))
    return line(Span("traffic ok", Tone.DIM))


def _pace(account: DebridAccountView, at: float) -> Line:
    if account.closed_until:
        return line(Span(f"paused for {fmt.span(account.closed_until - at)}", Tone.WARN))
    return line(Span(f"pace {account.pace:.1f}/s" if account.pace is not None else "", Tone.DIM))


def _troubles(accounts: Sequence[DebridAccountView]) -> Iterator[tuple[str, str]]:
    """What needs somebody, and what helps."""
    for account in accounts:
        if account.trouble is not None:
            yield f"{account.trouble.code} {account.name}: {account.trouble.what}".lstrip(), account.trouble.remedy
        for held in account.held:
            what, _, helps = held.partition(". ")
            yield f"{account.name}: {what}: nothing is done", helps


def strip_lines(snapshot: DebridSnapshot, width: int, look: Look, room: int) -> list[Line]:
    """Red where somebody is needed, with why, in at most `room` lines."""
    lines: list[Line] = []
    for what, remedy in _troubles(snapshot.accounts):
        told = " ".join(safe(what).splitlines())
        lines.append(line(Span(f" {look.glyphs.alarm} {prose(told, max(width - 4, 1))}", Tone.BAD)))
        if remedy:
            helps = safe(remedy.splitlines()[0])
            lines.append(line(Span("   What helps: ", Tone.DIM), Span(prose(helps, max(width - 15, 1)), Tone.ACCENT)))
    if len(lines) > room:
        lines = [*lines[: room - 1], line(Span(f" {look.glyphs.alarm} there is more: A shows all", Tone.BAD))]
    return lines


def alarm_texts(snapshot: DebridSnapshot, width: int) -> list[Line]:
    """All of it in full, for the panel."""
    lines: list[Line] = []
    for what, remedy in _troubles(snapshot.accounts):
        lines += [BLANK] if lines else []
        lines += [line(Span(piece, Tone.BAD)) for one in what.splitlines() for piece in wrap(safe(one), width)]
        helps = f"What helps: {remedy}" if remedy else ""
        lines += [line(Span(piece, Tone.ACCENT)) for one in helps.splitlines() for piece in wrap(safe(one), width)]
    return lines or [line(Span("Nothing needs you.", Tone.GOOD))]


def now_line(accounts: Sequence[DebridAccountView], width: int, look: Look) -> Line:
    """`─ 3 findings, a acts on 2 ─`, or that all is well."""
    found = sum(len(account.findings) for account in accounts)
    plan = sum(len(account.plan) for account in accounts)
    title = f"{counted(found, 'finding')}, a acts on {plan}" if found or plan else "nothing is wrong"
    if not found and any(account.looked_at is None for account in accounts):
        title = "nobody has looked yet"
    return rule(title, "", width, look.glyphs.rule)


def past_lines(accounts: Sequence[DebridAccountView], at: float, width: int, room: int) -> list[Line]:
    """The last repairs, in `room` lines."""
    lines = [line(Span("last repairs", Tone.TITLE))]
    repairs = [repair for account in accounts for repair in account.repairs if not repair.open]
    for repair in sorted(repairs, key=lambda each: -each.changed_at):
        tone, why = reason(repair)
        told = f" {fmt.day_and_time(repair.changed_at, at):<12} {repair.stage}: {repair.name}: {why}"
        lines.append(line(Span(prose(safe(told), width), tone)))
    if not repairs:
        lines.append(line(Span(" none yet", Tone.DIM)))
    return lines[:room]
