"""The dashboard over real runs, on a pseudo-terminal: what its keys do happens, and what is left behind is as it was."""

from __future__ import annotations

import re
import signal
import time
from contextlib import closing

import pytest

from tests.tui.terminal import ROOT, Terminal, restored

pytestmark = pytest.mark.servers

SIZE = 6_000_000
SLOW = {"General": {"sftp_download_limit_mbps": "8"}}
"""1 MB/s: some six seconds to look at."""


@pytest.fixture
def screen(house):
    """Starts the command on a terminal."""
    opened: list[Terminal] = []

    def start(*arguments: str, **how) -> Terminal:
        house.home.mkdir(parents=True, exist_ok=True)
        config = house.world.write_config(**house.config)
        argv = ("-m", "torrent_mover", "--config", str(config), *arguments)
        opened.append(Terminal(*argv, cwd=house.home, HOME=str(house.home), PYTHONPATH=str(ROOT), **how))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def moving(house, terminal, made, least: int = 500_000) -> None:
    """Wait until that many bytes lie in staging, and the dashboard is there."""
    path = house.destination.data / ".torrent-mover" / made.info_hash / made.name
    terminal.read_while(lambda: not (path.exists() and path.stat().st_blocks * 512 > least))
    terminal.read_until(b"1/4 pull")


def test_a_paused_run_stands_still_and_goes_on_from_there(house, screen):
    made = house.seed("Long Film.mkv", SIZE)
    files = made.files()
    house.config = SLOW

    terminal = screen()
    moving(house, terminal, made)
    terminal.type(b"p")
    terminal.read_until(b"PAUSED")
    terminal.read_while(lambda: "paused by you; what was verified is kept" not in log_of(house), 10)
    assert house.destination.torrent(made.info_hash) is None
    terminal.type(b"p")
    terminal.read_until(b"The run is over", 60)
    terminal.type(b"q")

    assert terminal.end() == 0, terminal.output[-1500:]
    assert restored(terminal.output)
    assert b"1 moved, 0 failed" in terminal.output
    house.assert_moved(made, files)
    with closing(house.journal()) as journal:
        (entry,) = journal.history()
    assert entry.sent + entry.reused >= SIZE
    assert entry.sent < SIZE * 1.2


def test_cancel_on_the_screen_removes_what_arrived(house, screen):
    made = house.seed("Long Film.mkv", SIZE)
    files = made.files()
    house.config = SLOW

    terminal = screen(size=(120, 40))
    moving(house, terminal, made)
    terminal.type(b"x")
    terminal.read_until(b"Cancel?")
    terminal.type(b"x")
    terminal.read_until(b"The run is over", 30)
    terminal.type(b"q")

    assert terminal.end() == 0
    house.assert_at_source(made, files)
    house.assert_nothing_landed(made)
    house.assert_no_staging()
    assert "1 file removed from staging; the source is untouched" in log_of(house)


def test_what_is_asked_of_a_run_on_the_screen_happens_and_is_told(house, screen):
    """Order, skip, retry, rescan and a limit, all in one run of one torrent at a time."""
    names = {"Film.mkv": 3_000_000, "Bonus.mkv": 300_000, "Credits.mkv": 310_000}
    first, second, third = (house.seed(name, size) for name, size in names.items())
    files = {one.info_hash: one.files() for one in (first, second, third)}
    house.config = {"General": {"sftp_download_limit_mbps": "2"}}

    terminal = screen("--parallel-jobs", "1", size=(120, 40))
    moving(house, terminal, first, 200_000)
    terminal.type(b"2")
    terminal.read_until(b"next free slot")
    terminal.type(b"N")
    told(house, terminal, f"{second.info_hash[:8]} moved down in the queue, by you")
    terminal.type(b"s")
    told(house, terminal, f"{second.info_hash[:8]} skipped by you")
    late = house.seed("Deleted Scenes.mkv", 320_000)
    files[late.info_hash] = late.files()
    terminal.type(b"R")
    told(house, terminal, "queue: 1 torrent")
    terminal.type(b"r")
    told(house, terminal, f"{second.info_hash[:8]} retried by you")
    terminal.type(b"b")
    terminal.read_until(b"nothing: as configured")
    shown = time.monotonic()
    terminal.read_while(lambda: time.monotonic() < shown + 1)  # nobody types within the frame that opens the line
    terminal.type(b"100M")  # in place of the limit that is shown, which is selected
    typed = time.monotonic()
    terminal.read_while(lambda: time.monotonic() < typed + 1)
    terminal.type(b"\r")
    told(house, terminal, "limited to 100.0 MiB/s, by you")
    terminal.read_until(b"The run is over", 60)
    terminal.type(b"q")

    assert terminal.end() == 0, terminal.output[-1500:]
    begun = re.findall(r" (\w{8}) start: ", log_of(house))
    assert begun == [one.info_hash[:8] for one in (first, third, second, late)]
    for one in (first, second, third, late):
        house.assert_moved(one, files[one.info_hash])


