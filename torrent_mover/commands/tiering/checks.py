"""What doctor and init ask about a tier: its clients, its disks, what lies between them, and who works."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from torrent_mover.bootstrap.arr_checks import version_checks
from torrent_mover.bootstrap.tiering.setups import TierSetup
from torrent_mover.bootstrap.tiering.state import running, stays
from torrent_mover.bootstrap.tiering.tier import Tier
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.report.tiers import SILENT_AFTER
from torrent_mover.domain.settings.clients import ClientType
from torrent_mover.domain.text import counted, duration, safe
from torrent_mover.domain.text import size as size_text
from torrent_mover.duties.tiering.errors import RootAway, RootsNotDistinct
from torrent_mover.duties.tiering.left_behind import LeftBehind, left_behind
from torrent_mover.duties.tiering.looking import PictureReader, on_ssd
from torrent_mover.duties.tiering.needs import TierDisk, TierWorld
from torrent_mover.duties.tiering.other_movers import refuse_other_movers
from torrent_mover.duties.tiering.picture import DiskSpace
from torrent_mover.duties.tiering.root_marks import away, look_at
from torrent_mover.duties.tiering.roots import RootState
from torrent_mover.duties.tiering.watermarks import marks_of
from torrent_mover.engine.preflight.examination import Check, Doubt, WorkerSilent
from torrent_mover.ports.roles import Remarks

_OURS: Final = ("torrent-mover", "torrent_mover", "/api/v1/tier")
"""By this a hook is known that queues for a tier: the command, or the API of serve."""


_EXECUTE: Final = re.compile(r"(?:^|[;(\s\"$])(execute[\w.]*)(?=\s*[=,])")
"""rTorrent's commands that run a program, as `execute2=sh,...` and `((execute.nothrow.bg, sh, ...))`."""


@contextmanager
def checks_of(setup: TierSetup) -> Iterator[Sequence[Check]]:
    """Clients, disks, what lies between them, and who works. A small file in each folder is made, looked for, and removed."""
    with ExitStack() as stack:
        tier = stack.enter_context(Tier(setup, writes=False))
        world = tier.world()
        roots = [Check(_root_name(world, disk), partial(_root, world, disk)) for disk in world.disks]
        yield [
            *(Check(f"client {name}", partial(_client, world, name)) for name in world.clients),
            Check("other movers", partial(_no_other_mover, world), needs=(f"client {world.settings.client}",)),
            Check("hook", partial(_hook, tier, setup, world), needs=(f"client {world.settings.client}",)),
            *roots,
            *(_sight(tier, world, disk) for disk in world.disks),
            Check("two disks", partial(_apart, world), needs=tuple(check.name for check in roots)),
            *([Check("link roots", partial(_link_roots, world))] if world.settings.link_roots else []),
            *version_checks(setup.arrs, tier.clock, stack),
            Check("state folder", partial(_state_folder, setup)),
            Check("worker", partial(_worker, setup, world)),
            Check("queue", partial(_queue, world)),
            Check("copies", partial(_copies, world)),
            Check("copies left behind", partial(_left, world), quick=False),
        ]


def _client(world: TierWorld, name: str) -> str:
    """It answers, and sees the SSD where we do."""
    end = world.clients[name]
    torrents = end.client.torrents()
    here = sum(on_ssd(world, end, torrent.save_path) for torrent in torrents)
    told = f"{end.client.name}: {counted(len(torrents), 'torrent')}, {here} on the SSD"
    if name != world.settings.client or here or not torrents:
        return told
    seen = Counter(str(torrent.save_path) for torrent in torrents).most_common(1)[0][0]
    raise Doubt(
        f"{told}. Most are in {seen}, as this client sees it.",
        kept="The tier has nothing to do.",
        remedy=f"If that is the SSD: [CLIENT {name}] path_map = {seen} = {world.settings.ssd[0]}",
    )


def _no_other_mover(world: TierWorld) -> str:
    """Nobody else moves the same files."""
    refuse_other_movers(world)
    return "no hook of the client moves data"


def _sight(tier: Tier, world: TierWorld, disk: TierDisk) -> Check:
    """The tier's client sees the folder under the name that path_map says."""
    needs = (f"client {world.settings.client}", _root_name(world, disk))
    return Check(f"as the client sees {disk.root}", partial(tier.seen, disk.root), needs=needs, quick=False)


