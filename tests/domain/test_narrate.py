from dataclasses import dataclass, replace

import pytest

from torrent_mover.domain.move import Outcome, Stage
from torrent_mover.domain.report.events import (
    CheckFailed,
    CheckPassed,
    Event,
    Level,
    MoveDone,
    MoveFailed,
    MoveRetried,
    MoveStarted,
    Noticed,
    PreflightPassed,
    QueuePlanned,
    RunEnded,
    RunStarted,
    StageEntered,
)
from torrent_mover.domain.report.narrate import narrate
from torrent_mover.domain.torrent.torrent import InfoHash

TORRENT = InfoHash("a1b2c3d4" + "0" * 32)
GIB = 1024**3
NAME = "[Fansub] Sintel - Open Movie (2010) [1080p]"
DONE = MoveDone(
    0.0, TORRENT, NAME, outcome=Outcome.MOVED, size=58 * GIB, sent=58 * GIB, took=797.0, pieces=14873, repaired=0
)


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        (
            RunStarted(0.0, "0193f7a2", "seedbox -> nas", "sftp", "/etc/torrent-mover/config.ini"),
            Level.INFO,
            "run 0193f7a2: seedbox -> nas, sftp, config /etc/torrent-mover/config.ini",
        ),
        (
            CheckPassed(0.0, "space on nas", "1.8 TiB free", 0.04),
            Level.DEBUG,
            "check space on nas: 1.8 TiB free (0.0 s)",
        ),
        (
            CheckFailed(0.0, "ssh nas:22", "Its key is not known", "Run ssh-keyscan.", "TM-E204", fatal=True, took=0.1),
            Level.ERROR,
            "check ssh nas:22: Its key is not known. Run ssh-keyscan. [TM-E204]",
        ),
        (
            CheckFailed(0.0, "share limits", "They could fire.", "", "TM-E110", fatal=False, took=0.1),
            Level.WARN,
            "check share limits: They could fire. [TM-E110]",
        ),
        (PreflightPassed(0.0, 11, 2.14), Level.INFO, "preflight ok: 11 checks in 2.1 s"),
        (QueuePlanned(0.0, 12, int(214.6 * GIB), 2), Level.INFO, "queue: 12 torrents, 214.6 GiB, 2 not moved"),
        (QueuePlanned(0.0, 1, GIB, 0), Level.INFO, "queue: 1 torrent, 1.0 GiB"),
        (
            MoveStarted(0.0, TORRENT, NAME, 58 * GIB, 14, 0),
            Level.INFO,
            f"a1b2c3d4 start: {NAME} (58.0 GiB, 14 files)",
        ),
        (
            MoveStarted(0.0, TORRENT, "x", 58 * GIB, 1, 2 * GIB),
            Level.INFO,
            "a1b2c3d4 start: x (58.0 GiB, 1 file, 2.0 GiB already there)",
        ),
        (StageEntered(0.0, TORRENT, NAME, Stage.CHECKING), Level.DEBUG, "a1b2c3d4 stage: checking"),
        (DONE, Level.INFO, "a1b2c3d4 done: 58.0 GiB in 13m17s, 74.5 MiB/s, 14873/14873 pieces, source deleted"),
        (
            replace(DONE, outcome=Outcome.COPIED, sent=0, repaired=3, detail="its files are shared with 77aa01fe"),
            Level.INFO,
            "a1b2c3d4 done: 58.0 GiB in 13m17s, 14873/14873 pieces, 3 pieces repaired, source kept"
            " (its files are shared with 77aa01fe)",
        ),
        (
            MoveRetried(
                0.0, TORRENT, NAME, "rsync exit 12, connection dropped", "31.2 GiB kept", "TM-E213", 2, 5, 45.0
            ),
            Level.WARN,
            "a1b2c3d4 rsync exit 12, connection dropped. 31.2 GiB kept. retry 2/5 in 45 s [TM-E213]",
        ),
        (
            MoveRetried(0.0, TORRENT, NAME, "Connection lost.", "", "TM-E213", 2, 5, 0.0),
            Level.WARN,
            "a1b2c3d4 Connection lost. retry 2/5 now [TM-E213]",
        ),
        (
            MoveFailed(0.0, TORRENT, "x", "Disk full.", "Source kept.", "Free some space.", "TM-E122"),
            Level.ERROR,
            "a1b2c3d4 failed: Disk full. Source kept. Free some space. (x) [TM-E122]",
        ),
        (Noticed(0.0, TORRENT, Level.WARN, "slow"), Level.WARN, "a1b2c3d4 slow"),
        (Noticed(0.0, None, Level.INFO, "scan"), Level.INFO, "scan"),
        (
            RunEnded(0.0, "0193f7a2", 11, 1, int(210.2 * GIB), 4440.0, 1),
            Level.WARN,
            "run 0193f7a2 end: 11 moved, 1 failed, 210.2 GiB in 1h14m, 48.5 MiB/s, exit 1",
        ),
        (
            RunEnded(0.0, "0193f7a2", 0, 0, 0, 0.0, 130, "stopped by SIGINT"),
            Level.WARN,
            "run 0193f7a2 end: 0 moved, 0 failed, 0 B in 0.0 s, exit 130 (stopped by SIGINT)",
        ),
    ],
)
def test_events_as_lines(event, level, text):
    line = narrate(event)
    assert (line.level, line.full) == (level, text)


def test_a_run_without_failures_ends_without_a_warning():
    assert narrate(RunEnded(0.0, "r", 3, 0, 100, 1.0, 0)).level is Level.INFO


def test_hostile_names_are_escaped_and_passkeys_hidden():
    line = narrate(MoveStarted(0.0, TORRENT, "x\x1b[2J\nfake", 1, 1, 0))
    assert r"x\x1b[2J\x0afake" in line.text
    told = narrate(Noticed(0.0, None, Level.WARN, "https://t.example.org/0123456789abcdef/announce is down"))
    assert told.text == "https://t.example.org/••• is down"


def test_an_event_of_a_kind_not_known_here_is_told_by_its_name():
    @dataclass(frozen=True)
    class SomethingNew(Event):
        pass

    assert narrate(SomethingNew(0.0)).text == "SomethingNew"
