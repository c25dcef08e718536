"""States of tiers as FakeTierControls: what their screens are looked at in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.fakes.snapshots import AT, GIB, MIB, a_hash
from tests.fakes.tier_control import FakeTierControl
from tests.tui.scenes import HOSTILE
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.snapshot import LogLine, Trouble
from torrent_mover.domain.report.tiers import (
    AlarmView,
    ArrWaitView,
    CandidateView,
    DiskRole,
    DiskView,
    PinView,
    QueuedView,
    TierPhase,
    TierRoundView,
    TierSnapshot,
    TierTask,
    TierView,
    TierWorkerView,
    WorkView,
)

HOUR, DAY = 3600.0, 86400.0
AWAY = Trouble(
    "TM-E151",
    "/downloads/hdd is not used: it is not mounted.",
    "Nothing is copied, relocated or deleted there, and nothing is written there.",
    "Mount its disk at /downloads/hdd.",
)
SNAPSHOTS = Trouble(
    "TM-E154",
    "Two evictions in a row freed nothing on /downloads/ssd: snapshots?",
    "Evicting has stopped for this round; the copies are on the targets.",
    "Look at what keeps the data there: snapshots, or a trash folder on the file system of /downloads/ssd.",
)
EXPLANATION = (
    "00000002 Tears of Steel 2012 2160p HDR",
    "  is on the SSD, /downloads/ssd/films",
    "  copy: proven, 1056 pieces, /downloads/hdd/films",
    "  shares files with Tears.of.Steel.Cross.Seed: they leave together or not at all",
    "  may leave the SSD when room is short",
)


def a_disk(**changes: Any) -> DiskView:
    """An SSD below its mark for low space."""
    plain = DiskView(
        "/downloads/ssd", DiskRole.SSD, int(88.1 * GIB), int(931.5 * GIB), 100 * GIB, 125 * GIB, 50 * GIB
    )  # fmt: skip
    return replace(plain, **changes)


def a_target(**changes: Any) -> DiskView:
    """A large disk with room."""
    plain = DiskView("/downloads/hdd", DiskRole.TARGET, int(6200 * GIB), int(16764 * GIB), 10 * GIB)
    return replace(plain, **changes)


def a_copy(**changes: Any) -> WorkView:
    """A copy at the reading back."""
    plain = WorkView(
        "box", a_hash(0xABCD1234), "Big.Buck.Bunny.2008.2160p.BluRay.REMUX.HEVC", 58 * GIB, TierTask.COPY, "read_back", 0.81,
        AT - 900, done=24 * GIB, total=58 * GIB, rate=184.2 * MIB, eta=188.0, target="/downloads/hdd/films",
    )  # fmt: skip
    return replace(plain, **changes)


def an_eviction(**changes: Any) -> WorkView:
    """An eviction whose copy is checked by the client."""
    plain = WorkView(
        "box", a_hash(0x5E0D9913), "[Fansub] Sintel - Open Movie (2010) [1080p]", 40 * GIB, TierTask.EVICT, "checking", 0.46,
        AT - 240, done=19 * GIB, total=40 * GIB, rate=96.0 * MIB, eta=260.0, eta_is_guess=True, together=2,
        target="/downloads/hdd/films",
    )  # fmt: skip
    return replace(plain, **changes)


def a_candidate(number: int, name: str, gib: float, **changes: Any) -> CandidateView:
    """A torrent on the SSD with a proven copy, that stays."""
    plain = CandidateView(
        "box", a_hash(number), name, "films", int(gib * GIB), int(gib * GIB), None, AT - number * DAY, proven=True, ratio=1.84,
        copy=f"proven, {number * 528} pieces, /downloads/hdd/films", path="/downloads/ssd/films", disk="/downloads/ssd",
    )  # fmt: skip
    return replace(plain, **changes)


def candidates() -> tuple[CandidateView, ...]:
    """Two that leave, then those that stay, each for a reason of its own."""
    return (
        a_candidate(2, "Tears of Steel 2012 2160p HDR", 33, place=1, together=2, reasons=("the oldest that may leave",)),
        a_candidate(3, "Spring.2019.2160p.Blender", 8, place=2, reasons=("next in order",)),
        a_candidate(4, "拥抱艳阳天 Elephants Dream 2006", 12, pinned=True, reasons=("it is pinned",), takes="unpin it: p"),
        a_candidate(
            5, "Cosmos.Laundromat.2015.1080p", 4.2, upload_rate=int(3.4 * MIB), reasons=("it uploads 3.4 MiB/s",),
            takes="less than 1.0 MiB/s (keep_active), or free space below the critical mark",
        ),
        a_candidate(
            6, "Agent 327: Operation Barbershop", 2.1, finished_at=AT - 2000,
            reasons=("it finished 33m20s ago, under 1h00m",), takes="26:40 more (min_age)",
        ),
        a_candidate(
            7, "Caminandes.Llamigos.2016", 1.1, proven=False, copy="",
            reasons=("it has no proven copy yet",), takes="a proven copy",
        ),
        a_candidate(
            8, "Glass Half 2015", 0.9, frees=0, takes="the folder in link_roots",
            reasons=("900.0 MiB are linked elsewhere (not in link_roots), so that it would free nothing",),
        ),
    )  # fmt: skip


def a_tier(**changes: Any) -> TierView:
    """A tier at work: a copy, an eviction, three in the queue, one pinned."""
    plain = TierView(
        name="ssd",
        client="box",
        acts=True,
        phase=TierPhase.WORKING,
        worker=TierWorkerView(812, AT - 4407, AT - 1, "copying ABCD1234 Big.Buck.Bunny.2008", AT + 252),
        disks=(a_disk(), a_target()),
        works=(a_copy(), an_eviction()),
        queue=(
            QueuedView("box", a_hash(0x9F3C0A11), "ubuntu-26.04-desktop-amd64.iso", int(6.2 * GIB), AT - 150, "hook"),
            QueuedView("box", a_hash(0x9F3C0A12), "debian-13.1.0-amd64-DVD-1.iso", int(3.7 * GIB), AT - 90, "sweep"),
            QueuedView(
                "box", a_hash(0x9F3C0A13), "The.Copy.That.Did.Not.Fit", 900 * GIB, AT - 9000, "person", 2, AT + 600,
                "No target has room for 900.0 GiB.",
            ),
        ),
        candidates=candidates(),
        pins=(PinView("box", a_hash(4), "拥抱艳阳天 Elephants Dream 2006", 12 * GIB, "by command", by_command=True),),
        rounds=(
            TierRoundView(AT - 320, 41.0, 3, 2, 0, 0, 41 * GIB),
            TierRoundView(AT - 720, 12.0, 0, 0, 0, 0, 0),
            TierRoundView(AT - DAY, 900.0, 1, 0, 4, 1, 0),
        ),
        arr_waits=(ArrWaitView("radarr", a_hash(3), "Spring.2019.2160p.Blender", AT - 600, "it does not answer"),),
    )  # fmt: skip
    return replace(plain, **changes)


def a_second_tier(**changes: Any) -> TierView:
    """Another one, that only reports and has nothing to do."""
    plain = TierView(
        "scratch", "other", acts=False, phase=TierPhase.IDLE, worker=TierWorkerView(813, AT - 90, AT - 2, "", AT + 30),
        disks=(a_disk(path="/mnt/scratch", free=400 * GIB, critical=None), a_target(path="/mnt/archive")),
    )  # fmt: skip
    return replace(plain, **changes)


def log_lines() -> list[LogLine]:
    """What workers say."""
    said = [
        (Level.INFO, None, "tier ssd: 3 copied, 2 evicted, 41.0 GiB freed in 41 s; next round in 5m00s"),
        (Level.DEBUG, None, "tier ssd: nothing to do in 0.4 s"),
        (Level.INFO, 2, "Finished copying Tears of Steel 2012 2160p HDR in 412.07 seconds"),
        (Level.WARN, 0x9F3C0A13, "No target has room for 900.0 GiB. It waits; smaller ones go on."),
        (Level.INFO, 0x5E0D9913, "[Fansub] Sintel left the SSD: 88.1 GiB free, under 125.0 GiB [/red]"),
        (Level.ERROR, 8, "Glass Half 2015 is not evicted: it would free nothing. [TM-E343]"),
    ]
    return [
        LogLine(number, AT - 400 + 40 * number, level, None if torrent is None else a_hash(torrent), text)
        for number, (level, torrent, text) in enumerate(said, 1)
    ]


def a_control(*tiers: TierView, works_here: bool = True) -> FakeTierControl:
    """A control over these tiers, with a log and an explanation."""
    control = FakeTierControl(TierSnapshot(AT, "4.0.0", tiers, works_here))
    control.lines = log_lines()
    control.explanation = EXPLANATION
    return control


def working() -> FakeTierControl:
    """Something of everything."""
    return a_control(a_tier())


def idle() -> FakeTierControl:
    """Enough is free, nothing waits."""
    worker = TierWorkerView(812, AT - 4407, AT - 1, "", AT + 252)
    stays = tuple(replace(each, place=None, reasons=("enough is free",), takes="") for each in candidates()[:3])
    tier = a_tier(
        phase=TierPhase.IDLE, worker=worker, disks=(a_disk(free=300 * GIB), a_target()), works=(), queue=(), candidates=stays,
        arr_waits=(),
    )  # fmt: skip
    return a_control(tier)


def alarmed() -> FakeTierControl:
    """The target is away, evicting has no effect, and the worker gives no sign."""
    tier = a_tier(
        worker=TierWorkerView(812, AT - 4407, AT - 260, "", None),
        phase=TierPhase.IDLE,
        disks=(a_disk(free=20 * GIB), a_target(free=None, total=None, away="it is not mounted")),
        works=(),
        alarms=(AlarmView(AT - 500, AWAY), AlarmView(AT - 9000, SNAPSHOTS)),
    )
    second = a_second_tier(
        alarms=(AlarmView(AT - DAY, replace(AWAY, what="/mnt/archive is full.", remedy="Free some space.")),)
    )
    return a_control(tier, second)


def empty() -> FakeTierControl:
    """A tier on its first day, without a worker."""
    return a_control(TierView("ssd", "box", acts=True, phase=TierPhase.ABSENT, worker=None))


def no_tier() -> FakeTierControl:
    """Nothing is configured."""
    control = a_control()
    control.lines = []
    return control


def report() -> FakeTierControl:
    """A tier that only reports, and another one: seen from another process."""
    return a_control(a_second_tier(candidates=candidates(), disks=(a_disk(), a_target())), a_tier(), works_here=False)


def stuck() -> FakeTierControl:
    """A copy without a byte, an eviction that goes back."""
    return a_control(
        a_tier(
            works=(
                a_copy(stage="copying", stalled_for=94.0, rate=0.0, eta=None),
                an_eviction(stage="returning", rate=0.0),
            )
        )
    )


def hostile() -> FakeTierControl:
    """Names and messages that act on terminals, wherever there is text."""
    name = dict(enumerate(HOSTILE))
    works = tuple(a_copy(id=a_hash(90 + number), name=text, stage=text, target=text) for number, text in name.items())[
        :2
    ]
    found = tuple(
        a_candidate(number + 1, text, 1, label=text, reasons=(text,), takes=text, copy=text, path=text)
        for number, text in name.items()
    )
    trouble = Trouble("TM-E151", HOSTILE[1], HOSTILE[2], HOSTILE[3])
    tier = a_tier(
        name=HOSTILE[0],
        worker=TierWorkerView(1, AT - 5, AT, HOSTILE[3], None),
        disks=(a_disk(path=HOSTILE[4]), a_target(path=HOSTILE[1], free=None, away=HOSTILE[2])),
        works=works,
        queue=(QueuedView("box", a_hash(80), HOSTILE[5], GIB, AT - 5, HOSTILE[6], 1, None, HOSTILE[7]),),
        candidates=found,
        pins=(PinView("box", a_hash(1), HOSTILE[0], GIB, HOSTILE[1], by_command=True),),
        alarms=(AlarmView(AT - 5, trouble),),
        arr_waits=(ArrWaitView(HOSTILE[0], a_hash(3), HOSTILE[1], AT - 600, HOSTILE[2]),),
    )
    control = a_control(tier)
    control.explanation = HOSTILE
    return control


def many(count: int = 1500) -> FakeTierControl:
    """A long list."""
    found = tuple(
        a_candidate(
            number,
            f"Torrent.Number.{number:04}.1080p",
            1 + number % 40,
            place=number if number <= 5 else None,
            reasons=("enough gets free without it",),
        )
        for number in range(1, count + 1)
    )
    return a_control(a_tier(works=(a_copy(),), candidates=found))


SCENES: dict[str, Callable[[], FakeTierControl]] = {
    "working": working,
    "idle": idle,
    "alarmed": alarmed,
    "empty": empty,
    "no-tier": no_tier,
    "report": report,
    "stuck": stuck,
    "hostile": hostile,
    "many": many,
}
