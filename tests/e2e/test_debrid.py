"""torrent-mover debrid on a double of Real-Debrid: every command, its exit codes, links on a real mount."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.adapters.test_link_library import mounted
from tests.cli.schemas import fits
from tests.doubles.arr.files import keep
from tests.doubles.arr.house import arr_house
from tests.doubles.debrid_world import DebridWorld
from tests.doubles.realdebrid import RealDebridDouble
from tests.e2e.command import Command
from tests.faults.ledger import SERVERS
from tests.servers import eventually, snapshot
from tests.tui.terminal import Terminal, restored
from torrent_mover.adapters.control.client import RemoteControl, running
from torrent_mover.commands.debrid import dashboard

HASH, OTHER = "3f2a" * 10, "77aa" * 10
FILES = (("Show.S01/e1.mkv", 1001), ("Show.S01/e2.mkv", 1002), ("Show.S01/info.nfo", 10))
MODE = {"DRY_RUN": "false"}


class Debrid:
    """An account on a double, and the command with nothing but its environment."""

    def __init__(self, home: Path, double: RealDebridDouble) -> None:
        self.home, self.double, self.world = home, double, double.world
        self.state = home / "state" / "torrent-mover"
        self.environment = {
            "RD_API_TOKEN": double.token,
            "XDG_STATE_HOME": str(home / "state"),
            "TORRENT_MOVER__DEBRID_REALDEBRID__URL": double.url,
        }
        self.said = ""

    def show(self, word: str = "dead", **torrent):
        self.world.have(HASH, *FILES, name="Show.S01", **torrent)
        return self.world.hold(HASH, selected={1, 2}, word=word)

    def __call__(self, *arguments, code: int = 0, fresh: bool = False, **environment):
        whole = {**self.environment, **environment}
        with Command("debrid", *arguments, home=self.home, environment=whole, fresh=fresh) as command:
            result = command.end()
        self.said += result.text
        return result.ended(code)

    def json(self, *arguments, code: int = 0, **environment):
        return fits("debrid", json.loads(self(*arguments, "--json", code=code, **environment).out))


@pytest.fixture
def debrid(tmp_path):
    with RealDebridDouble(DebridWorld()) as double:
        yield Debrid(tmp_path, double)
    assert double.violations == []


def test_every_command_works_from_the_environment_alone_without_a_terminal(debrid):
    old = debrid.show()
    debrid.world.have(OTHER, ("Film.mkv", 7), name="Film")
    debrid.world.hold(OTHER)
    debrid.world.hold(OTHER)

    debrid("check").says("realdebrid premium 63 d; slots 0/10; traffic ok")
    debrid("run", "--once", "--dry-run", **MODE).says("Show.S01: dead: would be repaired (dry run)")
    nothing = [path for path in debrid.home.rglob("*") if path.is_file()]
    debrid("scan", "--full").says("full: 3 torrents, 1 failed, 0 half-dead")
    debrid("run").says("would be repaired (mode = report)")
    gets = {asked.method for asked in debrid.double.asked if not asked.path.startswith("unrestrict")}
    rows = debrid.json("status")["rows"]
    debrid("explain", HASH[:8], **MODE).says("dead (dead): proven", "repaired in its turn")
    debrid.json("duplicates")
    debrid("run", "--once", **MODE).says("2/2 files proven, old removed", "1 repaired, 0 parked, 0 failed")
    assert debrid.json("duplicates", **MODE)["rows"][0]["removable"] is True
    history = debrid.json("history", HASH)["rows"]
    assert {row["what"] for row in history} >= {"add", "prove", "remove"}
    assert debrid.json("metrics", "--since", "1h")["rows"]
    for words in ("retries", "retries --now", "quarantine list", "quarantine purge", "scan --links", "repair"):
        debrid.json(*words.split())
    for words in ("rescan", "backup", "purge", "recover"):
        debrid.json(words)

    assert nothing == []
    assert gets == {"GET"}
    assert [row["fault"] for row in rows] == ["dead"]
    (new,) = [entry for entry in debrid.world.entries if entry.torrent.hash == HASH]
    assert (new.id != old.id, new.selected) == (True, {1, 2})
    assert len(debrid.world.entries) == 2
    lines = [json.loads(line) for line in (debrid.state / "logs" / "debrid-metrics.jsonl").read_text().splitlines()]
    assert {"timestamp", "type", "name", "value", "tags"} == set(lines[0])
    _holds_no_token(debrid)


def _holds_no_token(debrid):
    assert debrid.double.token not in debrid.said
    for path in debrid.home.rglob("*"):
        if path.is_file():
            assert debrid.double.token.encode() not in path.read_bytes(), path


def test_exit_codes_say_what_kept_it(debrid):
    debrid.show()
    debrid("explain", "nonsense", code=2)
    debrid("run", "--stay", "--dry-run", code=2, **MODE).says("it does not go with --stay")
    assert debrid.double.asked == []
    debrid("status", "--account", "nobody", code=2).says("Did you mean --account realdebrid?")
    debrid("accept", "refused", "7", code=4)
    debrid("quarantine", "restore", "nothing", code=2)
    debrid("check", RD_API_TOKEN="WRONGTOKENWRONGTOKENWRONGTOKEN", code=3)
    debrid.world.premium_until = 0.0
    debrid("scan", code=3).says("cannot be used")
    debrid("check", RD_API_TOKEN="", code=2)
    debrid("check", TORRENT_MOVER__DEBRID_REALDEBRID__URL="http://192.0.2.1/rest/1.0/", code=2).says("unprotected")
    debrid("check", MAX_WORKERS="many", code=2).says("$MAX_WORKERS")


def test_a_repair_that_fails_exits_1_and_is_in_the_retries(debrid):
    debrid.show(fate="dead")
    debrid("scan", "--full")

    debrid("repair", HASH[:8], code=1, **MODE).says("dead")

    (row,) = debrid.json("retries")["rows"]
    assert (row["hash"], row["tries"]) == (HASH, 1)
    debrid("retries", "--now").says("1 of 3")
    debrid("run", code=1, **MODE).says("0 repaired, 0 parked, 1 failed")
    assert debrid.json("retries")["rows"][0]["tries"] == 2
    debrid("retries", "--drop", HASH)
    assert debrid.json("retries")["rows"] == []


def test_run_stay_looks_again_and_term_ends_it_within_ten_seconds(debrid):
    debrid.show()
    with Command("debrid", "run", "--stay", home=debrid.home, environment={**debrid.environment, **MODE}) as command:
        eventually(lambda: [entry for entry in debrid.world.entries if entry.selected == {1, 2} and not entry.word], 60)
        command.wait_for("1 repaired")
        second = debrid("scan", code=5)
        command.send(signal.SIGTERM)
        ended = command.end(10)

    second.says("Another run is active")
    assert ended.code in (0, 143)


@pytest.mark.fault("debrid", "the service is silent while it is asked to stop", SERVERS)
def test_term_ends_a_stay_within_ten_seconds_while_the_service_is_silent(debrid):
    debrid.show()
    debrid.double.fault("POST torrents/addMagnet", hang=True, after=True)
    with Command("debrid", "run", "--stay", home=debrid.home, environment={**debrid.environment, **MODE}) as command:
        eventually(lambda: debrid.double.calls("POST torrents/addMagnet"), 60)
        command.send(signal.SIGTERM)
        command.end(10).ended(143)

    debrid.double.faults.clear()
    debrid("run", "--once", **MODE).says("1 repaired")
    assert len(debrid.world.entries) == 1


class _Webhook(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def webhook():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Webhook)
    server.heard = []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def test_a_wave_of_refusals_is_one_notice_and_waits_until_its_number_is_accepted(debrid):
    for number in range(8):
        digits = f"{number + 16:02x}ab" * 10
        debrid.world.have(digits, (f"Film {number}.mkv", 1000), fate="refused_add")
        debrid.world.hold(digits, word="dead")
    with webhook() as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/api/webhooks/1/SECRETSECRETSECRET"
        hook = {"DISCORD_WEBHOOK_URL": address, "MAX_WORKERS": "1", **MODE}
        debrid("run", code=4, **hook).says("accept refused 6")
        debrid("run", code=4, **hook)
        debrid("accept", "refused", "5", code=4)
        debrid("accept", "refused", "6")
        debrid("run", code=1, **hook)

        assert len(server.heard) == 1
        assert "refuses 6 torrents" in server.heard[0]["content"]
    assert len(debrid.world.entries) == 8
    assert "SECRETSECRETSECRET" not in debrid.said


# With links


@pytest.fixture
def library(debrid, tmp_path):
    """A zurg-like mount on tmpfs, a folder of links, and a config that names both."""
    mount, media = tmp_path / "zurg", tmp_path / "media" / "tv"
    (media / "Show").mkdir(parents=True)
    with mounted(mount, "tmpfs"):
        (mount / "version.txt").write_text("zurg")
        folder = mount / "__all__" / "Show.S01"
        folder.mkdir(parents=True)
        for name in ("e1.mkv", "e2.mkv"):
            (folder / name).write_text("x")
            (media / "Show" / name).symlink_to(folder / name)
        debrid.config = tmp_path / "config.ini"
        debrid.mount, debrid.media = mount, media
        write_config(debrid)
        yield debrid


def write_config(debrid, *lines: str, sections: str = "") -> None:
    debrid.config.write_text(
        f"[DEBRID realdebrid]\ntoken = {debrid.double.token}\nurl = {debrid.double.url}\nmode = act\nmount_refresh = 0\n"
        f"media_roots = {debrid.media}\nmounts = {debrid.mount} = zurg\n" + "\n".join(lines) + "\n" + sections
    )
    debrid.config.chmod(0o600)
    debrid.environment |= {"TORRENT_MOVER_CONFIG": str(debrid.config), "RD_API_TOKEN": ""}
    debrid.environment.pop("TORRENT_MOVER__DEBRID_REALDEBRID__URL", None)


@pytest.mark.fault("debrid", "a real mount is down", SERVERS)
def test_links_are_looked_at_on_a_real_mount_and_a_mount_that_is_down_touches_none(library):
    library.show("")
    library("scan", "--full")
    library("check").says(f"{library.mount} sound, 1 entries")
    library("scan", "--symlinks").says("links: 2 in scope, 0 broken, 0 unmapped")
    library("explain", library.media / "Show" / "e1.mkv").says("Show.S01: downloaded")
    (library.mount / "version.txt").unlink()
    library("scan", "--symlinks", code=4).says("version.txt")
    library("check", code=4)
    (library.mount / "version.txt").write_text("zurg")
    (library.mount / "__all__" / "Show.S01" / "e1.mkv").unlink()

    library("scan", "--symlinks", "--path", library.media).says("links: 2 in scope, 1 broken")

    assert [row["state"] for row in library.json("status")["accounts"][0]["links"]] == ["stale mount"]
    assert sorted(path.name for path in (library.media / "Show").iterdir()) == ["e1.mkv", "e2.mkv"]


def test_what_is_repaired_is_chosen_by_a_link_by_what_found_it_and_by_number(library):
    for number in range(3):
        digits = f"{number + 16:02x}ab" * 10
        library.world.have(digits, (f"Film {number}.mkv", 1000), name=f"Film {number}")
        library.world.hold(digits, word="dead")
    library.show("")
    library("scan", "--full").says("4 torrents, 3 failed")
    library("repair", "--link", library.media / "Show" / "e1.mkv").says("nothing is known to be wrong with it")
    library("repair", "--from", "symlinks").says("0 repaired")

    library("repair", "--from", "quick", "--limit", "2").says("2 repaired, 0 parked, 0 failed")

    assert [library.world.status(entry) for entry in library.world.entries].count("dead") == 1


def test_a_folder_is_picked_at_a_terminal_and_nobody_is_asked_without_one(library):
    library.show("")
    library("scan", "--full")
    library("scan", "--pick", code=2).says("--pick needs a terminal", "--path DIR")
    environment = library.environment | {"HOME": str(library.home)}
    argv = ("-m", "torrent_mover", "debrid", "scan", "--pick")
    with closing(Terminal(*argv, size=(120, 40), **environment)) as terminal:
        terminal.read_until(b"Number:")
        terminal.type(b"2\r")
        terminal.read_until(b"links: 2 in scope, 0 broken")
        code = terminal.end(10)

    assert code == 0


def test_a_dry_run_of_every_command_sends_get_alone_and_changes_no_byte(library):
    library.show()
    library.world.have(OTHER, ("Film.mkv", 7), name="Film")
    library.world.hold(OTHER)
    library.world.hold(OTHER)
    library("scan", "--full")
    (library.mount / "__all__" / "Show.S01" / "e1.mkv").unlink()
    asked, before = len(library.double.asked), snapshot(library.home)

    for words in (
        "run --once", "scan", "scan --full", "scan --symlinks", "scan --links", "rescan", "repair", f"repair {HASH}",
        "retries --now", "duplicates", "quarantine purge", "backup", "purge", "recover", f"explain {HASH}", "status",
    ):  # fmt: skip
        library(*words.split(), "--dry-run")
        assert snapshot(library.home) == before, words

    assert {each.method for each in library.double.asked[asked:]} == {"GET"}


NUMBERS = (
    "requests_total", "request_seconds", "closed_seconds", "torrents", "repairs_total", "retries", "quarantined", "scan_seconds",
    "premium_seconds", "slots",
)  # fmt: skip

_SPY = """#!/bin/sh
{ env; cat /proc/$PPID/cmdline; for word in "$@"; do echo "$word"; done; cat; } >> "$(dirname "$0")/heard" 2>/dev/null
"""


def test_the_token_reaches_no_child_no_url_and_no_command_line(debrid):
    spy = debrid.home / "spy.sh"
    spy.write_text(_SPY)
    spy.chmod(0o755)
    debrid.show()
    own = "TORRENT_MOVER__DEBRID_REALDEBRID__"
    hooks = {f"{own}ON_REPAIRED": str(spy), "TORRENT_MOVER__GENERAL__NOTIFY_COMMAND": str(spy)}
    debrid.world.premium_until = debrid.world.clock.now() + 3600

    numbers = debrid.home / "numbers.prom"
    debrid("run", fresh=True, **hooks, **MODE, **{f"{own}METRICS_FILE": str(numbers)}).says("1 repaired")

    text = numbers.read_text()
    for name in NUMBERS:
        assert f"\ntorrent_mover_debrid_{name}{{" in text, name
    assert HASH not in text, "no hashes as labels"
    heard = (debrid.home / "heard").read_text()
    assert all(word in heard for word in (HASH, "within 1 day", "torrent_mover", "PATH="))
    assert debrid.double.token not in heard
    assert not [
        asked for asked in debrid.double.asked if debrid.double.token in f"{asked.path}{asked.query}{asked.body!r}"
    ]
    _holds_no_token(debrid)


def test_what_is_refused_is_handed_to_the_arr_set_aside_and_can_be_put_back(library, tmp_path):
    library.show("", fate="refused_link")
    with arr_house(tmp_path / "arr") as arrs:
        arrs.library.searches_after_failure = False
        arrs.library.runs_at_once = True
        for number in (1, 2):
            arrs.library.add_media(number, f"Episode {number}", f"e{number}.mkv")
            keep(arrs.library, 30 + number, f"/media/Show/e{number}.mkv", number, torrent=HASH)
        write_config(
            library,
            "on_infringing = search",
            sections=f"[ARR tv]\nurl = {arrs.double.url}\napi_key = {arrs.double.key}\npath_map = /media = {library.media}\n",
        )
        library("run", "--once")

        assert arrs.library.kept == {}
        assert sorted(arrs.library.searches) == [[1], [2]]
    assert not library.world.entries
    assert list((library.media / "Show").iterdir()) == []
    row = library.json("quarantine", "list")["rows"][0]
    library("quarantine", "restore", row["id"]).says("put back")
    assert Path(row["path"]).is_symlink()
    library("quarantine", "restore", library.json("quarantine", "list")["rows"][0]["id"])
    library("quarantine", "restore", row["id"], code=2)


@pytest.mark.fault("debrid", "the journal is damaged", SERVERS)
def test_a_damaged_journal_is_built_anew_from_what_can_be_read_from_a_copy_and_from_the_account(debrid):
    debrid.show("")
    debrid("run")
    journal = debrid.state / "journal.sqlite3"
    (copy,) = debrid.state.glob("journal.sqlite3.debrid-realdebrid-*")
    journal.write_bytes(b"\xff" * journal.stat().st_size)
    debrid.world.have(OTHER, ("Film.mkv", 7), name="Film")
    debrid.world.hold(OTHER)

    debrid("recover").says("Rescued 0 rows", f"came from the copy {copy}", "listed anew: 2 torrents")
    assert debrid.json("metrics")["rows"], "only the copy had them"
    debrid("explain", OTHER).says("Film: downloaded")
    debrid("recover").says("is sound")


def test_on_a_terminal_the_screen_acts_on_its_plan_once_the_count_is_typed_and_others_see_it(debrid):
    debrid.show()
    argv = ("-m", "torrent_mover", "debrid", "run", "--stay")
    with closing(Terminal(*argv, size=(120, 40), HOME=str(debrid.home), **debrid.environment)) as terminal:
        terminal.read_until(b"a acts on 1")
        (process,) = running(debrid.state)
        remote = RemoteControl(process.path, dashboard.NAME, dashboard.PORT)
        (account,) = remote.filling(dashboard.PORT).snapshot().accounts
        remote.close()
        terminal.type(b"a")
        terminal.read_until(b"Act on the plan?")
        terminal.type(b"1\r")
        terminal.read_while(
            lambda: not [entry for entry in debrid.world.entries if entry.selected == {1, 2} and not entry.word], 60
        )
        terminal.read_until(b"files proven")
        terminal.type(b"q")
        code = terminal.end(10)

    assert not account.acts, "mode = report: only what was agreed to is done"
    assert [finding.name for finding in account.findings] == ["Show.S01"]
    assert restored(terminal.output)
    assert code == 130
