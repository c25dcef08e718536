"""A tier's own work in a process of its own, its parts wired as the tier wires them: `python -m bench.tiered < job.json`."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tests.duties.tiering.tier_client import ReadingClient
from tests.duties.tiering.tier_house import Arrs, Leases
from torrent_mover.adapters.clients.rtorrent import RTorrentClient, RTorrentSettings
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.process.surroundings import collect_rarely
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.tiering.clients import TierEndClient
from torrent_mover.bootstrap.tiering.copies import TierBytes
from torrent_mover.bootstrap.tiering.disks import LocalTierDisk
from torrent_mover.domain.paths import LocalPath, PathMap
from torrent_mover.domain.torrent.torrent import Torrent
from torrent_mover.duties.tiering.amounts import DiskAmount, TierTarget
from torrent_mover.duties.tiering.candidate import stamps_of
from torrent_mover.duties.tiering.copying import CopyStory
from torrent_mover.duties.tiering.locking import DUTY
from torrent_mover.duties.tiering.looking import originals_of
from torrent_mover.duties.tiering.needs import TierClient, TieredClient, TierWorld
from torrent_mover.duties.tiering.picture import CopyProof
from torrent_mover.duties.tiering.records import CopyRecord
from torrent_mover.duties.tiering.room import PromisedRoom
from torrent_mover.duties.tiering.root_marks import look_at
from torrent_mover.duties.tiering.settings import TierMode, TierSettings
from torrent_mover.duties.tiering.stages import CopyStage
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal
from torrent_mover.duties.tiering.under_way import FilesUnderWay
from torrent_mover.duties.tiering.worker import TierWorker

CLIENT: Final = "bench"
_OPEN: Final = 16
_ROUNDS: Final = 3


class _UnhurriedClock(SystemClock):
    """Its waits take no time: the three seconds between two answers of a client say nothing of a copy."""

    def wait(self, seconds: float) -> None:
        """See ports.clock.Clock."""
        del seconds
        super().wait(0.0)


def _world(job: dict[str, Any], client: TierClient, clock: SystemClock, journal: SqliteJournal) -> TierWorld:
    ssd, hdd = LocalPath(job["ssd"]), LocalPath(job["hdd"])
    settings = TierSettings(
        client=CLIENT,
        ssd=(ssd,),
        targets=(TierTarget("*", hdd),),
        keep_free=DiskAmount(0),
        min_age=0.0,
        mode=TierMode.REPORT,
        verify=job.get("verify", True),
    )
    world = TierWorld(
        "bench",
        settings,
        {CLIENT: TieredClient(client, PathMap(LocalPath))},
        (LocalTierDisk(ssd, _OPEN, follow=True),),
        (LocalTierDisk(hdd, _OPEN),),
        KeptTierJournal(journal.documents(DUTY, "bench")),
        Leases(),
        TierBytes(clock, None),
        Arrs(),
        clock,
        lambda _key, _text: None,
    )
    for disk in world.disks:
        look_at(world, disk, adopt=True)
    return world


def copy(job: dict[str, Any], journal: SqliteJournal) -> dict[str, Any]:
    """Seconds of the whole story of one copy, from the look at the torrent to its proof in the journal."""
    clock = _UnhurriedClock()
    client = ReadingClient(CLIENT, clock)  # type: ignore[arg-type]  any clock will do
    torrent = client.add(Path(job["torrent"]).read_bytes(), job["ssd"])
    world = _world(job, client, clock, journal)
    story = CopyStory(
        world, PromisedRoom(world.settings.keep_free), FilesUnderWay(clock, world.leases), (CLIENT, torrent)
    )
    began = time.monotonic()
    record = story.run()
    seconds = time.monotonic() - began
    return {"seconds": seconds, "counts": record.counts}


def judge(job: dict[str, Any], journal: SqliteJournal) -> dict[str, Any]:
    """Seconds of rounds of one worker on a real client, in report mode: all copies are proven, and room is short."""
    clock = SystemClock()
    client = RTorrentClient(RTorrentSettings(job["socket"], session_folder=job["session"]), clock)
    with closing(client):
        end = TierEndClient(CLIENT, client, clock, reads_relocated=False)
        world = _world(job, end, clock, journal)
        world = replace(
            world, settings=replace(world.settings, free_low=DiskAmount(1 << 60), free_high=DiskAmount(1 << 60))
        )
        for torrent in end.torrents():
            world.journal.save_copy(_proven(world, end, torrent))
        worker = TierWorker(world, nullcontext)
        seconds = []
        for _ in range(_ROUNDS):
            began = time.monotonic()
            report = worker.round()
            seconds.append(time.monotonic() - began)
        ((_, plan),) = report.plans
        return {"seconds": seconds, "judged": len(plan.leaving) + len(plan.staying)}


def _proven(world: TierWorld, end: TierClient, torrent: Torrent) -> CopyRecord:
    """A record of a copy that lies on the disk behind already."""
    (target,) = world.targets
    found = originals_of(world, world.clients[CLIENT], torrent, end.files(torrent.id))
    originals = stamps_of(found.paths, found.found)
    copies = stamps_of(found.paths, target.find(found.paths))
    proof = CopyProof(
        world.clock.now(), target.root, look_at(world, target).id, found.folder, copies, originals, 1, read_back=True
    )
    return CopyRecord(CLIENT, torrent.id, torrent.name, CopyStage.TOLD, proof.at, target.root, found.folder, proof)


def main() -> None:
    """Read the job from standard input, print what was measured."""
    job = json.load(sys.stdin)
    collect_rarely()  # as the command does
    with closing(SqliteJournal(Path(job["state"]) / "journal.sqlite3", SystemClock())) as journal:
        print(json.dumps({"copy": copy, "judge": judge}[job["do"]](job, journal)))


if __name__ == "__main__":
    main()
