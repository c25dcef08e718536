"""doctor --healthcheck: a line a component, 0 or 1, in a time that is bound; and what doctor asks of each duty's records."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from argparse import Namespace
from contextlib import ExitStack, closing, contextmanager, nullcontext
from types import SimpleNamespace

import pytest

from tests.as_user import as_user
from tests.cli.schemas import fits
from tests.doubles.arr.house import arr_house
from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from tests.e2e.command import ROOT
from torrent_mover.adapters.clock import SystemClock
from torrent_mover.adapters.lockfile import RunLock
from torrent_mover.adapters.process import surroundings
from torrent_mover.adapters.store.sqlite import SqliteJournal
from torrent_mover.bootstrap.debrid.setups import debrid_setups
from torrent_mover.bootstrap.health.setups import health_setups
from torrent_mover.bootstrap.health.state import LoopStates, records_of
from torrent_mover.bootstrap.health.state import lock_of as health_lock
from torrent_mover.bootstrap.health.state import open_journal as health_journal
from torrent_mover.bootstrap.tiering.setups import tier_setups
from torrent_mover.bootstrap.tiering.state import open_journal, watch_lock_of
from torrent_mover.commands.doctor_answers import ignore
from torrent_mover.commands.healthcheck import _Component
from torrent_mover.commands.own_records import own_records
from torrent_mover.commands.served import Around
from torrent_mover.commands.tiering import serving as tier_serving
from torrent_mover.commands.tiering.checks import _hook
from torrent_mover.domain.paths import ClientPath, LocalPath
from torrent_mover.domain.settings.clients import ClientType
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.debrid_journal import DebridJournal
from torrent_mover.duties.debrid.records import DUTY as DEBRID
from torrent_mover.duties.debrid.records import Wave
from torrent_mover.duties.debrid.telling import BROKEN
from torrent_mover.duties.health.health_journal import DUTY as HEALTH
from torrent_mover.duties.health.model import ActionRecord, ActionState, FindingCode, HealthAction
from torrent_mover.duties.tiering.locking import DUTY as TIER
from torrent_mover.duties.tiering.queue_entry import Asker, QueueEntry
from torrent_mover.duties.tiering.records import CopyRecord, CopyStage, EvictionMember, EvictionRecord, Heartbeat
from torrent_mover.duties.tiering.stages import EvictionStage
from torrent_mover.duties.tiering.tier_journal import KeptTierJournal
from torrent_mover.engine.hub.loops import LoopState, LoopView, Supervisor
from torrent_mover.engine.preflight.examination import Doubt, Examination
from torrent_mover.ports.roles import Remark

FILM = InfoHash("ab" * 20)
TIERED = """\
[CLIENT box]
type = rtorrent
url = {folder}/rpc.sock

[TIER ssd]
client = box
ssd = {folder}/ssd
targets = *:{folder}/hdd
free_low = 0

[General]
state_dir = {folder}/state
"""
HEALTHY = """\
[CLIENT box]
url = http://127.0.0.1:9
username =

[HEALTH tv]
client = box
arr = sonarr

[ARR sonarr]
url = {url}
api_key = {key}

[General]
state_dir = {folder}/state
"""
ACCOUNT = """\
[General]
state_dir = {folder}/state

