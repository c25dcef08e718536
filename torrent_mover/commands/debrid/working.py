"""What works on an account: scans, repairs, retries, duplicates, links set aside, rounds."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final

from torrent_mover.bootstrap.debrid.account import OpenDebrid
from torrent_mover.bootstrap.debrid.setups import DebridSetup
from torrent_mover.commands.debrid.keeping import forget_progress, keep_up
from torrent_mover.commands.debrid.looking import named
from torrent_mover.commands.debrid.picking import pick_folder
from torrent_mover.commands.debrid.said import Said
from torrent_mover.domain.debrid.errors import TooManyRefused
from torrent_mover.domain.errors import ExitCode, NotWritable, PreflightRefused, UsageError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.text import counted
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.duplicates import Duplicates
from torrent_mover.duties.debrid.link_checks import suspects_first
from torrent_mover.duties.debrid.listing import AccountListed
from torrent_mover.duties.debrid.needs import DebridWorld, said
from torrent_mover.duties.debrid.quarantining import LinkQuarantine
from torrent_mover.duties.debrid.records import RepairEnd, ScanMode
from torrent_mover.duties.debrid.rounds import DebridReport, DebridRound, use_up_wave
from torrent_mover.duties.debrid.stand import DebridOrders
from torrent_mover.duties.debrid.telling import (
    finding_row,
    link_row,
    repair_line,
    repair_row,
    retry_line,
    retry_row,
    would_do,
)
from torrent_mover.duties.debrid.turns import due_at
from torrent_mover.duties.debrid.verdicts import DebridFinding, Fault

_FOUND_BY: Final[dict[str, Callable[[DebridFinding], bool]]] = {
    "symlinks": lambda finding: bool(finding.links),
    "links": lambda finding: finding.fault in (Fault.DEAD_LINK, Fault.REFUSED),
    "quick": lambda finding: not finding.fault.needs_two_looks,
    "full": lambda finding: finding.fault is not Fault.VANISHED,
}


def scan(account: OpenDebrid, _setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """Look, as asked for or as is due."""
    world = account.world()
    work = DebridRound(world)
    folder = pick_folder(world.settings.media_roots) if arguments.pick else arguments.path
    only = LocalPath(folder) if folder else None
    if arguments.quick or arguments.full:
        work.list(ScanMode.FULL if arguments.full else ScanMode.QUICK)
    elif arguments.symlinks or only is not None:
        work.walk(only)
    elif arguments.links:
        work.check_links()
    else:
        work.look()
    return Said(_looked(work.report), {"rows": _found(world), **_numbers(work.report)})


def _looked(report: DebridReport) -> list[str]:
    lines = [_listed_line(listed) for listed in report.listed]
    if report.links is not None:
        seen = report.links
        lines.append(f"links: {seen.in_scope:,} in scope, {seen.broken:,} broken, {seen.unmapped:,} unmapped")
    if report.checked is not None and report.checked.asked:
        found = report.checked
        lines.append(
            f"link checks: {found.asked:,} asked, {found.dead} dead, {found.refused} refused, {found.waiting} to be tried again"
        )
    return lines


def _listed_line(listed: AccountListed) -> str:
    return (
        f"{listed.mode.value}: {listed.torrents:,} torrents, {listed.failed:,} failed, {listed.half_dead:,} half-dead"
    )


def _found(world: DebridWorld) -> list[dict[str, object]]:
    return [
        *(finding_row(each) for each in world.journal.findings()),
        *(link_row(link) for link in world.journal.broken_links()),
    ]


def _numbers(report: DebridReport) -> dict[str, object]:
    numbers: dict[str, object] = {
        listed.mode.value: {"torrents": listed.torrents, "failed": listed.failed, "half_dead": listed.half_dead}
        for listed in report.listed
    }
    if report.links is not None:
        seen = report.links
        numbers["links"] = {"in_scope": seen.in_scope, "broken": seen.broken, "unmapped": seen.unmapped}
    return numbers


def rescan(account: OpenDebrid, _setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """Forget how far the full scan is, and what was measured."""
    if not arguments.dry_run:
        forget_progress(account)
    return Said(["progress forgotten; full scan from the start"])


def repair(account: OpenDebrid, setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """Repair one torrent, or all whose turn it is."""
    world = account.world()
    text = arguments.link or (arguments.items[0] if arguments.items else "")
    if text:
        return _one(world, named(account, setup, text))
    work = DebridRound(world)
    found_by = _FOUND_BY.get(arguments.source)
    findings = [finding for finding in work.candidates() if found_by is None or found_by(finding)]
    return _acted(work, world, findings[: arguments.limit])


def _one(world: DebridWorld, torrent: InfoHash, began: float | None = None, *, more: bool = False) -> Said:
    """Repair one by hand: a person who asks does not wait for the second look. `began`, `more`: of the run that it is part of."""
    work = DebridRound(world, began)
    work.look_at(torrent)
    finding = suspects_first(world, torrent)
    if finding is None or not finding.proven:
        return Said([f"{torrent.short}: nothing is known to be wrong with it"], {"rows": []})
    return _acted(work, world, [finding], by_hand=True, more=more)


def _acted(
    work: DebridRound,
    world: DebridWorld,
    findings: Sequence[DebridFinding],
    *,
    by_hand: bool = False,
    more: bool = False,
) -> Said:
    if not world.acts:
        why = "mode = report" if world.asks else "dry run"
        lines = [
            f"{each.hash.short} {each.name}: {each.fault.value}: {_planned(each, world)} ({why})" for each in findings
        ]
        return Said(lines or ["Nothing is to be repaired."], {"rows": [finding_row(each) for each in findings]})
    work.act(findings, by_hand=by_hand, more=more)
    return _done(work.report, _looked(work.report))


def _planned(finding: DebridFinding, world: DebridWorld) -> str:
    would = would_do(finding, world.settings)
    return "would be repaired" if would == "repair" else f"would {would}" if would else "is only reported"


def _done(report: DebridReport, lines: list[str]) -> Said:
    lines += [repair_line(record) for record in (*report.ended, *report.waiting)]
    failed = report.count(RepairEnd.RETRY, RepairEnd.GIVEN_UP, RepairEnd.REFUSED)
    parked = report.count(RepairEnd.PARKED)
    parts = [f"{report.count(RepairEnd.REPAIRED)} repaired", f"{parked} parked", f"{failed} failed"]
    if report.waiting:
        parts.append(f"{len(report.waiting)} go on in the next run")
    if report.searches:
        parts.append(counted(report.searches, "search") if report.searches == 1 else f"{report.searches} searches")
    lines.append(", ".join(parts))
    rows = [repair_row(record) for record in (*report.ended, *report.waiting)]
    data = {"repaired": report.count(RepairEnd.REPAIRED), "parked": parked, "failed": failed, "rows": rows}
    return Said(lines, {**_numbers(report), **data}, report.exit_code)


def retries(account: OpenDebrid, setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """What is tried again, and when."""
    journal = account.journal
    if arguments.drop:
        journal.drop_retry(named(account, setup, arguments.drop))
    if arguments.now:
        for entry in journal.retries():
            journal.save_retry(due_at(entry, account.clock.now()))
    found = journal.retries()
    lines = [retry_line(entry, setup.settings.max_attempts) for entry in found]
    return Said(lines or ["Nothing waits to be tried again."], {"rows": [retry_row(entry) for entry in found]})


def duplicates(account: OpenDebrid, _setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """Entries that are there twice; in mode = act, those that are proven to be the same go."""
    world = account.world()
    work = Duplicates(world)
    pairs = work.find()
    removable = [pair for pair in pairs if pair.removable]
    lines = [f"{len({pair.hash for pair in pairs})} hashes twice, {len(removable)} removable"]
    code = ExitCode.DONE
    if world.acts and not arguments.dry_run:
        removed, kept = work.remove(removable)
        lines += [f"{removed} removed"] if removed or kept else []
        lines += kept
        code = ExitCode.SOME_FAILED if kept else ExitCode.DONE
    rows = [
        {"id": pair.doomed, "hash": pair.hash.hex, "keeper": pair.keeper, "removable": pair.removable} for pair in pairs
    ]
    return Said(lines, {"rows": rows}, code)


def quarantine(account: OpenDebrid, _setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """Links that are set aside: list, restore ID, purge."""
    work = LinkQuarantine(account.world())
    what = arguments.items[0] if arguments.items else "list"
    if what == "restore" and len(arguments.items) > 1:
        key = arguments.items[1]
        if arguments.dry_run:
            return Said([f"{key}: would be put back"])
        try:
            row = work.restore(key)
        except NotWritable as error:
            return Said([said(error)], {"rows": []}, ExitCode.SOME_FAILED)
        return Said([f"{key}: put back"], {"rows": [{"id": key, "path": row.path, "restored": True}]})
    if what == "purge":
        return Said([f"{0 if arguments.dry_run else work.purge()} removed for good"])
    if what != "list":
        raise UsageError(
            "debrid quarantine takes list, restore ID, or purge.", remedy="torrent-mover debrid quarantine list"
        )
    rows = [
        {
            "id": row.id,
            "hash": row.hash,
            "path": row.path,
            "target": row.target,
            "place": row.place,
            "reason": row.reason,
            "at": row.at,
        }
        for row in work.listed()
    ]
    return Said(
        [f"{row['id']}: {row['path']} ({row['reason']})" for row in rows] or ["Nothing is set aside."], {"rows": rows}
    )


def accept(account: OpenDebrid, _setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """Let one run act although many are broken or refused; the number must still be that one."""
    match arguments.items:
        case ["broken" | "refused" as what, text] if text.isdecimal():
            number = int(text)
        case _:
            raise UsageError("Write: torrent-mover debrid accept broken N, or accept refused N.")
    wave = account.journal.wave(what)
    if wave is None or wave.number != number:
        now = f"{wave.number} are {what}" if wave is not None else f"nothing that is {what} waits for you"
        raise PreflightRefused(
            f"{number} is not the number: {now}.", kept="Nothing was changed.", remedy="torrent-mover debrid status"
        )
    if not arguments.dry_run:
        account.journal.save_wave(replace(wave, accepted=True))
    return Said([f"{number} {what} accepted for one run"], {"rows": []})


def run(account: OpenDebrid, setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """One round."""
    world = account.world()
    result = _round(account, world, world.now)
    if not arguments.dry_run:
        keep_up(account, setup)
    return result


def round_of(account: OpenDebrid, setup: DebridSetup, orders: DebridOrders) -> str:
    """One round of those that come again and again; what it came to, in a line. Raises MoverError."""
    world = account.world()  # one for the orders and the round: what a run may do, it may do once
    began = world.now
    try:
        try:
            for torrent in orders.by_hand:
                for line in _one(world, torrent, began, more=True).lines:
                    account.say(torrent, line)
            lines = _round(account, world, began, orders.agreed).lines
        finally:
            if orders.by_hand and world.acts:
                use_up_wave(world)
        keep_up(account, setup)
    finally:
        account.write_metrics()
    return lines[-1] if lines else "nothing to do"


def _round(account: OpenDebrid, world: DebridWorld, began: float, agreed: Collection[InfoHash] = ()) -> Said:
    """Look, then act on what is proven. `agreed`: what is acted on also where the account only reports.

    `began`: when the run began, in which orders may have been done before. Raises MountDown after all that does not concern links
    was done.
    """
    reports = not world.acts
    if agreed:
        world = replace(world, acts=True)
    work = DebridRound(world, began)
    work.look()
    if world.acts:
        if reports:
            work.act([each for each in work.candidates() if each.hash in agreed], within=agreed)
        else:
            work.act()
        result = _done(work.report, _looked(work.report))
    else:
        plan = _acted(work, world, work.candidates())
        result = Said(
            [*_looked(work.report), *plan.lines, *_wave_lines(work, world)],
            {**_numbers(work.report), "rows": _found(world)},
        )
    if work.report.held is not None:
        for line in result.lines:
            account.say(None, line)
        raise work.report.held
    return result


def _wave_lines(work: DebridRound, world: DebridWorld) -> list[str]:
    """Where nothing is changed anyway, a wave of refusals is told of, and the round goes on."""
    if world.asks:
        try:
            work.refuse_a_wave()
        except TooManyRefused as error:
            return [said(error)]
    return []
