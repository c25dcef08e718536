"""Notifications, event log, metrics and systemd: what they tell, and that they neither block nor fail a run."""

from __future__ import annotations

import http.server
import json
import os
import shlex
import socket
import stat
import sys
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.control import FakeControl
from tests.fakes.snapshots import AT, a_hash, a_move, a_snapshot
from tests.servers import eventually
from torrent_mover.adapters.outlets.event_log import EventLog
from torrent_mover.adapters.outlets.logs import QuietFileHandler, unheard
from torrent_mover.adapters.outlets.metrics import MetricsFile, MetricsServer, exposition
from torrent_mover.adapters.outlets.notify import Command, Notifications, apprise
from torrent_mover.adapters.outlets.run_state import ROWS_AT_MOST, RunState, as_data, published
from torrent_mover.adapters.outlets.systemd import Systemd, status_text, watchdog_interval
from torrent_mover.commands.telling import notices_of, telling, try_out, under_systemd
from torrent_mover.domain.errors import ConfigError, MissingProgram, MoverError, NotWritable
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.redact import HIDDEN, Redactor
from torrent_mover.domain.report.events import Held, Level, MoveFailed, Noticed, QueuePlanned, RunEnded
from torrent_mover.domain.report.notices import ERRORS, WARNINGS, Notice, NoticeDesk
from torrent_mover.domain.report.snapshot import MoveStatus, Phase
from torrent_mover.domain.settings.general import GeneralSettings, NotifyOn
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.engine.hub.publisher import Listeners

FAILED = MoveFailed(AT, a_hash(1), "Sintel", "No room is left.", "The source is whole.", "df -h", "TM-E122")
ENDED = RunEnded(AT, "cafe0001", 2, 1, 3_000_000, 60.0, 1)
PLAIN = Redactor()
of_apprise = pytest.mark.filterwarnings("ignore:.*imghdr:DeprecationWarning")  # one of its plug-ins imports that


def writer(path, *, code=0):
    """A command that keeps what it reads, a file a call, and ends so."""
    program = (
        "import os, sys, time\n"
        f"data = sys.stdin.read(); path = {str(path)!r} + '/' + str(time.monotonic_ns())\n"
        "open(path + '.part', 'w').write(data); os.rename(path + '.part', path)\n"
        f"print('said it'); sys.exit({code})"
    )
    return (sys.executable, "-c", program)


def written(folder):
    return [json.loads(path.read_text()) for path in sorted(folder.iterdir()) if not path.name.endswith(".part")]


def notifications(command, wanted=tuple(NotifyOn), redact=PLAIN):
    return Notifications(NoticeDesk(wanted), [Command(command, redact)], redact)


def test_a_command_reads_the_event_as_json(tmp_path):
    telling_it = notifications(writer(tmp_path))
    telling_it(FAILED)
    telling_it(ENDED)
    telling_it.close()

    first, second = written(tmp_path)
    assert first["on"] == "space"
    assert (first["event"], first["name"], first["torrent"]) == ("move_failed", "Sintel", a_hash(1).hex)
    assert (first["code"], first["remedy"]) == ("TM-E122", "df -h")
    assert (second["on"], second["event"], second["title"]) == ("end", "run_ended", "2 moved, 1 failed")
    assert (second["moved"], second["sent"], second["exit_code"]) == (2, 3_000_000, 1)


def test_only_what_is_wanted_is_told(tmp_path):
    telling_it = notifications(writer(tmp_path), wanted=(NotifyOn.BREAKER,))
    for event in (FAILED, ENDED, Held(AT, "nas is left alone for 15:00", full=False)):
        telling_it(event)
    telling_it.close()

    assert [each["on"] for each in written(tmp_path)] == ["breaker"]


def test_a_command_that_hangs_does_not_block_the_run_and_is_stopped(tmp_path):
    pid_file = tmp_path / "pid"
    program = f"import os, signal; open({str(pid_file)!r}, 'w').write(str(os.getpid())); signal.pause()"
    command = Command((sys.executable, "-c", program), PLAIN, patience=1.0)
    telling_it = Notifications(NoticeDesk(tuple(NotifyOn)), [command], PLAIN)

    telling_it(FAILED)  # returns at once: the pid is there only later
    pid = int(eventually(lambda: pid_file.exists() and pid_file.read_text()))

    def is_gone():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    eventually(is_gone)
    telling_it.close()


