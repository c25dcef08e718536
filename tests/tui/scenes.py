"""States of a run as FakeControls: what the screens are looked at in."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from tests.fakes.control import FakeControl
from tests.fakes.snapshots import AT, GIB, MIB, a_hash, a_move, a_server, a_snapshot, a_wire
from torrent_mover.domain.move import HistoryEntry, Outcome, Stage
from torrent_mover.domain.report.events import Level
from torrent_mover.domain.report.snapshot import (
    AttemptView,
    CheckView,
    FileView,
    HistoryView,
    HostHealth,
    LogLine,
    MoveDetail,
    MoveStatus,
    MoveView,
    NotMoved,
    Phase,
    PieceMark,
    StageView,
    Step,
    StepProgress,
    Trouble,
)

DROPPED = Trouble(
    "TM-E213",
    "nas:22 closed the connection while part2.mkv was written (rsync exit 12).",
    "Nothing is lost: 31.2 GiB stay on nas and the push goes on from there.",
    "If this repeats, look at free space and the sshd limits on nas: torrent-mover doctor",
)
DENIED = Trouble(
    "TM-E121",
    "mkdir /mnt/data/downloads/movies: Permission denied as user media (uid 1001).",
    "Nothing was deleted; 12.0 GiB wait in the cache.",
    "sudo chown media:media /mnt/data/downloads\nsudo setfacl -m u:media:rwx /mnt/data/downloads",
)
HOSTILE = (
    "Show [1080p][/red] [bold]x[/]",
    "\x1b]0;owned\x07\x1b[2J clears",
    "\u202egnp.exe \u2066right\u2069 to left",
    "\x9b31m C1 and \x00 nul",
    "拥抱艳阳天 Elephants Dream 2006 " + "很" * 40,
    "\udce9\udcff no UTF-8",
    "e\u0301\u0301\u0301 combining \U0001f469\u200d\U0001f680 joined",
    "line\nbreak\r\tand tab",
)


NOT_CARRIED = "uploaded=65713211801 downloaded=0 ratio=1.84 seeding_time=345600 added_on=1795000000"
"""As the journal has it."""


def samples(level: float, count: int = 160, phase: float = 0.0) -> tuple[float, ...]:
    """A plausible minute or two of traffic, the same at each run."""
    return tuple(
        max(0.0, level * (0.75 + 0.3 * math.sin(index / 9 + phase) + 0.12 * math.sin(index * 2.3 + phase))) * MIB
        for index in range(count)
    )


def steps(pulled: int, pushed: int, total: int, *, reused: int = 0, now: Step = Step.PULL) -> tuple[StepProgress, ...]:
    """The five steps of a relayed move."""
    rate = {Step.PULL: 15.9 * MIB, Step.PUSH: 39.2 * MIB, Step.CHECK: 210.0 * MIB}
    done = {Step.PULL: pulled, Step.PUSH: pushed, Step.CHECK: total if now is Step.FINISH else 0}
    return tuple(
        StepProgress(
            step=step,
            done=done.get(step, 0),
            total=total if step in done else 1,
            reused=reused if step is Step.PULL else 0,
            rate=rate[step] if step is now and step in rate else 0.0,
            eta=865.0 if step is now else None,
        )
        for step in Step
    )


def busy_moves() -> tuple[MoveView, ...]:
    """Pulling, pushing, checking, retrying and a queue."""
    whole = 61 * GIB
    active = [
        a_move(
            name="Big.Buck.Bunny.2008.2160p.BluRay.REMUX.HEVC",
            steps=steps(18 * GIB, 0, 58 * GIB, reused=int(2.1 * GIB)),
            reused_fraction=0.03,
            doing="00003.m2ts at 16.2 GiB",
            watchdog_in=1500.0,
        ),
        a_move(
            id=a_hash(0x5E0D9913), name="[Fansub] Sintel - Open Movie (2010) [1080p]", size=40 * GIB,
            step=Step.PUSH, steps=steps(40 * GIB, 20 * GIB, 40 * GIB, now=Step.PUSH), fraction=0.62, rate=39.2 * MIB,
            eta=528.0, doing="pushing to nas", watchdog_in=1499.0,
        ),
        a_move(
            id=a_hash(0x0F00BEEF), name="Tears of Steel 2012 2160p HDR", size=33 * GIB, stage=Stage.CHECKING,
            step=Step.CHECK, steps=steps(33 * GIB, 33 * GIB, 33 * GIB, now=Step.CHECK), fraction=0.97, rate=210.0 * MIB,
            eta=15.0, doing="recheck 45 % on nas", watchdog_in=1480.0, waits=True,
        ),
        a_move(
            id=a_hash(0x77AA01FE), name="Spring.2019.2160p.Blender", size=whole, standing=MoveStatus.RETRYING,
            step=Step.PUSH, steps=steps(whole, int(31.2 * GIB), whole, now=Step.PUSH), fraction=0.72, rate=0.0, eta=None,
            doing="", attempt=2, retry_in=38.0, why="connection dropped by nas", trouble=DROPPED,
        ),
    ]  # fmt: skip
    waiting = [
        ("ubuntu-26.04-desktop-amd64.iso", 55.2, "next free slot"),
        ("debian-13.1.0-amd64-DVD-1.iso", 46.4, ""),
        ("拥抱艳阳天 Elephants Dream 2006", 12.0, ""),
        ("archlinux-2026.11.01-x86_64.iso", 1.4, ""),
        ("kali-linux-2026.3", 3.9, "must seed 12:04 more"),
        ("fedora-workstation-43", 1.9, "shares files with 2"),
    ]
    return (*active, *(queued(number, *what) for number, what in enumerate(waiting, 100)))


def queued(number: int, name: str, gib: float, why: str = "") -> MoveView:
    """A torrent that waits."""
    return a_move(
        id=a_hash(number), name=name, size=int(gib * GIB), standing=MoveStatus.QUEUED, stage=Stage.PLANNED, step=None,
        fraction=0.0, rate=0.0, eta=None, doing="", attempt=0, why=why, started_at=None,
        added_on=int(AT) - 7200 * (number - 99),
    )  # fmt: skip


def log_lines() -> list[LogLine]:
    """What a run says."""
    said = [
        (Level.INFO, None, "preflight: all 11 checks passed in 2.1 s"),
        (Level.INFO, None, "queue: 12 torrents, 214.6 GiB, 3 not moved by rule"),
        (Level.INFO, 1, "pull started: Big.Buck.Bunny.2008.2160p.BluRay.REMUX.HEVC (58.1 GiB, 14 files)"),
        (Level.DEBUG, 1, "open 00003.m2ts at 2254857830"),
        (
            Level.WARN,
            0x77AA01FE,
            "rsync exit 12, connection dropped by nas; 31.2 GiB kept; retry 2/5 in 45 s [TM-E213]",
        ),
        (Level.INFO, 1, "resumed at 2.1 GiB already on the relay"),
        (Level.INFO, 0x0F00BEEF, "recheck 45 % on nas (qBittorrent)"),
        (Level.ERROR, 0x55, "recheck found 34 of 2640 pieces bad after 3 repairs; source kept [TM-E305] [/red]"),
    ]
    return [
        LogLine(number, AT - 400 + 40 * number, level, None if torrent is None else a_hash(torrent), text)
        for number, (level, torrent, text) in enumerate(said, 1)
    ]


def a_detail(move: MoveView) -> MoveDetail:
    """Files, pieces, stages and attempts that go with a move."""
    files = (
        FileView("Bunny/00003.m2ts", int(55.9 * GIB), int(16.2 * GIB), 0, 15.9 * MIB, "arriving"),
        FileView("Bunny/00001.m2ts", int(1.8 * GIB), int(1.8 * GIB), int(1.8 * GIB), 0.0, "there already"),
        FileView("Bunny/Extras/trailer [x].mkv", int(0.2 * GIB), 0, 0, 0.0, "waits"),
        FileView("Bunny/Bunny.nfo", 4096, 0, 0, 0.0, "waits"),
        *(FileView(f"Bunny/Subs/{number:02}.srt", 70_000, 0, 0, 0.0, "waits") for number in range(10)),
    )
    marks = [PieceMark.VERIFIED] * 900 + [PieceMark.ARRIVED] * 160 + [PieceMark.MISSING] * 1640
    marks[333] = PieceMark.BAD
    return MoveDetail(
        id=move.id,
        files=files,
        pieces=tuple(marks),
        stages=(
            StageView(Stage.PLANNED, AT - 300, 1.0),
            StageView(Stage.RESERVED, AT - 299, 0.0),
            StageView(Stage.UNLOCKED, AT - 299, 2.0),
            StageView(Stage.TRANSFERRING, AT - 297, None),
        ),
        attempts=(
            AttemptView(1, AT - 1900, 1833.0, int(31.2 * GIB), 17.4 * MIB, "rsync exit 12: connection dropped"),
            AttemptView(2, AT - 60, None, 0, 0.0, "waits"),
        ),
        facts=(
            ("category", "move-me -> movies"),
            ("trackers", "example.org"),
            ("path on the host", "/mnt/data/downloads/Bunny"),
            ("path for the client", "/data/downloads/Bunny"),
        ),
    )


def checks(*, failing: bool, running: bool = False) -> tuple[CheckView, ...]:
    """The eleven checks."""
    passed = [
        ("config.ini", "34 keys, no unknown keys"),
        ("source qBittorrent", "5.2.3 / API 2.12.1, api key"),
        ("destination qBittorrent", "4.6.7 / API 2.9.3, login"),
        ("ssh seedbox:22", "ed25519 key, host key known"),
        ("rsync here / seedbox / nas", "3.5.0 / 3.2.7 / 3.2.7"),
        ("paths", "source readable, nas writable"),
        ("space nas", "1.8 TiB free, needs 120.8 GiB"),
    ]
    result = [CheckView(name, True, text, 0.2, None, True) for name, text in passed]
    if running:
        result[-1] = CheckView("space nas", None, "", 0.0, None, True)
    if failing:
        path = Trouble(
            "TM-E110",
            "nas keeps files in /mnt/data/downloads, but the destination qBittorrent does not see that folder.",
            "Nothing was written.",
            "Set in [DESTINATION_PATHS]:\nremote_destination_path = /data/downloads",
        )
        key = Trouble(
            "TM-E204",
            "nas:22 presents SHA256:Qx0f9mE (ed25519), which was never accepted.",
            "",
            "Compare it on nas: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        )
        result.insert(
            4,
            CheckView("ssh nas:22", False, "host key not known yet", 0.3, key, False, "trust this key and remember it"),
        )
        result.insert(
            6,
            CheckView(
                "path as destination client sees it",
                False,
                "/downloads not found there",
                0.2,
                path,
                True,
                "write this line to config.ini",
            ),
        )
    return tuple(result)


def history() -> HistoryView:
    """A week."""
    rows = [
        ("Cosmos.Laundromat.2015", 33.1, 662, Outcome.MOVED, "", 0, 900),
        ("Sita.Sings.the.Blues", 7.9, 191, Outcome.COPIED, "kept: shares files with 1 torrent", 0, 2000),
        ("Night.of.the.Living.Dead", 21.4, 520, Outcome.MOVED, "", 3, 36000),
        (
            "Old.Failed.Show [/x]",
            22.0,
            2475,
            Outcome.FAILED,
            "34 of 2640 pieces differ after 3 repair passes; the source is kept.",
            34,
            36500,
        ),
        ("Valkaama", 4.4, 112, Outcome.MOVED, "", 0, 200000),
    ]
    entries = tuple(
        HistoryEntry(
            id=a_hash(0x900 + number), name=name, size=int(gib * GIB), started_at=AT - age - took, ended_at=AT - age,
            outcome=outcome, sent=int(gib * GIB * 0.9), reused=int(gib * GIB * 0.1), pieces=2119, repaired=repaired,
            run="0193f7a2", detail=detail, took=took, not_carried=NOT_CARRIED if number == 0 else "",
        )
        for number, (name, gib, took, outcome, detail, repaired, age) in enumerate(rows)
    )  # fmt: skip
    return HistoryView(
        entries, tuple((AT - 7 * 86400 + index * 3600, rate) for index, rate in enumerate(samples(46.0, 90)))
    )


def running() -> FakeControl:
    """A relay in full swing."""
    control = FakeControl(
        a_snapshot(
            mode="rsync_upload",
            moves=busy_moves(),
            not_moved=(
                NotMoved(
                    a_hash(0x801), "Private.Thing.S01", int(8.8 * GIB), int(AT) - 4 * 86400, "tracker on ignore list"
                ),
                NotMoved(a_hash(0x802), "Old.Failed.Show", 22 * GIB, int(AT) - 6 * 86400, "failed recheck"),
                NotMoved(a_hash(0x803), "Half.Done", int(4.1 * GIB), int(AT) - 7200, "99.2 % complete"),
            ),
            incoming=a_wire(now=25.6 * MIB, average=49.5 * MIB, samples=samples(48.0)),
            outgoing=a_wire(
                now=39.2 * MIB, average=25.7 * MIB, peak=54.1 * MIB, samples=samples(35.0, phase=2.0), limit=45.0 * MIB
            ),
            servers=(
                a_server(connections=5, reconnects=1, product="qBittorrent 5.2.3"),
                a_server(
                    name="nas",
                    role="destination",
                    product="qBittorrent 4.6.7",
                    connections=4,
                    free=int(1.8 * 1024 * GIB),
                    total=8192 * GIB,
                ),
            ),
            host=HostHealth(cpu=11.0, resident=96 * MIB, disk_rate=312.0 * MIB),
            cache_used=int(61.2 * GIB),
            cache_limit=250 * GIB,
            checks=checks(failing=False),
            troubles=1,
            next_scan_in=252.0,
        )
    )
    control.details = {move.id: a_detail(move) for move in control.current.moves}
    control.lines = log_lines()
    control.past = history()
    return control


def empty() -> FakeControl:
    """Nothing to move; watching."""
    quiet = a_wire(now=0.0, average=0.0, peak=0.0, samples=())
    return FakeControl(
        a_snapshot(
            phase=Phase.WATCHING,
            moves=(),
            fraction=0.0,
            eta=None,
            done_bytes=0,
            total_bytes=0,
            incoming=quiet,
            next_scan_in=252.0,
        )
    )


def planning() -> FakeControl:
    """Checks still run."""
    control = empty()
    control.show(phase=Phase.PREFLIGHT, next_scan_in=None, checks=checks(failing=False, running=True))
    return control


def refused() -> FakeControl:
    """Two checks failed."""
    control = empty()
    control.show(phase=Phase.REFUSED, next_scan_in=None, checks=checks(failing=True), troubles=2)
    return control


def retrying() -> FakeControl:
    """Everything waits to be tried again, one stalls."""
    control = running()
    moves = control.current.moves
    stall = replace(moves[0], rate=0.0, eta=None, stalled_for=42.0, watchdog_in=1458.0)
    others = tuple(
        replace(
            move,
            standing=MoveStatus.RETRYING,
            attempt=3,
            retry_in=45.0,
            why="connection dropped by nas",
            rate=0.0,
            trouble=DROPPED,
        )
        for move in moves[1:4]
    )
    control.show(moves=(stall, *others, *moves[4:]), troubles=3)
    return control


def failed() -> FakeControl:
    """A person must act."""
    control = running()
    moves = tuple(
        replace(move, standing=MoveStatus.FAILED, trouble=DENIED, rate=0.0, eta=None, attempt=1)
        for move in control.current.moves[:3]
    )
    control.show(moves=(*moves, *control.current.moves[4:]), troubles=3)
    return control


def finished() -> FakeControl:
    """Over, all well but one."""
    control = running()
    done = tuple(
        replace(
            move,
            standing=MoveStatus.DONE,
            stage=Stage.RELEASED,
            step=None,
            fraction=1.0,
            rate=0.0,
            eta=None,
            trouble=None,
            why="deleted there",
        )
        for move in control.current.moves
    )
    bad = replace(done[3], standing=MoveStatus.FAILED, trouble=DENIED, fraction=0.4, retry_in=None)
    silent = a_wire(now=0.0, samples=(0.0,) * 160)
    control.show(
        phase=Phase.ENDED, exit_code=1, ended_at=AT,
        moves=(*done[:3], bad, *done[4:]), fraction=0.96, eta=None, troubles=1, next_scan_in=None,
        incoming=silent, outgoing=silent,
    )  # fmt: skip
    return control


def many(count: int = 300) -> FakeControl:
    """A long queue."""
    control = running()
    more = tuple(
        queued(1000 + number, f"Some.Show.S{number // 20:02}E{number % 20:02}.1080p.WEB", 1.4)
        for number in range(count)
    )
    control.show(moves=(*control.current.moves, *more))
    return control


def hostile() -> FakeControl:
    """Names, messages, trackers and servers that try to act on the terminal."""
    control = running()
    bad = HOSTILE[0] + HOSTILE[1] + HOSTILE[2] + HOSTILE[3]
    trouble = Trouble("TM-E213", bad, bad, bad)
    moves = tuple(
        replace(
            move,
            name=HOSTILE[index % len(HOSTILE)],
            category=bad,
            target_category=bad,
            trackers=(bad,),
            doing=bad,
            why=bad,
            trouble=trouble if move.trouble else None,
        )
        for index, move in enumerate(control.current.moves)
    )
    control.show(
        moves=moves, source=bad, destination=bad, extended=bad, mode=bad, version=bad,
        not_moved=tuple(replace(one, name=bad, reason=bad) for one in control.current.not_moved),
        servers=tuple(replace(one, name=bad, role=bad, product=bad, breaker=bad) for one in control.current.servers),
        checks=tuple(
            replace(one, name=f"{index}{bad}", result=bad, passed=False, fatal=False, trouble=trouble, offer=bad)
            for index, one in enumerate(control.current.checks)
        ),
    )  # fmt: skip
    control.lines = [replace(one, text=bad) for one in control.lines]
    past = control.past
    control.past = HistoryView(
        tuple(replace(one, name=bad, detail=bad, run=bad, not_carried=bad) for one in past.entries), past.run_rates
    )
    control.details = {
        key: replace(
            detail,
            files=tuple(replace(one, path=bad, state=bad) for one in detail.files),
            attempts=tuple(replace(one, ended=bad) for one in detail.attempts),
            facts=((bad, bad + "/"),),
        )
        for key, detail in control.details.items()
    }
    return control


SCENES: dict[str, Callable[[], FakeControl]] = {
    "empty": empty,
    "planning": planning,
    "refused": refused,
    "running": running,
    "retrying": retrying,
    "failed": failed,
    "finished": finished,
    "many": many,
    "hostile": hostile,
}
