"""What doctor and init ask about a tier: its clients, its disks, what lies between them, and who works."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from torrent_mover.bootstrap.tiering.setups import TierSetup
from torrent_mover.bootstrap.tiering.state import running
from torrent_mover.bootstrap.tiering.tier import Tier
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.text import counted
from torrent_mover.domain.text import size as size_text
from torrent_mover.duties.tiering.errors import RootAway, RootsNotDistinct
from torrent_mover.duties.tiering.looking import on_ssd
from torrent_mover.duties.tiering.needs import TierDisk, TierWorld
from torrent_mover.duties.tiering.other_movers import refuse_other_movers
from torrent_mover.duties.tiering.root_marks import look_at
from torrent_mover.duties.tiering.roots import RootState
from torrent_mover.engine.preflight.examination import Check, Doubt


@contextmanager
def checks_of(setup: TierSetup) -> Iterator[Sequence[Check]]:
    """Clients, disks, what lies between them, and who works. A small file in each folder is made, looked for, and removed."""
    with Tier(setup, writes=False) as tier:
        world = tier.world()
        roots = [Check(_root_name(world, disk), partial(_root, world, disk)) for disk in world.disks]
        yield [
            *(Check(f"client {name}", partial(_client, world, name)) for name in world.clients),
            Check("other movers", partial(_no_other_mover, world), needs=(f"client {world.settings.client}",)),
            *roots,
            *(_sight(tier, world, disk) for disk in world.disks),
            Check("two disks", partial(_apart, world), needs=tuple(check.name for check in roots)),
            *([Check("link roots", partial(_link_roots, world))] if world.settings.link_roots else []),
            Check("state folder", partial(_state_folder, setup)),
            Check("worker", partial(_worker, setup, world), fatal=False),
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
    return Check(f"as the client sees {disk.root}", partial(tier.seen, disk.root), needs=needs)


def _root_name(world: TierWorld, disk: TierDisk) -> str:
    return f"{'SSD' if disk in world.ssds else 'target'} {disk.root}"


def _root(world: TierWorld, disk: TierDisk) -> str:
    """It is there, it is the disk that it was, and we may write there."""
    finding, found = look_at(world, disk), disk.look()
    if finding.state is RootState.AWAY:
        raise RootAway(
            f"{disk.root} is not used: {finding.why}.",
            kept="Nothing is copied, relocated or deleted there.",
            remedy=f"Mount its disk at {disk.root}, or make that folder.",
        )
    if not found.writable or not os.access(str(disk.root), os.W_OK | os.X_OK):
        raise RootAway(
            f"{disk.root} cannot be written.",
            kept="Nothing was changed.",
            remedy=f"Look at the mount, and at who may write there: ls -ld {disk.root}",
        )
    space = disk.files.space()
    new = "; its first use" if finding.state is RootState.NEW else ""
    return f"{size_text(space.free)} of {size_text(space.total)} free{new}"


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
        if Path(str(there)).stat().st_dev != target.look().device:
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


def _worker(setup: TierSetup, world: TierWorld) -> str:
    who = running(setup)
    if who:
        return f"yes: {who}"
    waiting = len(world.journal.queue())
    if not waiting:
        return "none is running now"
    raise Doubt(
        f"None is running, and {counted(waiting, 'torrent')} wait to be copied.",
        kept="The queue is kept.",
        remedy="torrent-mover tier --watch",
    )