@pytest.mark.parametrize("command", [("/no/such/program",), (sys.executable, "-c", "raise SystemExit(3)")])
def test_a_command_that_fails_is_a_line_in_the_log_and_no_more(command, caplog):
    telling_it = notifications(command)
    telling_it(FAILED)
    telling_it(ENDED)
    telling_it.close()

    assert sum("notif" in line.getMessage() for line in caplog.records) == 2


def test_trying_it_out_sends_one_notice_to_the_command_and_says_so(tmp_path):
    settings = GeneralSettings(notify_command=writer(tmp_path))

    assert try_out(settings, PLAIN, AT) == "sent by notify_command; runs send on: failure, end"

    (told,) = written(tmp_path)
    assert (told["title"], told["text"]) == ("a test", "This is a test of the notifications; nothing has happened.")


def test_trying_it_out_says_what_is_wrong_with_the_command(tmp_path):
    with pytest.raises(MoverError, match="notify_command ended with exit code 3: said it"):
        try_out(GeneralSettings(notify_command=writer(tmp_path, code=3)), PLAIN, AT)
    with pytest.raises(MoverError, match=r"notify_command could not be started: No such file.*: /nowhere/at/all"):
        try_out(GeneralSettings(notify_command=("/nowhere/at/all",)), PLAIN, AT)
    with pytest.raises(ConfigError, match="No notification is set up"):
        try_out(GeneralSettings(), PLAIN, AT)


def test_no_secret_reaches_a_command(tmp_path, monkeypatch):
    monkeypatch.setenv("TORRENT_MOVER__SOURCE_CLIENT__PASSWORD", "kept-secret-1")
    redactor = Redactor()
    redactor.add("kept-secret-2")
    program = "import os, sys; open(sys.argv[1], 'w').write(sys.stdin.read() + repr(dict(os.environ)))"
    command = (sys.executable, "-c", program, str(tmp_path / "all"))
    telling_it = notifications(command, redact=redactor)
    telling_it(
        MoveFailed(AT, a_hash(1), "kept-secret-2", "At http://t.example/announce?passkey=abc1", "", "", "TM-E300")
    )
    telling_it.close()

    text = (tmp_path / "all").read_text()
    assert "move_failed" in text
    for secret in ("kept-secret-1", "kept-secret-2", "abc1"):
        assert secret not in text


def test_apprise_that_is_not_installed_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)  # as Python itself marks what cannot be imported
    with pytest.raises(MissingProgram, match=r"torrent-mover\[notify\]"):
        apprise("json://localhost")


@pytest.fixture
def receiver():
    """A web server on loopback that keeps what is posted to it: its port, and what came, as JSON."""
    posted = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], posted
        server.shutdown()
        thread.join()


@of_apprise
def test_apprise_delivers_what_the_desk_decides(receiver):
    port, posted = receiver
    telling_it = Notifications(
        NoticeDesk(tuple(NotifyOn)), [apprise(f"json://127.0.0.1:{port}/one json://127.0.0.1:{port}/two")], PLAIN
    )
    telling_it(FAILED)
    telling_it(QueuePlanned(AT, 12, 5_000, 2))
    telling_it(ENDED)
    telling_it.close()

    titles = [each["title"] for each in posted]
    assert titles == ["torrent_mover: no space left"] * 2 + ["torrent_mover: 2 moved, 1 failed"] * 2
    assert "No room is left. The source is whole. df -h" in posted[0]["message"]


@of_apprise
def test_what_apprise_does_not_know_or_cannot_send_is_logged_without_its_address(caplog):
    tell = apprise("nothing://secret-1 json://user:secret-2@127.0.0.1:9/x")
    with pytest.raises(MoverError, match="apprise could not send a notification") as failed:
        tell(Notice(NotifyOn.END, "2 moved", "all of it"), {})

    ours = [record.getMessage() for record in caplog.records if record.name.startswith("torrent_mover")]
    assert ours == ["1 of the notify_urls are none that apprise knows"]
    assert "secret" not in "".join(ours) + str(failed.value)


def test_the_event_log_has_a_line_of_json_for_each_event_and_no_secret(tmp_path):
    redactor = Redactor()
    redactor.add("kept-secret-1")
    log = EventLog(tmp_path / "folder" / "events.jsonl", redactor)
    log(QueuePlanned(AT, 12, 5_000, 2))
    log(MoveFailed(AT, a_hash(1), "kept-secret-1", "What\x1b[31m", "", "", "TM-E300"))
    log.close()

    first, second = [json.loads(line) for line in (tmp_path / "folder" / "events.jsonl").read_text().splitlines()]
    assert (first["schema"], first["event"], first["at"], first["torrents"]) == (1, "queue_planned", AT, 12)
    assert second["name"] == HIDDEN
    assert "\x1b" not in second["text"]
    assert stat.S_IMODE((tmp_path / "folder" / "events.jsonl").stat().st_mode) == 0o600


