"""What a look is told as: lines for people, rows for programs, and everything about one torrent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from torrent_mover.domain.text import clause, clauses, counted, duration, safe, shorten
from torrent_mover.duties.health.act_settings import BinMode
from torrent_mover.duties.health.judging import Assessment, Verdict, host_of
from torrent_mover.duties.health.model import (
    ActionRecord,
    FindingCode,
    HealthAction,
    HealthFinding,
    Intent,
    Picture,
)
from torrent_mover.duties.health.obligations import is_private
from torrent_mover.duties.health.settings import HealthMode, HealthSettings

_NAME: Final = 32
_PERCENT: Final = 100
_WORDS: Final = {
    HealthAction.REPLACE: "replace",
    HealthAction.HAND_OVER: "hand over",
    HealthAction.SKIP_FILES: "skip files",
    HealthAction.REMOVE_TRACKER: "remove the tracker",
}


def look_lines(name: str, seen: Assessment, settings: HealthSettings) -> list[str]:
    """A line for the loop, one for each finding, those that are due first."""
    findings = sorted(seen.findings, key=lambda each: (not each.due, each.since, each.torrent))
    due = sum(each.due for each in findings)
    caps = f"(caps {settings.removals_per_look} a look, {settings.removals_per_day} a day)"
    judged = len(seen.verdicts)
    head = f"{name}  {settings.mode.value}  {counted(judged, 'torrent')}, {counted(len(findings), 'finding')}, {due} due {caps}"
    lines = [head]
    if seen.truth.blind:
        lines.append(f"  clocks stand: {safe(seen.truth.blind)}")
    elif seen.truth.waiting:
        lines.append(f"  nothing acts yet: {safe(seen.truth.waiting)}")
    lines += [f"  {safe(note)}" for note in seen.look.notes]
    lines += [
        f"  {counted(wave.count, 'torrent')} due for {wave.code.value} at once: nothing is done for an hour"
        for wave in seen.waves.values()
        if not wave.over(seen.look.at)
    ]
    lines += [_line(each, seen, settings) for each in findings]
    return lines


def _line(finding: HealthFinding, seen: Assessment, settings: HealthSettings) -> str:
    verdict = seen.verdicts[finding.torrent]
    when = "now" if finding.due and finding.needs <= 0 else "due" if finding.due else f"{finding.strikes}/3"
    name = shorten(safe(verdict.picture.torrent.name), _NAME)
    what = _outlook(finding, verdict, seen, settings)
    return f"  {when:<4} {finding.code.value:<15} {_held(finding):<18} {name}  {what}".rstrip()


def _held(finding: HealthFinding) -> str:
    if finding.needs <= 0:
        return f"since {_clock(finding.since)}"
    return f"{duration(finding.held)} of {duration(finding.needs)}"


def _outlook(finding: HealthFinding, verdict: Verdict, seen: Assessment, settings: HealthSettings) -> str:
    intent = intent_of(finding, verdict)
    if intent is None:
        return safe(finding.evidence)
    word = in_words(intent.action)
    if intent.vetoes:
        return f"{safe(clause(finding.evidence))}; not {word}: {safe(clauses(*intent.vetoes))}"
    if intent.action in (HealthAction.REPORT, HealthAction.OFF):
        return safe(finding.evidence)
    capped = next((each.why for each in seen.capped if each.intent == intent and each.why), "")
    if capped:
        return f"{safe(clause(finding.evidence))}; not {word} now: {safe(capped)}"
    verb = "would" if settings.mode is HealthMode.REPORT else "will"
    return f"{safe(clause(finding.evidence))}: {verb} {word}"


def intent_of(finding: HealthFinding, verdict: Verdict) -> Intent | None:
    """What would be done for this finding, if it is the one that was chosen, or is dealt with beside it."""
    chosen = (*((verdict.intent,) if verdict.intent else ()), *verdict.also)
    return next((each for each in chosen if each.code is finding.code), None)


def look_data(name: str, seen: Assessment, settings: HealthSettings) -> dict[str, Any]:
    """The same for programs: `rows` has a row for each torrent with a finding."""
    return {
        "loop": name,
        "mode": settings.mode.value,
        "torrents": len(seen.verdicts),
        "due": sum(each.due for each in seen.findings),
        "blind": seen.truth.blind,
        "waiting": seen.truth.waiting,
        "notes": list(seen.look.notes),
        "rows": [torrent_data(name, verdict) for verdict in seen.verdicts.values() if verdict.findings],
    }


def torrent_data(loop: str, verdict: Verdict) -> dict[str, Any]:
    """One torrent with its findings and its intent."""
    torrent = verdict.picture.torrent
    intent = verdict.intent
    return {
        "id": torrent.id.hex,
        "hash": torrent.id.hex,
        "name": torrent.name,
        "loop": loop,
        "state": torrent.client_state,
        "progress": torrent.progress,
        "skipped": verdict.skipped,
        "findings": [
            {
                "code": each.code.value,
                "since": each.since,
                "lasted": each.held,
                "needs": each.needs,
                "strikes": each.strikes,
                "due": each.due,
                "evidence": each.evidence,
            }
            for each in verdict.findings
        ],
        "intent": intent.action.value if intent else None,
        "vetoes": list(intent.vetoes) if intent else [],
    }


def explain_data(loop: str, verdict: Verdict, seen: Assessment) -> dict[str, Any]:
    """Everything about one torrent. Of trackers only their hosts: an address may hold a passkey."""
    judged = verdict.judged
    return {
        **torrent_data(loop, verdict),
        "category": verdict.picture.torrent.category,
        "private": verdict.picture.private,
        "blind": seen.truth.blind,
        "waiting": seen.truth.waiting,
        "trackers": [
            {"host": host_of(each), "working": each.working, "message": each.message}
            for each in verdict.picture.trackers or ()
        ],
        "rules": [{"code": code.value, "true": said.true, "why": said.words} for code, said in judged.items()],
    }


def explain_lines(loop: str, verdict: Verdict, seen: Assessment, settings: HealthSettings) -> list[str]:
    """Everything about one torrent, for people."""
    return [f"{label:<9}{text}".rstrip() for label, text in _explained(loop, verdict, seen, settings)]


def _explained(loop: str, verdict: Verdict, seen: Assessment, settings: HealthSettings) -> Iterator[tuple[str, str]]:
    torrent = verdict.picture.torrent
    name = safe(torrent.name)
    yield (
        name,
        f"  {torrent.id.short}  {loop}  {torrent.client_state} {torrent.progress:.0%}  {_privacy(verdict.picture)}",
    )
    truth = seen.truth
    yield (
        "picture",
        f"not true: {safe(truth.blind)}" if truth.blind else f"true{f': {truth.evidence}' if truth.evidence else ''}",
    )
    if verdict.skipped:
        yield "ours", f"not judged: {safe(verdict.skipped)}"
        return
    yield "ours", "no lease, no hold"
    found = {each.code: each for each in verdict.findings}
    quiet: list[str] = []
    for code, said in verdict.judged.items():
        if code in found:
            yield code.value, f"  {safe(_of_finding(found[code]))}"
        elif said.true is None:
            quiet.append(f"{code.value} not judged: {safe(said.words)}")
        elif said.words and code in _WORTH_TELLING:
            quiet.append(f"{code.value} no: {safe(said.words)}")
    for text in quiet:
        yield "", text
    intent = verdict.intent
    if intent is None:
        yield "chosen", "nothing: nothing is due"
    else:
        open_ones = safe(clauses(*intent.vetoes)) or "none open"
        yield "chosen", f"{in_words(intent.action)} ({safe(intent.reason)})"
        yield "against", open_ones
        capped = next((each.why for each in seen.capped if each.intent == intent), "")
        yield "caps", safe(capped) or f"{sum(not each.why for each in seen.capped)} of {settings.removals_per_look}"
        if then := _then(intent, verdict.picture, settings):
            yield "then", then
    for each in verdict.also:
        yield "also", f"{in_words(each.action)} ({safe(each.reason)})"
    if truth.waiting:
        yield "waits", safe(truth.waiting)
    reports = settings.mode is HealthMode.REPORT
    yield "mode", f"report: nothing is done. To act: [HEALTH {loop}] mode = act" if reports else "act"


_WORTH_TELLING: Final = (FindingCode.STALLED, FindingCode.SLOW, FindingCode.UNREGISTERED, FindingCode.SEED_GOAL)


def _then(intent: Intent, picture: Picture, settings: HealthSettings) -> str:
    """The steps of what takes a torrent out, or tells its Arr; blank for what is one step."""
    steps = []
    arr = picture.arr.name if picture.arr is not None else ""
    if intent.action.tells_the_arr and arr:
        steps.append(f"block in {safe(arr)}")
    if intent.action.takes_out:
        steps.append("stop, take out of the client")
        if picture.shared or intent.action is HealthAction.RETIRE:
            why = "other torrents use it" if picture.shared else "as retire does"
            steps.append(f"its data stays: {why}")
        elif settings.bin is BinMode.NONE:
            steps.append("its data stays: bin = none")
        elif not picture.magnet:
            steps.append(f"bin below {safe(str(picture.torrent.save_path))}")
    elif intent.action is HealthAction.KEEP:
        steps.append(f"file in {safe(settings.kept_category)}" if settings.kept_category else "it stays")
    if intent.action.tells_the_arr and arr:
        steps.append("search")
    return ", ".join(steps)


def _of_finding(finding: HealthFinding) -> str:
    percent = f" (x{finding.factor:g})" if finding.factor != 1 else ""
    return f"{clause(finding.evidence)}; {_held(finding)}{percent}, strikes {finding.strikes} of 3"


def _privacy(picture: Picture) -> str:
    if picture.magnet:
        return "magnet"
    if picture.private is None:
        return "private: unknown, counts as yes"
    return "private" if is_private(picture) else "not private"


def in_words(action: HealthAction) -> str:
    """What is done, as a verb."""
    return _WORDS.get(action, action.value)


def action_lines(records: Sequence[ActionRecord]) -> list[str]:
    """One line an action, newest first."""
    return [
        f"{each.number:>5}  {_moment(each.at)}  {each.action.value:<10} {each.state.value:<11} {safe(each.name)}"
        f"  {safe(each.reason)}"
        for each in sorted(records, key=lambda each: -each.number)
    ] or ["Nothing was done yet."]


def action_data(record: ActionRecord) -> dict[str, Any]:
    """One action for programs."""
    return {
        "id": record.number,
        "at": record.at,
        "hash": record.torrent.hex,
        "name": record.name,
        "loop": record.loop,
        "action": record.action.value,
        "code": record.code.value,
        "reason": record.reason,
        "evidence": record.evidence,
        "steps": [{"step": each.step, "at": each.at, "result": each.result} for each in record.steps],
        "state": record.state.value,
        "trouble": record.trouble,
    }


def _clock(at: float) -> str:
    return time.strftime("%H:%M", time.localtime(at))


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
