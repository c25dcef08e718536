"""The rows of health: torrents with what is wrong and what would be done, and actions with what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeAlias

from torrent_mover.domain.report.health import ActView, HealthLoopView, PatientView
from torrent_mover.domain.text import clause, clauses, duration, safe
from torrent_mover.tui.shell import format as fmt
from torrent_mover.tui.shell.ink import Line, Span, Tone, left, line, prose, right
from torrent_mover.tui.shell.look import Look
from torrent_mover.tui.shell.query import Query
from torrent_mover.tui.shell.rows import ListRow

_STATE, _CODE, _LASTED = 8, 15, 12  # cells
_LEAST_WHY, _WHY_TENTHS = 24, 4
_LABEL = 15

Item: TypeAlias = PatientView | ActView


class HealthList(Enum):
    """What the list shows."""

    FOUND = "found"
    DUE = "due"
    HELD = "held"
    ACTIONS = "actions"


def rows_of(loops: Sequence[HealthLoopView], acts: Sequence[ActView], which: HealthList) -> list[ListRow]:
    """The rows of that list."""
    if which is HealthList.ACTIONS:
        names = {loop.name for loop in loops}
        return [ListRow(("act", *act.key), act) for act in acts if act.loop in names]
    patients = [patient for loop in loops for patient in loop.patients if _listed(patient, which)]
    patients.sort(key=lambda each: (not _is_due(each), each.first.since if each.first else 0.0))
    return [ListRow(each.key, each) for each in patients]


def _listed(patient: PatientView, which: HealthList) -> bool:
    if which is HealthList.DUE:
        return _is_due(patient)
    return patient.held_until is not None if which is HealthList.HELD else True


def _is_due(patient: PatientView) -> bool:
    return patient.first is not None and patient.first.due


def finds(query: Query, item: Item) -> bool:
    """Whether a row matches: by name, hash, `code:`, `loop:` or `state:`."""
    return query.finds_what(lambda term: _holds(item, term))


def _holds(item: Item, term: str) -> bool:
    field, colon, value = term.partition(":")
    codes = [item.code] if isinstance(item, ActView) else [each.code for each in item.findings]
    if colon and field == "code":
        return any(value in code for code in codes)
    if colon and field == "loop":
        return value in item.loop.casefold()
    if colon and field == "state":
        return value in state(item)[1]
    return term in item.name.casefold() or item.id.hex.startswith(term) or any(term in code for code in codes)


_ACT_TONES: Final = {"done": Tone.GOOD, "under way": Tone.ACCENT, "undone": Tone.DIM, "dropped": Tone.DIM}


def state(item: Item) -> tuple[Tone, str]:
    """How it stands, in a word: (WARN, `due`)."""
    if isinstance(item, ActView):
        return (Tone.BAD if item.failed else _ACT_TONES.get(item.state, Tone.PLAIN)), item.state
    if item.held_until is not None:
        return Tone.ACCENT, "held"
    first = item.first
    if first is None:
        return Tone.DIM, "beside"
    if not first.due:
        return Tone.DIM, f"{first.strikes}/3"
    return (Tone.WARN, "due") if first.needs > 0 else (Tone.WARN, "now")


def _widths(width: int) -> tuple[int, int]:
    """Cells of the name and of the last column."""
    last = max(_LEAST_WHY, width * _WHY_TENTHS // 10)
    return max(8, width - _STATE - _CODE - _LASTED - 2 - last), last


def rows_heading(which: HealthList, width: int, found: str) -> Line:
    """The names of the columns. `found`: what a filter says instead of the first."""
    name, last = _widths(width)
    acts = which is HealthList.ACTIONS
    words = (f"{'State':<{_STATE}}", f"{'Action' if acts else 'Finding':<{_CODE}}", "Torrent")
    first = left(found or "".join(words), _STATE + _CODE + name)
    time = right("When" if acts else "Lasted", _LASTED)
    return line(Span(f"{first}{time}  {left('Why' if acts else 'What would be done, or why not', last)}", Tone.DIM))


def row_line(item: object, at: float, width: int, acts: frozenset[str]) -> Line:
    """One row. `acts`: the loops that act."""
    name, last = _widths(width)
    if isinstance(item, ActView):
        tone, word = state(item)
        when = fmt.day_and_time(item.at, at)
        return line(
            Span(left(word, _STATE), tone), left(item.action, _CODE), left(safe(item.name), name),
            Span(right(when, _LASTED) + "  ", Tone.DIM),
            Span(prose(safe(item.trouble or item.reason), last), Tone.BAD if item.trouble and item.failed else Tone.DIM),
        )  # fmt: skip
    if not isinstance(item, PatientView):
        return line()
    tone, word = state(item)
    first = item.first
    tone_why, why = outlook(item, at, acts=item.loop in acts)
    return line(
        Span(left(word, _STATE), tone), left(first.code if first else "", _CODE), left(safe(item.name), name),
        Span(right(_lasted(item), _LASTED) + "  ", Tone.DIM), Span(prose(safe(why), last), tone_why),
    )  # fmt: skip


def _lasted(item: PatientView) -> str:
    first = item.first
    if first is None or first.needs <= 0:
        return ""
    return f"{_span(first.lasted)} of {_span(first.needs)}"


def _span(seconds: float) -> str:
    """Short, and as exact as two that stand side by side must be: `84m`, `27h`, `5d`."""
    for unit, word, least in ((86400, "d", 72 * 3600), (3600, "h", 2 * 3600), (60, "m", 120)):
        if seconds >= least:
            return f"{seconds / unit:.0f}{word}"
    return f"{seconds:.0f}s"


def outlook(item: PatientView, at: float, *, acts: bool) -> tuple[Tone, str]:
    """What becomes of it, in a line."""
    first = item.first
    evidence = first.evidence if first is not None else ""
    if item.held_until is not None:
        until = (
            "until it is released"
            if item.held_until == float("inf")
            else f"until {fmt.day_and_time(item.held_until, at)}"
        )
        return Tone.ACCENT, f"left alone {until}"
    if item.skipped:
        return Tone.DIM, f"not judged: {item.skipped}"
    if item.would and item.vetoes:
        return Tone.PLAIN, f"not {item.would}: {clauses(*item.vetoes)}"
    if item.would and item.capped:
        return Tone.PLAIN, f"not {item.would} now: {item.capped}"
    if item.would:
        return Tone.WARN, f"{'will' if acts else 'would'} {item.would}: {evidence}"
    return Tone.DIM, evidence


def selected_lines(item: object, at: float, width: int, look: Look, *, acts: bool) -> list[Line]:
    """All that is known of the chosen row, what matters most first."""
    if not isinstance(item, PatientView | ActView):
        return []
    lines = [line(Span(prose(safe(item.name), max(width - 10, 1)), Tone.STRONG), Span(f" {item.id.short}", Tone.DIM))]
    facts = _act_facts(item, at) if isinstance(item, ActView) else _patient_facts(item, at, look, acts=acts)
    for label, text, tone in facts:
        lines.append(line(Span(f"{label:<{_LABEL}}", Tone.DIM), Span(prose(safe(text), max(width - _LABEL, 1)), tone)))
    return lines


def _patient_facts(item: PatientView, at: float, look: Look, *, acts: bool) -> list[tuple[str, str, Tone]]:
    tone, why = outlook(item, at, acts=acts)
    facts = [("outlook", why, tone)]
    for each in sorted(item.findings, key=lambda one: (not one.due, one.since)):
        time = f"since {fmt.day_and_time(each.since, at)}"
        lasted = f", {duration(each.lasted)} of {duration(each.needs)}" if each.needs > 0 else ""
        facts.append(
            (each.code[: _LABEL - 1], f"{clause(each.evidence)}; {time}{lasted}", Tone.WARN if each.due else Tone.PLAIN)
        )
    facts += [("against", veto, Tone.PLAIN) for veto in item.vetoes]
    facts.append(
        ("client", f"{item.state} {fmt.percent(item.progress)} of {fmt.size(item.size, look.units)}", Tone.PLAIN)
    )
    facts.append(("loop", f"{item.loop}{f', category {item.category}' if item.category else ''}", Tone.PLAIN))
    return facts


def _act_facts(item: ActView, at: float) -> list[tuple[str, str, Tone]]:
    back = "; z takes it back" if item.undoable else ""
    facts = [("what", f"{item.action}, {item.state}{back}", state(item)[0])]
    facts += [("trouble", item.trouble, Tone.BAD)] if item.trouble else []
    facts.append(("why", item.reason, Tone.PLAIN))
    facts += [("evidence", item.evidence, Tone.PLAIN)] if item.evidence and item.evidence not in item.reason else []
    facts += [
        (fmt.time_of_day(when), f"{step}{f': {result}' if result else ''}", Tone.DIM)
        for step, when, result in item.steps
    ]
    facts.append(("loop", f"{item.loop}, action {item.number}, {fmt.day_and_time(item.at, at)}", Tone.PLAIN))
    return facts
