"""What is only looked at: whether all is reachable, how an account stands, why something is done or not, what was done."""

from __future__ import annotations

import argparse
from contextlib import suppress

from torrent_mover.bootstrap.debrid.account import OpenDebrid, working_on
from torrent_mover.bootstrap.debrid.setups import DebridSetup
from torrent_mover.commands.debrid.said import Said
from torrent_mover.domain.debrid.errors import AmbiguousLink, MountDown
from torrent_mover.domain.debrid.links import LibraryLink
from torrent_mover.domain.errors import ExitCode, UsageError
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.quantities import parse_duration
from torrent_mover.domain.settings.problems import quoted
from torrent_mover.domain.text import counted, safe
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.debrid_journal import DebridJournal
from torrent_mover.duties.debrid.layouts import MountLayout
from torrent_mover.duties.debrid.link_walk import LinkWalk
from torrent_mover.duties.debrid.magnets import read_hash
from torrent_mover.duties.debrid.mapping import Catalogue, LinkOwner, MappingKind, owner_of
from torrent_mover.duties.debrid.telling import at, reasons_of, status_of

_DAY = 86_400
_SHORTEST = 4


def check(account: OpenDebrid, setup: DebridSetup, _arguments: argparse.Namespace) -> Said:
    """Ask the account, and look at the mounts. Raises AccountExpired, Unreachable."""
    world = account.world()
    standing = world.good_standing()
    slots = "" if standing.slots is None else f"; slots {standing.slots_used}/{standing.slots}"
    lines = [f"{setup.settings.type.value} premium {standing.premium_seconds / _DAY:.0f} d{slots}; traffic ok"]
    rows, code = [], ExitCode.DONE
    walk = LinkWalk(world)
    for mount in setup.settings.mounts:
        try:
            walk.sound(mount)
        except MountDown as error:
            code = error.exit_code
            lines.append(error.what)
            rows.append({"id": str(mount.path), "mount": str(mount.path), "sound": False, "trouble": error.what})
        else:
            measure = world.journal.measure(str(mount.path))
            entries = measure.entries if measure else 0
            lines.append(f"{mount.path} sound, {entries:,} entries")
            rows.append({"id": str(mount.path), "mount": str(mount.path), "sound": True, "entries": entries})
    data = {
        "service": setup.settings.type.value,
        "premium_seconds": standing.premium_seconds,
        "slots_used": standing.slots_used,
        "slots": standing.slots,
        "rows": rows,
    }
    return Said(lines, data, code)


def status(account: OpenDebrid, setup: DebridSetup, _arguments: argparse.Namespace) -> Said:
    """How it stands; asks nobody."""
    lines, data = status_of(account.journal, setup.settings, working_on(setup), account.clock.now())
    return Said(lines, data)


def explain(account: OpenDebrid, setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """Why something is done about a torrent, or is not."""
    if not arguments.items:
        raise UsageError("debrid explain needs a hash or a path.", remedy="torrent-mover debrid status shows them.")
    torrent = named(account, setup, arguments.items[0])
    lines = reasons_of(account.journal, setup.settings, torrent)
    return Said(lines, {"rows": [{"id": torrent.hex, "hash": torrent.hex, "reasons": lines}]})


def named(account: OpenDebrid, setup: DebridSetup, text: str) -> InfoHash:
    """The torrent that a hash, its beginning, or a link names. Raises UsageError for one that is not known."""
    if "/" in text:
        return _of_link(account, setup, text)
    known = {entry.hash for entry in account.journal.entries().values()}
    known |= {finding.hash for finding in account.journal.findings()}
    with suppress(ValueError):
        wanted = read_hash(text)
        if wanted in known:
            return wanted
    found = [each for each in known if len(text) >= _SHORTEST and each.hex.startswith(text.lower())]
    if len(found) == 1:
        return found[0]
    what = f"{quoted(text)} names {len(found)} torrents" if found else f"No torrent {quoted(text)} is known"
    raise UsageError(
        f"{what} of {setup.name}.", kept="Nothing was changed.", remedy="Look again: torrent-mover debrid scan --full"
    )


def _of_link(account: OpenDebrid, setup: DebridSetup, text: str) -> InfoHash:
    world = account.world()
    path = LocalPath(text if text.startswith("/") else setup.settings.media_roots[0].text + "/" + text)
    for link in account.journal.broken_links():
        if link.path == str(path) and link.hash:
            return InfoHash(link.hash)
    target = world.library.read(path)
    found = LibraryLink(path, target if target is not None else str(path))
    for mount in setup.settings.mounts:
        place = found.leads_to
        if place is not None and place.is_within(mount.path):
            parts = place.relative_to(mount.path).parts
            owner = _owner(parts, mount.layout, account.journal)
            if owner.torrent is not None:
                return owner.torrent
            if owner.kind is MappingKind.AMBIGUOUS:
                raise _ambiguous(path, owner, account.journal)
    raise UsageError(
        f"{quoted(text)} leads to no torrent that is known.",
        kept="Nothing was changed.",
        remedy="Look again: torrent-mover debrid scan --full",
    )


def _owner(parts: tuple[str, ...], layout: MountLayout, journal: DebridJournal) -> LinkOwner:
    return owner_of(parts, layout, Catalogue([entry.named for entry in journal.entries().values()]))


def _ambiguous(path: LocalPath, owner: LinkOwner, journal: DebridJournal) -> AmbiguousLink:
    names = [
        f"{torrent.short} {safe(next((each.name for each in journal.of_hash(torrent)), ''))}"
        for torrent in owner.candidates
    ]
    return AmbiguousLink(
        f"{quoted(str(path))} may lead to {counted(len(names), 'torrent')}: {', '.join(names)}.",
        kept="Nothing is done about it.",
        remedy="Remove from the account those that are not wanted, or have the Arr replace the file.",
    )


def history(account: OpenDebrid, setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """What was asked and done, the newest first."""
    only = named(account, setup, arguments.items[0]) if arguments.items else None
    found = [each for each in reversed(account.journal.attempts()) if only is None or each.hash == only]
    lines = [
        f"{at(each.at)} {each.hash.short} {each.what} {each.answer}{f' {each.took:.1f} s' if each.took else ''}"
        for each in found
    ]
    rows = [
        {
            "id": f"{each.hash.hex} {each.at}",
            "hash": each.hash.hex,
            "name": each.name,
            "at": each.at,
            "what": each.what,
            "answer": each.answer,
            "took": each.took,
        }
        for each in found
    ]
    return Said(lines or ["Nothing was done yet."], {"rows": rows})


def metrics(account: OpenDebrid, _setup: DebridSetup, arguments: argparse.Namespace) -> Said:
    """The numbers since then, oldest first."""
    try:
        since = account.clock.now() - parse_duration(arguments.since)
    except ValueError as error:
        raise UsageError(f"--since {quoted(arguments.since)}: {error}") from error
    found = [each for each in account.journal.metrics() if each.at >= since]
    rows = [
        {
            "id": str(number),
            "timestamp": each.at,
            "type": each.type,
            "name": each.name,
            "value": each.value,
            "tags": dict(each.tags),
        }
        for number, each in enumerate(found)
    ]
    lines = [
        " ".join((at(each.at), each.type, each.name, f"{each.value:g}", *(f"{key}={text}" for key, text in each.tags)))
        for each in found
    ]
    return Said(lines or ["There are no numbers yet."], {"rows": rows})