def test_an_event_log_that_cannot_be_made_stops_before_the_run(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotWritable, match="event log"):
        EventLog(tmp_path / "file" / "events.jsonl", PLAIN)


def test_what_cannot_be_begun_or_written_is_told_once_and_fails_nobody(tmp_path):
    (tmp_path / "file").touch()
    told, control = [], FakeControl()
    settings = GeneralSettings(
        event_log=tmp_path / "file" / "events.jsonl",
        metrics_file=tmp_path / "file" / "x.prom",
        notify_command=("/no/such/program",),
    )
    with telling(control, settings, PLAIN, told.append):
        control.emit(FAILED)
        control.emit(ENDED)

    assert len(told) == 3, told
    assert [sum(word in each for each in told) for word in ("event log", "metrics file", "notification")] == [1, 1, 1]


def test_an_event_log_on_a_full_disk_is_told_once_and_closes_quietly():
    told = []
    log = EventLog(Path("/dev/full"), PLAIN, told.append)
    for event in (FAILED, ENDED):
        log(event)
    log.close()

    assert eventually(lambda: told)
    assert told == ["/dev/full cannot be written: No space left on device; the run goes on without those lines."]


def samples(text):
    """The samples of an exposition: name with labels -> value. Fails for a line that is none."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def test_metrics_are_samples_with_help_and_type_before_each_family():
    text = exposition(a_snapshot(source='na"s\\\n'))
    found = samples(text)

    assert found["torrent_mover_run_bytes"] == a_snapshot().total_bytes
    assert found['torrent_mover_torrents{standing="active"}'] == 1
    assert found['torrent_mover_torrents{standing="queued"}'] == 1
    assert found['torrent_mover_phase{phase="running"}'] == 1
    assert found["torrent_mover_exit_code"] == -1
    families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    assert {name.partition("{")[0] for name in found} == set(families)


def test_labels_are_escaped():
    assert 'version="a\\"b\\\\c\\nd"' in exposition(a_snapshot(version='a"b\\c\nd'))


def test_the_metrics_file_is_always_whole_and_ends_with_the_last_numbers(tmp_path):
    control = FakeControl()
    path = tmp_path / "node" / "torrent_mover.prom"
    file = MetricsFile(path, control.snapshot, every=0.01)
    control.show(done_bytes=77)
    eventually(lambda: samples(path.read_text())["torrent_mover_run_done_bytes"] == 77)
    control.show(exit_code=1, phase=Phase.ENDED)
    file.close()

    assert samples(path.read_text())["torrent_mover_exit_code"] == 1
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_picture_that_cannot_be_had_once_does_not_end_the_metrics(tmp_path):
    asked = []

    def picture():
        asked.append(1)
        if len(asked) == 2:
            raise KeyError("picture")
        return a_snapshot(done_bytes=len(asked))

    path = tmp_path / "torrent_mover.prom"
    file = MetricsFile(path, picture, every=0.01)
    try:
        eventually(lambda: samples(path.read_text())["torrent_mover_run_done_bytes"] > 2)
    finally:
        file.close()


def test_a_metrics_file_that_cannot_be_written_stops_before_the_run(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotWritable, match="metrics file"):
        MetricsFile(tmp_path / "file" / "x.prom", a_snapshot)


@pytest.mark.servers
def test_metrics_are_answered_on_loopback_and_nothing_else_is():
    server = MetricsServer(0, a_snapshot)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=60) as answer:
            kind, text = answer.headers["Content-Type"], answer.read().decode()
        assert kind.startswith("text/plain; version=0.0.4")
        assert samples(text)["torrent_mover_troubles"] == 0
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=60)
        assert refused.value.code == 404
        refused.value.close()
        with pytest.raises(NotWritable, match=str(server.port)):
            MetricsServer(server.port, a_snapshot)
    finally:
        server.close()


@pytest.fixture
def manager(tmp_path):
    """Systemd's end of the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(10)
        yield receiver


def environment(tmp_path, **more):
    return {"NOTIFY_SOCKET": str(tmp_path / "notify"), **more}


def heard_until(manager, wanted):
    heard = ""
    while wanted not in heard:
        heard += manager.recv(4096).decode() + "\n"
    return heard


