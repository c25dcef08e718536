"""Tiers as plain lines: everything that workers say, where they stand, and why something needs somebody."""

from __future__ import annotations

import io
import re
from dataclasses import replace

from tests.fakes.snapshots import AT, a_hash
from tests.tui import tier_scenes as scenes
from torrent_mover.domain.report.events import Level, Noticed, TierRoundEnded, TiersStopped
from torrent_mover.domain.report.tiers import TierPhase, TierWorkerView
from torrent_mover.simple.tiering import TierReporter, tiers_text

FINISHED = "Finished copying Show.S01E01.1080p in 12.34 seconds"
ENDED = TiersStopped(AT, 0)


def report(*events, control=None, **options):
    """Let a reporter print these events to its end; returns what stands on out and err."""
    control = control or scenes.working()
    out, err = io.StringIO(), io.StringIO()
    reporter = TierReporter(control, out, err, **{"tty": False, **options})
    for event in events:
        control.emit(event)
    reporter.run_until_ended()
    assert control.listeners == []
    return out.getvalue(), err.getvalue()


def test_the_line_that_scripts_look_for_stands_as_it_was():
    out, err = report(Noticed(AT, a_hash(1), Level.INFO, FINISHED), ENDED)

    assert re.search(r"INFO +00000001 Finished copying Show\.S01E01\.1080p in 12\.34 seconds$", out, re.MULTILINE)
    assert err == ""


def test_the_journal_of_systemd_gets_it_too():
    out, _ = report(Noticed(AT, a_hash(1), Level.INFO, FINISHED), ENDED, journald=True)

    assert f"<6>00000001 {FINISHED}\n" in out


def test_a_failure_is_told_on_both_streams_and_alone_where_it_is_quiet():
    failure = Noticed(AT, a_hash(1), Level.ERROR, "Show is not evicted: it would free nothing. [TM-E343]")

    loud = report(failure, ENDED)
    quiet = report(failure, Noticed(AT, None, Level.INFO, FINISHED), ENDED, quiet=True)

    assert all("TM-E343" in text for text in loud)
    assert quiet[0] == ""
    assert "TM-E343" in quiet[1]
    assert "Finished" not in quiet[1]


def test_a_round_in_which_nothing_happened_is_a_line_for_debugging_only():
    nothing = TierRoundEnded(AT, "ssd", 0, 0, 0, 0, 0, 0, 0.4, 300.0)
    something = TierRoundEnded(AT, "ssd", 3, 2, 0, 1, 1, 41 << 30, 41.0, 300.0)

    assert "nothing to do" not in report(nothing, ENDED)[0]
    assert "tier ssd: nothing to do in 0.4 s; next round in 5m00s" in report(nothing, ENDED, debug=True)[0]
    told = report(something, ENDED)[0]
    assert "WARN  tier ssd: 3 copied, 2 evicted, 1 waiting for room, 1 failed, 41.0 GiB freed in 41 s" in told


def test_the_end_says_why_where_it_is_not_a_good_one():
    assert "INFO  tiers end: exit 0" in report(ENDED)[0]
    assert "WARN  tiers end: exit 143 (asked to end)" in report(TiersStopped(AT, 143, "asked to end"))[0]


def test_the_statistics_say_where_a_tier_stands():
    text = tiers_text(scenes.working().current)

    for part in (
        "ssd working", "88.1 GiB of 931.5 GiB free (low 100.0 GiB, high 125.0 GiB, critical 50.0 GiB)",
        "copy abcd1234 Big.Buck.Bunny.2008.2160p.BluRay.REMUX.HEVC: reading back 81 %, 184.2 MiB/s, ETA 3m08s",
        "3 queued", "2 torrents to leave, 41.0 GiB", "1 hand-over to an Arr waiting",
    ):  # fmt: skip
        assert part in text


def test_an_idle_tier_says_until_when_and_a_silent_one_that_it_is_silent():
    assert "ssd idle, next round in 4:12" in tiers_text(scenes.idle().current)
    assert "ssd silent for 4m20s" in tiers_text(scenes.alarmed().current)


def test_an_alarm_stands_in_one_line_with_what_helps():
    text = tiers_text(scenes.alarmed().current)

    assert (
        "alarm: /downloads/hdd is not used: it is not mounted. Helps: Mount its disk at /downloads/hdd. [TM-E151]"
        in text
    )
    assert "1 more alarm" in text
    assert "/downloads/hdd is away (it is not mounted)" in text


def test_nothing_in_a_line_acts_on_a_terminal():
    text = tiers_text(scenes.hostile().current)

    assert text.isprintable()


def test_no_tier_breaks_no_line():
    assert tiers_text(scenes.no_tier().current) == "stats: no tier"
    assert "ssd no worker" in tiers_text(scenes.empty().current)


class EndingControl:
    """Tiers that end once they were looked at so many times; their last event is lost."""

    def __init__(self, scene, looks):
        self.scene, self.looks = scene, looks
        self.listeners = []

    def snapshot(self):
        self.looks -= 1
        if self.looks <= 0:
            self.scene.show(phase=TierPhase.ENDED, works=(), queue=())
        return self.scene.snapshot()

    def subscribe(self, listener):
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


def test_statistics_are_told_while_something_is_done_and_end_when_it_is_over():
    out, _ = report(control=EndingControl(scenes.working(), 4), stats_every=0.0)

    assert out.count("stats: ssd working") == 2


def test_an_idle_tier_repeats_nothing_in_a_log():
    out, _ = report(control=EndingControl(scenes.idle(), 5), stats_every=0.0)

    assert out == ""


def test_a_terminal_shows_an_idle_tier_in_one_line_that_is_drawn_again():
    out, _ = report(control=EndingControl(scenes.idle(), 3), stats_every=0.0, tty=True)

    assert "\r\x1b[Kstats: ssd idle" in out


def test_a_worker_that_waits_for_somebody_to_ask_promises_no_time():
    control = scenes.idle()
    control.show(worker=TierWorkerView(1, AT - 5, AT))
    control.current = replace(control.current, at=AT)

    assert "ssd idle," in tiers_text(control.current)
    assert "next round" not in tiers_text(control.current)


def test_a_tier_that_a_person_has_paused_is_paused_and_not_silent():
    control = scenes.idle()
    control.show(phase=TierPhase.PAUSED, worker=TierWorkerView(1, AT - 5000, AT - 4000, paused=True))
    control.current = replace(control.current, at=AT)

    assert "ssd paused" in tiers_text(control.current)
    assert "silent" not in tiers_text(control.current)