def _root_name(world: TierWorld, disk: TierDisk) -> str:
    return f"{'SSD' if disk in world.ssds else 'target'} {disk.root}"


def _root(world: TierWorld, disk: TierDisk) -> str:
    """It is there, it is the disk that it was, and we may write there."""
    finding, found = look_at(world, disk), disk.look()
    if finding.state is RootState.AWAY:
        raise away(finding, "Nothing is copied, relocated or deleted there.")
    if not found.writable or not os.access(str(disk.root), os.W_OK | os.X_OK):
        raise RootAway(
            f"{disk.root} cannot be written.",
            kept="Nothing was changed.",
            remedy=f"Look at the mount, and at who may write there: ls -ld {disk.root}",
        )
    space = disk.files.space()
    if disk in world.ssds:
        _room(world, DiskSpace(disk.root, space.free, space.total, 0))
    new = "; its first use" if finding.state is RootState.NEW else ""
    return f"{size_text(space.free)} of {size_text(space.total)} free{new}"


def _room(world: TierWorld, space: DiskSpace) -> None:
    """Raises Doubt where an SSD has less free than is wanted."""
    marks = marks_of(world.settings, space)
    if space.free < marks.low:
        raise Doubt(
            f"{size_text(space.free)} of {size_text(space.total)} free, and free_low asks for {size_text(marks.low)}.",
            kept="Torrents leave it, as far as their copies are proven and nothing speaks for staying.",
            remedy="torrent-mover tier --dry-run says which leave, and why the others stay.",
        )


def _apart(world: TierWorld) -> str:
    """The SSD and each target are two disks: else an eviction frees nothing that the copy does not take."""
    devices = {disk.look().device: disk.root for disk in world.ssds}
    for target in world.targets:
        device = target.look().device
        if device in devices:
            raise Doubt(
                f"{devices[device]} and {target.root} are on one file system: evicting frees nothing.",
                kept="Copies are made all the same.",
                remedy="Name a folder on another disk in targets.",
            )
        ids = {look_at(world, disk).id for disk in world.ssds} - {""}
        if look_at(world, target).id in ids:
            raise RootsNotDistinct(
                f"{target.root} is a folder of the SSD under another name.",
                kept="Nothing was changed.",
                remedy="Name folders on two disks: ssd and targets of the tier.",
            )
    return f"{counted(len(world.targets), 'target')} apart from the SSD"


def _link_roots(world: TierWorld) -> str:
    """Hard links can be made only within one file system: a media folder on a target is on that target's."""
    pairs = world.settings.link_roots
    for pair in pairs:
        target = next(disk for disk in world.targets if pair.target.is_within(disk.root))
        there = _existing(pair.target, target.root)
        try:
            device = Path(str(there)).stat().st_dev
        except OSError as error:
            raise Doubt(
                f"{there} cannot be looked at: {error.strerror}.",
                kept="Torrents with names in that folder stay on the SSD.",
                remedy=f"Look who may enter it: namei -l {there}",
            ) from error
        if device != target.look().device:
            raise Doubt(
                f"{pair.target} is on another file system than {target.root}: no hard link can be made there.",
                kept="Torrents with names in that folder stay on the SSD.",
                remedy="Name a folder on the file system of the target in link_roots.",
            )
    return counted(len(pairs), "media folder")


def _existing(path: LocalPath, root: LocalPath) -> LocalPath:
    """The folder, or the nearest one above it that is there already."""
    while path != root and not os.path.lexists(str(path)):
        path = path.parent
    return path


def _state_folder(setup: TierSetup) -> str:
    state = str(_existing(setup.state_dir, LocalPath("/")))
    if not os.access(state, os.W_OK | os.X_OK):
        raise RootAway(
            f"The state folder {setup.state_dir} is not ours to write.",
            kept="Nothing was changed.",
            remedy=f"Give it to the user that runs torrent-mover: ls -ld {state}",
        )
    return str(setup.state_dir)