def test_systemd_hears_ready_status_and_the_end(tmp_path, manager):
    control = FakeControl()
    systemd = Systemd(control.snapshot, lambda: True, environment(tmp_path), every=0.01)
    control.subscribe(systemd)
    assert "READY=1" not in heard_until(manager, "STATUS=running: 43 %, 1 transferring, 0 checking")
    control.emit(QueuePlanned(AT, 1, 1, 0))
    heard_until(manager, "READY=1")
    systemd.close()

    assert "WATCHDOG" not in heard_until(manager, "STOPPING=1")


def test_the_watchdog_is_fed_only_while_the_engine_is_alive(tmp_path, manager):
    alive = threading.Event()
    alive.set()
    watched = environment(tmp_path, WATCHDOG_USEC="20000", WATCHDOG_PID=str(os.getpid()))
    systemd = Systemd(a_snapshot, alive.is_set, watched)
    heard_until(manager, "WATCHDOG=1")
    alive.clear()
    for _ in range(3):  # one that was on its way may still come
        manager.recv(4096)
    assert "WATCHDOG" not in "".join(manager.recv(4096).decode() for _ in range(3))
    systemd.close()


def test_an_engine_that_does_not_answer_does_not_feed_the_watchdog(tmp_path, manager):
    asked = threading.Event()

    def broken():
        asked.set()
        raise RuntimeError("no picture")

    systemd = Systemd(broken, lambda: True, environment(tmp_path, WATCHDOG_USEC="20000"), every=0.01)
    assert asked.wait(60)
    systemd.close()

    assert "WATCHDOG" not in heard_until(manager, "STOPPING=1")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_watchdog_is_only_ours_when_it_means_this_process(environ, seconds):
    assert watchdog_interval(environ) == seconds


def test_without_systemd_nothing_is_started():
    with under_systemd(FakeControl(), lambda: True, {}):
        assert [thread.name for thread in threading.enumerate() if thread.name == "systemd"] == []


def test_the_status_line_of_a_watching_run():
    assert status_text(a_snapshot(phase=Phase.WATCHING)) == "idle; looks again when asked"


def test_the_settings_decide_who_is_told(tmp_path):
    control = FakeControl()
    (tmp_path / "told").mkdir()
    settings = GeneralSettings(
        notify_command=tuple(shlex.split(shlex.join(writer(tmp_path / "told")))),
        event_log=tmp_path / "events.jsonl",
        metrics_file=tmp_path / "x.prom",
    )
    with telling(control, settings, PLAIN):
        control.emit(ENDED)
    assert control.listeners == []
    assert [each["event"] for each in written(tmp_path / "told")] == ["run_ended"]
    assert json.loads((tmp_path / "events.jsonl").read_text())["event"] == "run_ended"
    assert "torrent_mover_troubles" in (tmp_path / "x.prom").read_text()


def test_by_default_nobody_is_told_and_no_thread_is_started():
    before = threading.active_count()
    with telling(FakeControl(), GeneralSettings(), PLAIN):
        assert threading.active_count() == before


