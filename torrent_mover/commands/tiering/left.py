"""What `tier` says and does of copies that were left behind: a list, into quarantine, and back."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from torrent_mover.bootstrap.tiering.setups import TierSetup
from torrent_mover.bootstrap.tiering.tier import Tier
from torrent_mover.commands.tiering.arguments import ALL
from torrent_mover.commands.tiering.telling import known_of, one_of
from torrent_mover.commands.tiering.told import Told, exit_of
from torrent_mover.domain.errors import ExitCode
from torrent_mover.domain.text import clause, clauses, counted, safe, size
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.tiering.errors import TierRefused
from torrent_mover.duties.tiering.left_behind import LeftBehind, LeftCopy, left_behind, left_data
from torrent_mover.duties.tiering.looking import PictureReader
from torrent_mover.duties.tiering.needs import TierJournal
from torrent_mover.duties.tiering.records import AsideRecord
from torrent_mover.duties.tiering.setting_aside import AsideReport, Weighed, over_text, put_back, set_aside, weigh

_NONE: Final = "No copy was left behind."


def show_left(tier: Tier, setup: TierSetup, _arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    """`tier --left`."""
    world = tier.world()
    found = left_behind(world, PictureReader(world))
    rows = [left_data(copy) for copy in found.copies] + [_aside_data(aside) for aside in found.aside]
    return _told(setup, _left_lines(found), {"rows": rows, "unknown": list(found.unknown)}), ExitCode.DONE


def _left_lines(found: LeftBehind) -> Iterator[str]:
    if found.copies:
        count = counted(len(found.copies), "copy", "copies")
        yield f"{count}, {size(found.size)}, of torrents that have left their client:"
        for copy in sorted(found.copies, key=lambda each: -each.size):
            yield from _copy_lines(copy)
    if found.aside:
        count = counted(len(found.aside), "copy", "copies")
        yield f"{count}, {size(sum(aside.size for aside in found.aside))}, set aside in quarantine:"
        for aside in found.aside:
            yield f"  {_head(aside.key[1], aside.copy.name, aside.size)}"
            yield from _ways_on(aside)
    if not found.copies and not found.aside and not found.unknown:
        yield _NONE
    yield from (safe(text) for text in found.unknown)
    if found.copies:
        yield "None is deleted by itself. To see which can be set aside: torrent-mover tier --set-aside"


def _copy_lines(copy: LeftCopy) -> Iterator[str]:
    since = f", gone since {_day(copy.since)}" if copy.since else ""
    yield f"  {_head(copy.record.torrent, copy.record.name, copy.size)}{since}"
    yield f"      {safe(str(copy.path))}"
    if copy.record.evicted_at:
        yield "      its data had left the SSD: the tier knows of no other copy"
    if copy.frees < copy.size:
        yield f"      only {size(copy.frees)} would get free: the rest has other names too (hard links)"


def _ways_on(aside: AsideRecord) -> Iterator[str]:
    place = safe(shlex.quote(str(aside.place)))
    yield f"      {safe(str(aside.place))}"
    yield f"      back again: torrent-mover tier --put-back {aside.key[1].short.upper()}"
    yield f"      for good:   rm -r {place}"


def _head(torrent: InfoHash, name: str, bytes_of_it: int) -> str:
    return f"{torrent.short.upper()} {safe(name)}: {size(bytes_of_it)}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d")


def _aside_data(aside: AsideRecord) -> dict[str, Any]:
    torrent = aside.key[1].hex
    return {
        "id": torrent,
        "hash": torrent,
        "client": aside.key[0],
        "name": aside.copy.name,
        "state": "set aside",
        "path": str(aside.place),
        "files": [str(aside.root / place) for _, place, _ in aside.names],
        "bytes": aside.size,
        "frees": 0,
        "since": aside.at,
        "evicted_at": aside.copy.evicted_at or None,
        "changed": [],
    }


def set_aside_left(tier: Tier, setup: TierSetup, arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    """`tier --set-aside [HASH]`: with --yes it is done, else shown."""
    world = tier.world()
    text = arguments.set_aside
    only = None if text == ALL else one_of(text, lambda: _known(world.journal))
    if arguments.yes:
        report = set_aside(world, tier.alone, only)
    else:
        found, weighed = weigh(world, PictureReader(world), only)
        report = AsideReport(stays=list(weighed), unknown=found.unknown)
    if only is not None and not report.moved and not report.failed:
        _refuse(only, report)
    rows = [_moved_data(aside) for aside in report.moved]
    rows += [_stays_data(each.copy, each.reasons, may=not each.reasons and not arguments.yes) for each in report.stays]
    rows += [_stays_data(copy, (error.what,), may=False) for copy, error in report.failed]
    lines = _done_lines(report) if arguments.yes else _would_lines(report, world.settings.max_evictions_per_run)
    data = {"done": bool(arguments.yes), "rows": rows, "over": report.over, "unknown": list(report.unknown)}
    return _told(setup, lines, data), exit_of([error for _, error in report.failed])


def _refuse(torrent: InfoHash, report: AsideReport) -> None:
    """Raises TierRefused where the one torrent that was named stays."""
    stays = report.stays
    if not stays:
        known = " ".join((f"Nothing is known to be left behind by {torrent}.", *report.unknown))
        raise TierRefused(
            known if report.unknown else f"Nothing was left behind by {torrent}.",
            kept="Nothing was changed.",
            remedy="torrent-mover tier --left lists what was.",
        )
    reasons = stays[0].reasons
    if reasons:
        raise TierRefused(
            f"The copy of {stays[0].copy.record.name} stays where it is: {clause(clauses(*reasons))}.",
            kept="Nothing was changed.",
            remedy=f"torrent-mover tier --explain {torrent}",
        )


def _done_lines(report: AsideReport) -> Iterator[str]:
    for aside in report.moved:
        yield f"Set aside {_head(aside.key[1], aside.copy.name, aside.size)}"
        yield from _ways_on(aside)
    yield from _stays_lines(report.stays)
    for copy, error in report.failed:
        yield f"Stays {_head(copy.record.torrent, copy.record.name, copy.size)}: {safe(error.what)} [{error.code}]"
    if report.over:
        yield f"{over_text(report.over)}; ask again"
    yield from (safe(text) for text in report.unknown)
    if report.moved:
        yield "Nothing gets free before you delete it there: quarantine is never emptied by itself."
    elif not report.stays and not report.failed and not report.unknown:
        yield _NONE


def _would_lines(report: AsideReport, most: int) -> Iterator[str]:
    free = [each.copy for each in report.stays if not each.reasons]
    for copy in free:
        yield f"Would set aside {_head(copy.record.torrent, copy.record.name, copy.size)}"
        yield f"      {safe(str(copy.path))}"
    yield from _stays_lines([each for each in report.stays if each.reasons])
    yield from (safe(text) for text in report.unknown)
    if free:
        capped = f", {most} at once (max_evictions_per_run)" if len(free) > most else ""
        yield f"Nothing was changed. To do it{capped}: the same with --yes; it looks at the clients twice, a minute apart."
    elif not report.stays and not report.unknown:
        yield _NONE


def _stays_lines(stays: list[Weighed]) -> Iterator[str]:
    for each in stays:
        record = each.copy.record
        yield f"Stays {_head(record.torrent, record.name, each.copy.size)}: {safe(clauses(*each.reasons))}"


def _moved_data(aside: AsideRecord) -> dict[str, Any]:
    one = _aside_data(aside)
    kept = {name: one[name] for name in ("id", "hash", "client", "name", "path", "bytes")}
    return kept | {"moved": True, "may": False, "reasons": []}


def _stays_data(copy: LeftCopy, reasons: tuple[str, ...], *, may: bool) -> dict[str, Any]:
    one = left_data(copy)
    kept = {name: one[name] for name in ("id", "hash", "client", "name", "path", "bytes")}
    return kept | {"moved": False, "may": may, "reasons": list(reasons)}


def put_back_left(tier: Tier, setup: TierSetup, arguments: argparse.Namespace) -> tuple[Told, ExitCode]:
    """`tier --put-back HASH`."""
    world = tier.world()
    aside = put_back(world, one_of(arguments.put_back, lambda: _known(world.journal)))
    lies = aside.copy.lies
    place = "" if lies is None else str(lies.save_path)
    torrent = aside.key[1]
    line = f"{_head(torrent, aside.copy.name, aside.size)} is back in {safe(place)}"
    row = {"id": torrent.hex, "hash": torrent.hex, "client": aside.key[0], "name": aside.copy.name, "path": place}
    return _told(setup, iter([line]), {"rows": [row]}), ExitCode.DONE


def _known(journal: TierJournal) -> set[InfoHash]:
    return known_of(journal) | {aside.key[1] for aside in journal.set_aside()}


def _told(setup: TierSetup, lines: Iterator[str], data: dict[str, Any]) -> Told:
    return setup.name, list(lines), {"tier": setup.name, **data}