[DEBRID mine]
token = {token}
url = {url}
"""


@pytest.fixture
def tier(desk):
    """A tier whose rTorrent is not there."""
    for name in ("ssd", "hdd"):
        (desk.folder / name).mkdir()
    desk.config.write_text(TIERED.format(folder=desk.folder))
    return desk


@pytest.fixture
def account():
    with RealDebridDouble(DebridWorld()) as double:
        yield double
    assert double.violations == []


@pytest.fixture
def debrid(desk, account):
    desk.config.write_text(ACCOUNT.format(folder=desk.folder, token=account.token, url=account.url))
    return desk


@pytest.fixture
def loop(desk):
    """A loop of health with an Arr that answers, and a client that does not."""
    with arr_house(desk.folder / "arr") as house:
        desk.config.write_text(HEALTHY.format(folder=desk.folder, url=house.double.url, key=house.double.key))
        yield desk


@contextmanager
def records_of_tier(desk):
    """What the tier keeps, to be filled."""
    (setup,), _ = tier_setups(str(desk.config))
    with ExitStack() as stack:
        yield setup, KeptTierJournal(open_journal(setup, stack, writes=True).documents(TIER, setup.name))


def checks(desk):
    return {check["name"]: check for check in fits("doctor", desk.run("doctor", "--json").data)["checks"]}


def test_each_component_has_its_line_and_one_that_is_not_well_ends_with_1(tier):
    told = tier.run("doctor", "--healthcheck")

    status, *lines = told.out.splitlines()
    assert (told.code, told.err, status) == (1, "", "System Status: UNHEALTHY")
    assert [line.partition(":")[0] for line in lines] == ["config", "tier ssd", "own records"]
    assert lines[1].startswith("tier ssd: NOT WELL: client box: ")
    assert "rpc.sock" in lines[1]
    assert lines[2].startswith("own records: well, 3 answers, the slowest in ")


def test_the_same_for_programs(tier):
    told = tier.run("doctor", "--healthcheck", "--json")

    data = fits("doctor", told.data)
    assert (told.code, data["exit_code"]) == (1, 1)
    assert {check["section"] for check in data["checks"]} == {"config", "tier ssd", "own records"}
    assert {check["name"]: check["state"] for check in data["checks"]}["client box"] == "failed"


def test_it_puts_no_file_anywhere(tier):
    def everything():
        return sorted((str(path), path.lstat().st_mtime_ns) for path in tier.folder.rglob("*"))

    before = everything()
    told = tier.run("doctor", "--healthcheck", "--json")

    assert everything() == before
    assert not [check for check in told.data["checks"] if check["name"].startswith("as the client sees")]


def test_a_client_that_takes_the_question_and_never_answers_is_not_waited_for(tier):
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tier.folder / "rpc.sock"))
        mute.listen()
        command = [sys.executable, "-m", "torrent_mover", "--config", str(tier.config), "doctor", "--healthcheck"]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(tier.folder)}
        ended = subprocess.run(
            [*command, "--timeout", "5"], env=environment, capture_output=True, text=True, check=False
        )

    assert (ended.returncode, ended.stderr) == (1, "")
    assert "tier ssd: NOT WELL: client box: There is no answer yet" in ended.stdout
    assert "own records: well" in ended.stdout


def test_a_config_that_is_wrong_is_not_well(tier):
    tier.config.write_text(tier.config.read_text().replace("free_low = 0", "free_low = much"))

    told = tier.run("doctor", "--healthcheck")

    assert told.code == 1
    assert "config: NOT WELL: config: " in told.out
    assert "free_low" in told.out


def test_a_warning_is_well_unless_it_is_asked_to_be_strict(debrid, account):
    account.world.premium_until = account.world.clock.now() + 3 * 86_400

    told = debrid.run("doctor", "--healthcheck")

    assert (told.code, told.out.splitlines()[0]) == (0, "System Status: DEGRADED")
    assert "debrid mine: well" in told.out
    assert "but account mine: premium for 3 days" in told.out
    assert "ends within a week" in told.out
    assert debrid.run("doctor", "--healthcheck", "--strict").code == 1


def test_being_strict_goes_with_the_short_form_alone(debrid):
    told = debrid.run("doctor", "--strict")

    assert told.code == 2
    assert "--strict works only with --healthcheck" in told.err


def test_what_would_do_nothing_is_refused(debrid):
    for words, says in (
        (("--timeout", "5"), "--timeout works only with --healthcheck"),
        (("--healthcheck", "--notify"), "--notify does not work with --healthcheck"),
    ):
        told = debrid.run("doctor", *words)
        assert (told.code, says in told.err) == (2, True)


@pytest.mark.parametrize("text", [None, "[WEB]\nport = 9\n"])
def test_a_config_that_is_not_there_or_says_nothing_to_do_is_not_well(desk, text):
    desk.config.unlink()
    if text is not None:
        desk.config.write_text(text)

    told = desk.run("doctor", "--healthcheck")
    data = fits("doctor", desk.run("doctor", "--healthcheck", "--json").data)

    assert (told.code, told.err) == (1, "")
    assert told.out.startswith("System Status: UNHEALTHY\nconfig: NOT WELL: config: ")
    assert str(desk.config) in told.out
    assert (data["exit_code"], [check["state"] for check in data["checks"]]) == (1, ["failed"])


def test_a_component_that_answers_after_its_time_is_told_of_as_it_was_then():
    late = _Component("tier", "", lambda: nullcontext([]))
    said = late.said(0.0)
    late.ask(time.monotonic() + 60)

    assert said.line == "tier: NOT WELL: all of it: There is no answer yet."
    assert late.said(0.0).line.startswith("tier: well")


def test_whoever_calls_the_check_goes_on_and_only_a_process_of_ours_ends_at_once(tier, monkeypatch):
    ended = []
    monkeypatch.setattr(surroundings, "_left", [])
    monkeypatch.setattr(os, "_exit", ended.append)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tier.folder / "rpc.sock"))
        mute.listen()
        assert tier.run("doctor", "--healthcheck", "--timeout", "1").code == 1
    assert ended == []

    surroundings.leave_threads()
    surroundings.end(7)
    assert ended == [7]


def test_a_folder_that_may_not_be_entered_is_a_failure_with_what_helps(tmp_path):
    closed = tmp_path / "closed"
    (closed / "state").mkdir(parents=True)
    closed.chmod(0)
    (duty,) = own_records([LocalPath(str(closed / "state"))])

    def ask():
        with duty.checks() as asked:
            results = Examination(SystemClock(), ignore).ask(asked)
            return {each.view.name: each.view.trouble for each in results}

    try:
        troubles = as_user(ask)
    finally:
        closed.chmod(0o700)

    for name in ("room for journal and logs", "journal"):
        assert troubles[name].code == "TM-E121"
        assert troubles[name].remedy


def test_all_that_is_well_is_healthy(debrid):
    told = debrid.run("doctor", "--healthcheck", "--strict")

    assert (told.code, told.out.splitlines()[0]) == (0, "System Status: HEALTHY")


def test_the_route_is_asked_about_clients_and_rooms_and_gets_no_file(desk):
    told = desk.run("doctor", "--healthcheck", "--json")

    names = {check["name"] for check in told.data["checks"] if check["route"] == "main"}
    assert told.code == 1
    assert {"source client", "destination client", "space here", "space destination"} <= names
    assert not names & {"destination folder", "source files", "path as destination client sees it"}


def test_what_waits_and_what_could_not_be_copied_is_said(tier):
    with records_of_tier(tier) as (_, journal):
        assert checks(tier)["queue"]["result"] == "empty"
        journal.enqueue(QueueEntry("box", FILM, time.time(), Asker.HOOK, tries=2, reason="no room on the target"))
        queue = checks(tier)["queue"]

    assert queue["state"] == "warning"
    assert "1 of 1 torrent could not be copied yet. ABABABAB, after 2 tries: no room on the target" in queue["result"]
    assert queue["remedy"] == f"torrent-mover tier --explain {FILM.hex}"


def test_a_bad_copy_is_said(tier):
    with records_of_tier(tier) as (_, journal):
        journal.save_copy(CopyRecord("box", FILM, "A film", CopyStage.COPYING, time.time()))
        assert checks(tier)["copies"]["result"] == "0 proven, 0 of them no longer on the SSD; 1 under way"
        journal.save_copy(CopyRecord("box", FILM, "A film", CopyStage.COPYING, time.time(), bad="3 pieces"))
        copies = checks(tier)["copies"]

    assert (copies["state"], copies["result"]) == ("warning", "A film is bad: 3 pieces")


def test_a_worker_that_holds_its_lock_and_gives_no_sign_is_a_failure(tier):
    with records_of_tier(tier) as (setup, journal), RunLock(watch_lock_of(setup)):
        journal.save_heartbeat(Heartbeat(1, time.time(), time.time()))
        assert checks(tier)["worker"]["state"] == "passed"
        journal.save_heartbeat(Heartbeat(1, 1.0, time.time() - 1000))
        worker = checks(tier)["worker"]

    assert (worker["state"], worker["code"]) == ("failed", "TM-E136")
    assert "no sign for 16m" in worker["result"]
    assert "tier --watch" in worker["remedy"]


def test_a_worker_that_a_person_has_paused_gives_no_sign_and_is_well(tier):
    with records_of_tier(tier) as (setup, journal):
        journal.save_heartbeat(Heartbeat(1, 1.0, time.time() - 1000))
        pauses = tier_serving._Pauses({"tier ssd": journal})
        pauses(LoopView("tier ssd", "tier", LoopState.PAUSED, 0.0, None, 0))
        with RunLock(watch_lock_of(setup)):
            worker = checks(tier)["worker"]
            short = tier.run("tier", "--healthcheck")
            pauses(LoopView("tier ssd", "tier", LoopState.LOOKING, 0.0, None, 0))
            after = checks(tier)["worker"]
        pauses(LoopView("tier ssd", "tier", LoopState.PAUSED, 0.0, None, 0))
        gone = tier.run("tier", "--healthcheck")

    assert (worker["state"], worker["result"].partition(":")[0]) == ("passed", "paused")
    assert (short.code, "paused: it goes on" in short.out) == (0, True)
    assert after["code"] == "TM-E136"
    assert (gone.code, "has been silent" in gone.out) == (1, True)  # who was paused has died since


def test_serve_writes_down_which_of_its_tiers_is_paused(tier):
    plan = tier_serving.TiersPlan(tier_setups(str(tier.config))[0], ())
    arguments = Namespace(config=str(tier.config), debug=False, quiet=True)
    supervisor = Supervisor(time.monotonic)
    with ExitStack() as stack:
        around = Around(arguments, tier.config, threading.Event(), lambda *_: None, supervisor)
        duty = tier_serving.begin(plan, around, stack)
        duty.loop_changed(LoopView("tier ssd", "tier", LoopState.PAUSED, 0.0, None, 0))
        assert checks(tier)["worker"]["result"].startswith("paused: process ")
        duty.loop_changed(LoopView("tier ssd", "tier", LoopState.WAITING, 0.0, None, 0))
        assert not checks(tier)["worker"]["result"].startswith("paused")


def test_no_round_is_said_to_have_ended_where_none_has(tier):
    with records_of_tier(tier) as (_, journal):
        journal.save_heartbeat(Heartbeat(1, 1.0, time.time() - 1000))
        assert checks(tier)["worker"]["result"] == "none is running now"
        journal.save_heartbeat(Heartbeat(1, 1.0, 1.0, ended_at=time.time() - 60))
        assert checks(tier)["worker"]["result"].startswith("none is running now; its last round ended 1m")


def test_the_remedy_names_the_torrent_that_is_in_trouble(tier):
    well, stuck = InfoHash("01" * 20), InfoHash("fe" * 20)
    with records_of_tier(tier) as (_, journal):
        for torrent, trouble in ((well, ""), (stuck, "its data is gone")):
            member = EvictionMember("box", torrent, "A film", ClientPath("/ssd"), ClientPath("/hdd"), ran=True)
            record = EvictionRecord(
                "box", torrent, (member,), EvictionStage.CHOSEN, time.time(), "old", trouble=trouble
            )
            journal.save_eviction(record)
        copies = checks(tier)["copies"]

    assert copies["remedy"] == f"torrent-mover tier --explain {stuck.hex}"


@pytest.mark.parametrize(
    ("kind", "runs", "answer"),
    [
        ("rtorrent", "execute.nothrow.bg=curl,-H,X-Api-Key: kept-secret-9,http://h/api/v1/tier/execute=1", "installed"),
        ("rtorrent", "execute2={sh,-c,torrent-mover tier}", None),
        ("rtorrent", "d.custom.set=x,y;execute=torrent-mover,tier", None),
        ("qbittorrent", "curl -u me:kept-secret-9 http://h/api/v1/tier?execute=1", "installed"),
    ],
)
def test_a_hook_is_said_to_be_there_and_never_what_it_runs(kind, runs, answer):
    remark = Remark("runs", "", runs=runs)
    client = SimpleNamespace(role=lambda _role: SimpleNamespace(remarks=lambda: [remark]))
    tier = SimpleNamespace(client=lambda: client)
    setup = SimpleNamespace(clients={"box": SimpleNamespace(type=ClientType(kind))})
    named = SimpleNamespace(client=SimpleNamespace(name="box"))
    world = SimpleNamespace(settings=SimpleNamespace(client="box", sweep_every=300.0), clients={"box": named})

    if answer is not None:
        assert _hook(tier, setup, world) == answer
    else:
        with pytest.raises(Doubt) as doubt:
            _hook(tier, setup, world)
        assert runs not in doubt.value.what


def test_an_ssd_that_has_less_free_than_is_wanted_is_said(tier):
    tier.config.write_text(tier.config.read_text().replace("free_low = 0", "free_low = 99%"))

    ssd = checks(tier)[f"SSD {tier.folder}/ssd"]

    assert (ssd["state"], "free_low asks for" in ssd["result"]) == ("warning", True)


def test_a_tier_introduces_its_arrs(tier):
    with arr_house(tier.folder / "arr") as house:
        section = f"\n[ARR sonarr]\nurl = {house.double.url}\napi_key = {house.double.key}\n"
        tier.config.write_text(tier.config.read_text().replace("free_low", "arr = sonarr\nfree_low") + section)
        arr = checks(tier)["Arr sonarr"]

    assert (arr["state"], arr["section"]) == ("passed", "tier ssd")
    assert arr["result"].startswith("Sonarr 4.")


def test_a_loop_tells_the_version_of_its_arr(loop):
    arr = checks(loop)["Arr sonarr"]

    assert arr["state"] == "passed"
    assert arr["result"].startswith("Sonarr 4.")
    assert "its categories: " in arr["result"]


def test_a_loop_that_is_parked_is_a_failure_and_an_action_without_an_end_is_said(loop):
    (setup,), _ = health_setups(str(loop.config))
    begun = ActionRecord(
        0, 5.0, "tv", "box", FILM, "Show", HealthAction.PAUSE, FindingCode.NO_SPACE, "r", "e", ActionState.UNDER_WAY
    )
    with ExitStack() as stack:
        journal = health_journal(setup, stack, writes=True)
        records_of(setup, journal).open_action(begun)
        actions = checks(loop)["actions"]
        with RunLock(health_lock(setup)):
            LoopStates(journal.documents(HEALTH, setup.name)).save("parked", time.time(), "the disk is full")
            worker = checks(loop)["worker"]

    assert (actions["state"], "pause Show" in actions["result"]) == ("warning", True)
    assert (worker["state"], worker["code"]) == ("failed", "TM-E136")
    assert "Parked: the disk is full" in worker["result"]


def test_a_loop_that_a_person_has_paused_is_well_however_long(loop):
    (setup,), _ = health_setups(str(loop.config))
    with ExitStack() as stack:
        journal = health_journal(setup, stack, writes=True)
        LoopStates(journal.documents(HEALTH, setup.name)).save("paused", 1.0, "")
        with RunLock(health_lock(setup)):
            worker = checks(loop)["worker"]

    assert (worker["state"], worker["result"].partition(":")[0]) == ("passed", "paused")


def test_a_wave_of_broken_links_is_counted_in_links(debrid):
    assert debrid.run("debrid", "run", "--once").code == 0
    (setup,), _ = debrid_setups(str(debrid.config))
    with closing(SqliteJournal(debrid.journal, SystemClock())) as journal:
        DebridJournal(journal.documents(DEBRID, setup.name)).save_wave(Wave(BROKEN, 700, (), 0.0))
        repairs = checks(debrid)["repairs"]

    assert repairs["result"].startswith("700 links are broken at once")


def test_a_journal_that_is_damaged_is_a_failure_with_what_rescues_it(debrid):
    assert debrid.run("debrid", "run", "--once").code == 0
    assert checks(debrid)["journal, all of it"]["result"].startswith("sound: format ")
    with debrid.journal.open("r+b") as file:
        file.write(b"\0" * 4096)

    told = checks(debrid)["journal"]

    assert told["state"] == "failed"
    assert "journal recover" in told["remedy"]


def test_a_process_that_holds_the_lock_of_serve_and_does_not_answer_is_a_failure(debrid):
    (debrid.folder / "state").mkdir()
    with RunLock(debrid.folder / "state" / "serve.lock"):
        told = json.loads(debrid.run("doctor", "--json").out)["checks"]

    serve = next(check for check in told if check["name"] == "serve")
    assert serve["state"] == "failed"
