"""Commands that a timer begins, look once and end: they send what needs somebody before they end, and each trouble once."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from dataclasses import replace

import pytest

from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from tests.fakes.clock import FakeClock
from torrent_mover.adapters.outlets.notify import Notifications
from torrent_mover.adapters.outlets.told_notices import SECTION, ToldNotices
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.commands.tiering import work
from torrent_mover.domain.errors import MoverError
from torrent_mover.domain.redact import Redactor
from torrent_mover.domain.report.events import Level, Noticed
from torrent_mover.domain.report.notices import AGAIN_AFTER, WARNINGS, NoticeDesk
from torrent_mover.domain.settings.general import NotifyOn

TIER = """\
[CLIENT box]
type = rtorrent
url = {folder}/nobody.sock

[TIER ssd]
client = box
ssd = {folder}/ssd
targets = *:{folder}/hdd
free_low = 5G
"""
HEALTH = """\
[CLIENT box]
type = rtorrent
url = {folder}/nobody.sock

[HEALTH tv]
client = box
"""
DEBRID = """\
[DEBRID mine]
token = not-the-token-of-it
url = {url}
media_roots = {folder}/media
mounts = {folder}/mount = zurg
"""
PROGRAM = "import sys, time; open(sys.argv[1] + '/' + str(time.monotonic_ns()), 'w').write(sys.stdin.read())"
WARNED = Noticed(1_000.0, None, Level.WARN, "the disk is away", route="ssd")


@pytest.fixture
def told(desk):
    """Runs the command with a config; gives all that was told until now."""
    folder = desk.folder / "told"
    folder.mkdir()
    command = shlex.join([sys.executable, "-c", PROGRAM, str(folder)])

    def run(config: str, *words: str) -> list[dict]:
        general = f"[General]\nstate_dir = {desk.folder}/state\nnotify_command = {command}\n"
        desk.config.write_text(config.format(folder=desk.folder, url=double.url) + general)
        desk.config.chmod(0o600)
        assert desk.run(*words).code not in (0, 2)
        return [json.loads(path.read_text()) for path in sorted(folder.iterdir())]

    for name in ("ssd", "hdd", "media"):
        (desk.folder / name).mkdir()
    with RealDebridDouble(DebridWorld()) as double:
        yield run


@pytest.mark.parametrize(
    ("config", "words", "title", "what"),
    [
        (TIER, ("tier", "-q"), "tier ssd needs you", "nobody.sock"),
        (HEALTH, ("health", "-q"), "health tv needs you", "clocks stand"),
        (DEBRID, ("debrid", "run", "-q"), "debrid mine needs you", "token"),
    ],
)
def test_a_one_shot_tells_before_it_ends_and_the_next_one_does_not_tell_it_again(told, config, words, title, what):
    (notice,) = told(config, *words)

    assert notice["title"] == title
    assert what in notice["text"]
    assert told(config, *words) == [notice]


def test_what_a_person_asks_for_is_told_to_that_person_alone(told):
    assert told(TIER, "tier", "--verify", "a" * 40) == told(TIER, "tier", "--evict", "a" * 40) == []


@pytest.mark.parametrize("words", [("--dry-run",), ("--recopy", "aaaa"), ()])
def test_what_ends_a_command_as_a_whole_is_printed_once(told, desk, monkeypatch, words):
    def refused(*_):
        raise MoverError("it has no such socket", kept="Nothing was changed.")

    for act in ("_plan", "_recopy", "_round"):
        monkeypatch.setattr(work, act, refused)
    notices = told(TIER, "tier", *words)
    said = desk.run("tier", *words)

    assert (said.out + said.err).count("it has no such socket") == 1
    assert [notice["title"] for notice in notices] == ([] if words else ["tier ssd needs you"])


class Telling:
    """Notifications over a journal, as a process has them."""

    def __init__(self, path, clock, teller, patience=10.0):
        self.journal = SqliteJournal(path, clock, Redactor())
        self.desk = NoticeDesk(tuple(NotifyOn), "tier", WARNINGS, ToldNotices(self.journal.documents(SECTION, "tier")))
        self.told = Notifications(self.desk, [teller], Redactor(), patience=patience)

    def hear(self, *events):
        for event in events:
            self.told(event)
        self.told.close()
        self.journal.close()


@pytest.fixture
def process(tmp_path):
    return lambda *how: Telling(tmp_path / "journal.sqlite3", FakeClock(), *how)


def test_what_was_told_is_known_to_the_next_process_for_a_day(process):
    heard = []

    def tell(notice, _data):
        heard.append(notice.text)

    process(tell).hear(WARNED, WARNED)
    process(tell).hear(replace(WARNED, at=WARNED.at + AGAIN_AFTER - 1), replace(WARNED, text="another disk"))
    assert heard == ["the disk is away", "another disk"]
    process(tell).hear(replace(WARNED, at=WARNED.at + AGAIN_AFTER))
    assert heard[2:] == ["the disk is away"]


def test_what_another_process_has_told_since_is_not_told_again_by_one_that_stays(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.sqlite3", FakeClock(), Redactor())
    staying, timer = (
        NoticeDesk(tuple(NotifyOn), "tier", WARNINGS, ToldNotices(journal.documents(SECTION, "tier"))) for _ in range(2)
    )
    for desk, after in ((staying, 0.0), (timer, AGAIN_AFTER)):
        notice = desk.notice(replace(WARNED, at=WARNED.at + after))
        desk.sent(notice, WARNED.at + after)

    assert staying.notice(replace(WARNED, at=WARNED.at + AGAIN_AFTER + 60)) is None
    journal.close()


def test_what_could_not_be_sent_is_tried_by_the_next_process(process):
    heard = []

    def fail(_notice, _data):
        raise MoverError("nobody listens")

    process(fail).hear(WARNED)
    process(lambda notice, _data: heard.append(notice.text)).hear(WARNED)

    assert heard == ["the disk is away"]


def test_the_end_waits_for_a_teller_that_hangs_no_longer_than_it_may(process, caplog):
    released, heard = threading.Event(), []
    try:
        process(lambda _notice, _data: released.wait(), 0.2).hear(WARNED)
        assert "not sent within 0.2 s" in caplog.text
        process(lambda notice, _data: heard.append(notice.text)).hear(WARNED)
    finally:
        released.set()

    assert heard == ["the disk is away"]