def test_a_run_publishes_what_it_is_at_and_takes_it_away_at_its_end(tmp_path):
    path, moves = tmp_path / "run.json", [a_move(standing=MoveStatus.QUEUED, rate=0.0)]
    state = RunState(path, lambda: a_snapshot(run="cafe0001", moves=tuple(moves)), every=0.05)
    first = eventually(lambda: published(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (first["run"], [move["standing"] for move in first["moves"]]) == ("cafe0001", ["queued"])

    moves[0] = a_move(standing=MoveStatus.ACTIVE)
    assert eventually(lambda: published(path)["moves"][0]["standing"] == "active")
    state.close()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_while_nothing_changes(tmp_path):
    asked = []

    def snapshot():
        asked.append(True)
        return a_snapshot(at=AT + len(asked))

    state = RunState(tmp_path / "run.json", snapshot, every=0.01)
    first = eventually(lambda: published(tmp_path / "run.json"))
    assert eventually(lambda: len(asked) > 5)
    assert published(tmp_path / "run.json") == first
    state.close()


def test_a_state_that_cannot_be_published_is_told_once_and_hurts_nobody(tmp_path, caplog):
    asked = []
    state = RunState(tmp_path / "missing" / "run.json", lambda: asked.append(True) or a_snapshot(), every=0.01)
    assert eventually(lambda: len(asked) > 3)
    state.close()

    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_of_thousands_of_moves_those_that_are_next_are_named_and_all_are_counted():
    rows = (MoveStatus.DONE, *[MoveStatus.QUEUED] * 5_000, MoveStatus.ACTIVE)
    data = as_data(a_snapshot(moves=tuple(a_move(id=a_hash(n), standing=each) for n, each in enumerate(rows))))

    assert len(data["moves"]) == ROWS_AT_MOST
    assert [move["infohash"] for move in data["moves"][:2]] == [a_hash(5_001).hex, a_hash(1).hex]
    assert (data["counts"]["queued"], data["counts"]["done"]) == (5_000, 1)


def test_what_a_duty_without_runs_warns_of_and_finds_reaches_the_command(tmp_path):
    told = tmp_path / "told"
    command = (sys.executable, "-c", f"import sys; open({str(told)!r}, 'a').write(sys.stdin.read())")
    settings = GeneralSettings(notify_command=command, notify_on=(NotifyOn.FAILURE, NotifyOn.FINDING))
    listeners = Listeners()
    torrent = InfoHash("ab" * 20)
    with ExitStack() as stack:
        notices_of("health", listeners.subscribe, settings, Redactor(), stack)
        for event in (
            Noticed(AT, torrent, Level.INFO, "stalled: Show: no byte", route="tv"),
            Noticed(AT, None, Level.INFO, "the config was read again"),
            Noticed(AT, None, Level.WARN, "clocks stand: no network", route="tv"),
            Noticed(AT + 60, None, Level.WARN, "clocks stand: no network", route="tv"),
        ):
            listeners.tell(event)
    listeners.tell(Noticed(AT, None, Level.WARN, "after the end"))
    rows = [json.loads(line) for line in told.read_text().splitlines()]
    assert [(row["on"], row["title"], row["text"]) for row in rows] == [
        ("finding", "health tv", "stalled: Show: no byte"),
        ("failure", "health tv needs you", "clocks stand: no network"),
    ]
    assert (rows[0]["torrent"], rows[0]["route"]) == (torrent.hex, "tv")


@pytest.mark.parametrize(("levels", "texts"), [(WARNINGS, ["warned", "wrong"]), (ERRORS, ["wrong"])])
def test_a_duty_says_from_which_level_on_people_are_told_and_the_event_log_has_all(tmp_path, levels, texts):
    told, log = tmp_path / "told", tmp_path / "events.jsonl"
    command = (sys.executable, "-c", f"import sys; open({str(told)!r}, 'a').write(sys.stdin.read())")
    settings = GeneralSettings(
        notify_command=command, notify_on=(NotifyOn.FAILURE, NotifyOn.FINDING), event_log=LocalPath(str(log))
    )
    listeners = Listeners()
    with ExitStack() as stack:
        notices_of("tier", listeners.subscribe, settings, Redactor(), stack, levels)
        for level, text in ((Level.INFO, "copied"), (Level.WARN, "warned"), (Level.ERROR, "wrong")):
            listeners.tell(Noticed(AT, InfoHash("ab" * 20), level, text, route="ssd"))
    rows = [json.loads(line) for line in told.read_text().splitlines()]

    assert [(row["title"], row["text"]) for row in rows] == [("tier ssd needs you", text) for text in texts]
    assert [json.loads(line)["text"] for line in log.read_text().splitlines()] == [
        "ssd: copied",
        "ssd: warned",
        "ssd: wrong",
    ]


def test_an_event_log_that_cannot_be_written_ends_no_duty(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    settings = GeneralSettings(event_log=LocalPath(str(tmp_path / "file" / "events.jsonl")))
    listeners = Listeners()
    with ExitStack() as stack:
        notices_of("health", listeners.subscribe, settings, Redactor(), stack)
        listeners.tell(Noticed(AT, None, Level.INFO, "goes on"))

    assert ["cannot be written" in record.getMessage() for record in caplog.records] == [True]


def test_two_logs_of_one_process_write_one_file_that_is_rotated_once(tmp_path, monkeypatch):
    monkeypatch.setattr(
        QuietFileHandler.__init__, "__kwdefaults__", {"max_bytes": 2000, "kept": 50, "complain": unheard}
    )
    path = tmp_path / "events.jsonl"
    logs = [EventLog(path, PLAIN), EventLog(path, PLAIN)]
    for number in range(60):
        logs[number % 2](Noticed(AT, None, Level.INFO, f"line {number}"))
    logs[0].close()
    logs[1](Noticed(AT, None, Level.INFO, "the last"))
    for log in logs:
        log.close()

    files = sorted(path.parent.glob("events.jsonl*"), key=lambda file: -int(file.suffix[1:]) if file != path else 1)
    texts = [json.loads(line)["text"] for file in files for line in file.read_text().splitlines()]
    assert texts == [*(f"line {number}" for number in range(60)), "the last"]
    assert len(files) > 2