def _hook(tier: Tier, setup: TierSetup, world: TierWorld) -> str:
    """Whether the client tells of what has finished; without that, the worker finds it at its next look.

    The command itself is never said: one that asks the API of serve holds its token.
    """
    remarks = tier.client().role(Remarks)
    commands = [line for each in (remarks.remarks() if remarks else ()) for line in each.runs.splitlines()]
    ours = [line for line in commands if any(word in line for word in _OURS)]
    every = duration(world.settings.sweep_every)
    if not ours:
        return f"none: what has finished is found every {every} (sweep_every)"
    type_of_client = setup.clients[world.settings.client].type
    if type_of_client is ClientType.RTORRENT and any(_waits(line) for line in ours):
        raise Doubt(
            f"The hook stops {world.clients[world.settings.client].client.name} until its command has ended.",
            kept="The tier works.",
            remedy="Write execute.nothrow.bg in place of execute.nothrow there, and start the client again.",
        )
    return "installed"


def _waits(line: str) -> bool:
    """Whether rTorrent waits for what this line of its configuration runs."""
    return any(".bg" not in name for name in _EXECUTE.findall(line))


def _worker(setup: TierSetup, world: TierWorld) -> str:
    """Who works, and its last sign. Raises WorkerSilent for one that holds the lock and does nothing."""
    who, beat, now = running(setup), world.journal.heartbeat(), world.clock.now()
    if who:
        if stays(setup) and world.journal.paused():
            return f"paused: {who}; it goes on when somebody lets it"
        silent = now - max(beat.at, beat.ended_at) if beat else 0.0
        if silent > SILENT_AFTER:
            raise WorkerSilent(
                f"It has given no sign for {duration(silent)}: {who}.",
                kept="Nothing is copied or evicted; the queue is kept.",
                remedy="End that process and start it again: torrent-mover tier --watch",
            )
        return f"yes: {who}" + (f"; last sign {duration(max(silent, 0.0))} ago" if beat else "")
    waiting = len(world.journal.queue())
    if not waiting:
        return "none is running now" + (
            f"; its last round ended {duration(now - beat.ended_at)} ago" if beat and beat.ended_at else ""
        )
    raise Doubt(
        f"None is running, and {counted(waiting, 'torrent')} wait to be copied.",
        kept="The queue is kept.",
        remedy="torrent-mover tier --watch",
    )


def _queue(world: TierWorld) -> str:
    """What waits to be copied, and what has failed already."""
    entries = sorted(world.journal.queue(), key=lambda entry: entry.queued_at)
    failed = [entry for entry in entries if entry.tries]
    if failed:
        first = max(failed, key=lambda entry: entry.tries)
        raise Doubt(
            f"{len(failed)} of {counted(len(entries), 'torrent')} could not be copied yet. {first.torrent.short.upper()},"
            f" after {first.tries} {'try' if first.tries == 1 else 'tries'}: {safe(first.reason)}",
            kept="They stay on the SSD and are tried again.",
            remedy=f"torrent-mover tier --explain {first.torrent.hex}",
        )
    if not entries:
        return "empty"
    waited = duration(max(world.clock.now() - entries[0].queued_at, 0.0))
    return f"{counted(len(entries), 'torrent')}, the first one since {waited}"


def _left(world: TierWorld) -> str:
    """What lies on the targets of torrents that have surely left their client: nothing deletes it."""
    found = left_behind(world, PictureReader(world))
    sure = LeftBehind(tuple(copy for copy in found.copies if copy.sure))
    if sure.copies:
        count = counted(len(sure.copies), "copy", "copies")
        raise Doubt(
            f"{count}, {size_text(sure.size)}, of torrents that have left their client.",
            kept="A tier deletes no copy.",
            remedy="torrent-mover tier --left lists them; torrent-mover tier --set-aside moves them out of the way.",
        )
    return "\n".join(("none is known", *map(safe, found.unknown)))


def _copies(world: TierWorld) -> str:
    """What lies on the targets, and what of it needs somebody."""
    copies, evictions = world.journal.copies(), world.journal.evictions()
    wrong = [f"{safe(copy.name)} is bad: {safe(copy.bad)}" for copy in copies if copy.bad]
    wrong += [f"{safe(each.title)} stays on the SSD: {safe(each.trouble)}" for each in evictions if each.trouble]
    if wrong:
        needy = [copy.torrent for copy in copies if copy.bad] + [each.torrent for each in evictions if each.trouble]
        raise Doubt(
            "\n".join(wrong),
            kept="Nothing of these is deleted.",
            remedy=f"torrent-mover tier --explain {needy[0].hex}",
        )
    proven = sum(copy.counts for copy in copies)
    gone = sum(bool(copy.evicted_at) for copy in copies)
    return f"{proven} proven, {gone} of them no longer on the SSD; {len(copies) - proven} under way"