def test_a_host_key_is_trusted_on_the_screen_and_the_run_begins(house, screen, tmp_path):
    made = house.seed("Film.mkv", 300_000)
    files = made.files()
    nothing = tmp_path / "known_hosts"
    nothing.touch()
    house.config = {"SOURCE_SERVER": {"known_hosts": str(nothing)}}

    terminal = screen(size=(120, 40))
    terminal.read_until(b"trust ssh-ed25519 SHA256:")
    terminal.read_until(b"REFUSED")
    assert not nothing.read_text()
    terminal.type(b"w")
    terminal.read_until(b"The run is over", 60)
    terminal.type(b"q")

    assert terminal.end() == 0, terminal.output[-1500:]
    assert nothing.read_text() == house.world.ssh.host_key_line
    house.assert_moved(made, files)


def test_the_line_that_a_check_proposes_is_written_and_the_run_begins(house, screen, tmp_path):
    made = house.seed("Film.mkv", 300_000)
    files = made.files()
    view = tmp_path / "view" / "data"
    view.parent.mkdir()
    view.symlink_to(house.destination.data)
    usual = house.destination.api.json("app/preferences")["save_path"]
    house.destination.api.post("app/setPreferences", json=f'{{"save_path": "{view}"}}')
    house.config = {"DESTINATION_PATHS": {"remote_destination_path": "/not/there"}}
    try:
        terminal = screen(size=(200, 60))
        terminal.read_until(b"[DESTINATION_PATHS]: remote_destination_path", 150)
        terminal.read_until(b"REFUSED")
        config = house.world.root / "config.ini"
        before, mode = config.read_text(), config.stat().st_mode
        terminal.type(b"w")
        terminal.read_until(b"The run is over", 60)
        terminal.type(b"q")

        assert terminal.end() == 0, terminal.output[-1500:]
        assert config.read_text() == before.replace("/not/there", str(view))
        assert config.stat().st_mode == mode
        (backup,) = config.parent.glob("config.ini.2*")
        assert backup.read_text() == before
        backup.unlink()
        house.assert_moved(made, files)
    finally:
        house.destination.api.post("app/setPreferences", json=f'{{"save_path": "{usual}"}}')


@pytest.mark.logins
def test_leaving_a_refused_run_returns_the_code_of_the_refusal(house, screen):
    house.seed("Film.mkv", 300_000)
    house.config = {"DESTINATION_CLIENT": {"password": "not this one"}}

    terminal = screen()
    terminal.read_until(b"REFUSED")
    terminal.type(b"q")

    assert terminal.end() == 3
    assert restored(terminal.output)


@pytest.mark.logins
def test_checking_again_after_mending_the_config_by_hand_begins_the_run(house, screen):
    made = house.seed("Film.mkv", 300_000)
    files = made.files()
    house.config = {"DESTINATION_CLIENT": {"password": "not this one"}}

    terminal = screen()
    terminal.read_until(b"REFUSED")
    house.config = {}
    house.world.write_config()
    terminal.type(b"c")
    terminal.read_until(b"The run is over", 60)
    terminal.type(b"q")

    assert terminal.end() == 0
    house.assert_moved(made, files)


@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "the window is closed", "Ctrl-C", "Ctrl-C twice"])
def test_however_the_screen_ends_the_engine_writes_down_what_it_has(house, screen, how):
    made = house.seed("Long Film.mkv", SIZE)
    files = made.files()
    house.config = SLOW

    terminal = screen(controlling=True)
    moving(house, terminal, made, 1_000_000)
    if how.startswith("Ctrl-C"):
        terminal.type(b"\x03" * (2 if how.endswith("twice") else 1))
    elif how.startswith("SIG"):
        terminal.process.send_signal(signal.Signals[how])
    else:
        terminal.hang_up()
    code = terminal.process.wait(20) if terminal.master < 0 else terminal.end(20)

    assert code == (130 if how.startswith("Ctrl-C") else 143)
    assert terminal.master < 0 or restored(terminal.output)
    house.assert_at_source(made, files)
    with closing(house.journal()) as journal:
        (record,) = journal.moves()
        assert any(journal.pieces(record.id))
        assert [run.exit_code for run in journal.runs()] == [code]


def told(house, terminal, text: str) -> None:
    """Wait until the log says so."""
    terminal.read_while(lambda: text not in log_of(house), 20)


def log_of(house) -> str:
    """The log file of the world's runs."""
    return "".join(path.read_text(errors="replace") for path in house.world.root.rglob("*.log") if "mover" in path.name)
