"""Locales that are not UTF-8, standard streams that are closed or break: the command works, and names on disk stay one thing."""

from __future__ import annotations

import gc
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CONFIG
from tests.e2e.command import ROOT
from tests.e2e.house import House
from tests.surroundings import LATIN_1, environment
from torrent_mover.adapters.process import surroundings

COMMAND = f"{shlex.quote(sys.executable)} -m torrent_mover"
CLOSED = ["2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-", "0<&-"]
SHELF, NAME = "Bücherei", "日本の歌 ü"


def shell(line: str, home: Path, extra: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash; `$TM` is the command."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    line = f"TM={shlex.quote(COMMAND)}; {line}"
    return subprocess.run(
        ["bash", "-c", line], cwd=home, env=clean | (extra or {}), capture_output=True, timeout=120, check=False
    )


def names_in(folder: Path) -> list[bytes]:
    """What lies in a folder, as the bytes that the disk has."""
    return os.listdir(os.fsencode(folder))  # noqa: PTH208  a Path would decode them


@pytest.fixture(params=["C", LATIN_1])
def locale(request, tmp_path):
    """The environment of a locale that is not UTF-8."""
    return environment(request.param, tmp_path)


@pytest.fixture
def house(world, tmp_path):
    """An empty world and the commands to run on it."""
    for name in ("tracker_rules.json", "config.ini"):
        (world.root / name).unlink(missing_ok=True)
    return House(world, tmp_path / "home")


# -- locales -----------------------------------------------------------------------------------------------------------


def test_names_are_utf8_whatever_the_locale_says(tmp_path, locale):
    code = (
        "import os, sys\nfrom torrent_mover.adapters.process import surroundings\nsurroundings.prepare()\n"
        r"open('\u672c \xfc', 'w').close(); print(os.fsencode(sys.argv[1]).hex(), sys.stdout.encoding, '\u672c')"
    )
    word = b"caf\xe9 \xe6\x9c\xac"
    argv = [sys.executable, "-c", code, word]
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, cwd=tmp_path, env=clean | locale, capture_output=True, timeout=60, check=True)

    assert done.stdout.split() == [word.hex().encode(), b"ascii", rb"\u672c"]
    assert "本 ü".encode() in names_in(tmp_path)


def test_what_the_terminal_cannot_show_is_escaped(tmp_path, locale):
    done = shell("$TM --config 本 --check-config", tmp_path, locale)

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"There is no config file. Looked for: \\u672c (--config). [TM-E101]" in done.stderr


def test_a_command_that_is_advised_names_the_folder_on_the_disk(tmp_path, locale):
    code = (
        "import shlex\nfrom torrent_mover.adapters.process import surroundings\nsurroundings.prepare()\n"
        r"print('mkdir -p', shlex.quote('the lot/B\xfcch\u672c'), '# it\'s B\xfcch')"
    )
    said = shell(f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}", tmp_path, locale).stdout
    subprocess.run([b"bash", b"-c", said], cwd=tmp_path, env={"PATH": os.environ["PATH"]} | locale, check=True)

    assert names_in(tmp_path / "the lot") == ["Büch本".encode()]
    assert said.endswith(b"# it's B\xfcch\n" if LATIN_1 in locale.values() else b"# it's B\\xfcch\n")


def test_a_locale_of_utf8_that_this_machine_lacks_is_utf8(tmp_path):
    done = shell("$TM --config 本 --check-config", tmp_path, {"LC_ALL": "xx_YY.UTF-8", "PYTHONUTF8": "0"})

    assert "Looked for: 本 (--config)".encode() in done.stderr


@pytest.mark.servers
def test_a_move_between_names_that_the_locale_does_not_know(house, locale):
    shelf = house.destination.data / SHELF
    shelf.mkdir()
    made = house.seed(NAME, {"本/一.bin": 70_000, "zwei ä": 60_000})
    files = made.files()
    house.config = {"DESTINATION_PATHS": {"destination_path": str(shelf)}}

    for check in (["doctor"], ["--test-permissions"], ["--dry-run"]):
        house.run(*check, environment=locale).ended(0)
    shown = house.run("--dry-run", environment=locale)
    assert "\\u65e5\\u672c" in shown.out
    house.run("--simple", environment=locale).ended(0)

    assert {name: (shelf / name).read_bytes() for name in files} == files
    assert names_in(house.destination.data) == [SHELF.encode()]
    assert names_in(shelf) == [NAME.encode()]
    for look in (["history"], ["history", "--csv"], ["log", made.info_hash], ["status"]):
        said = house.run(*look, environment=locale).ended(0)
        assert look == ["status"] or "\\u65e5\\u672c" in said.out
    assert NAME in (house.world.root / "log" / "torrent_mover.log").read_text(encoding="utf-8")


@pytest.mark.servers
def test_rsync_takes_names_that_the_locale_does_not_know(house, tmp_path):
    latin_1 = environment(LATIN_1, tmp_path)
    shelf = house.destination.data / SHELF
    shelf.mkdir()
    made = house.seed(NAME, {"本/一.bin": 70_000, "zwei ä": 60_000})
    files = made.files()
    house.config = {"DESTINATION_PATHS": {"destination_path": str(shelf)}, "SETTINGS": {"transfer_mode": "rsync"}}

    house.run("--simple", environment=latin_1).ended(0)

    assert {name: (shelf / name).read_bytes() for name in files} == files
    assert names_in(shelf) == [NAME.encode()]


@pytest.mark.servers
def test_a_destination_that_latin_1_cannot_write_is_an_answer_and_not_a_hanging_run(house, tmp_path):
    latin_1 = environment(LATIN_1, tmp_path)
    made = house.seed("One", 60_000)
    house.config = {"DESTINATION_PATHS": {"destination_path": str(house.destination.data / "本")}}

    house.run("--simple", environment=latin_1).ended(4).says("\\u672c")

    house.assert_at_source(made, made.files())
    assert not (house.destination.data / "本").exists()


# -- standard streams --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", CLOSED)
def test_closed_streams_get_no_file_of_ours(tmp_path, closed):
    code = (
        "import os, socket, sys\nfrom torrent_mover.adapters.process import surroundings\nsurroundings.prepare()\n"
        "first = open('data', 'w').fileno(), socket.socket().fileno()\n"
        "print('said'); print('told', file=sys.stderr); surroundings.settle()\n"
        "child = os.system('echo child; echo child >&2; cat')\n"
        "open('found', 'w').write(f'{min(first) > 2} {sys.stdin.read() == str()} {child} {sys.stdout.isatty()}')"
    )
    done = shell(f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} </dev/null {closed}", tmp_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "found").read_text() == "True True 0 False"
    assert (tmp_path / "data").read_text() == ""


@pytest.mark.servers
@pytest.mark.parametrize("closed", ["2>&-", "0<&- 1>&- 2>&-"])
def test_a_run_with_closed_streams_moves_and_its_log_has_it_all(house, closed):
    made = house.seed("One", 70_000)
    files = made.files()
    config = house.world.write_config()
    house.home.mkdir()

    done = shell(f"$TM --config {shlex.quote(str(config))} {closed}", house.home)

    assert done.returncode == 0, done.stderr
    house.assert_moved(made, files)
    log = (house.world.root / "log" / "torrent_mover.log").read_text()
    assert " done: " in log
    assert " end: 1 moved, 0 failed" in log


def test_an_error_without_a_stream_to_say_it_on_is_the_exit_code(tmp_path):
    assert shell("$TM --check-config --config nowhere 2>&-", tmp_path).returncode == 2


@pytest.mark.parametrize("line", ["$TM --help", "$TM --help 2>&1", "$TM --config missing --check-config 2>&1"])
def test_whoever_stops_reading_is_no_error(tmp_path, line):
    done = shell(
        f"{line} | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}; {line} | true; echo ${{PIPESTATUS[0]}}", tmp_path
    )

    code = b"2" if "missing" in line else b"0"
    assert (done.stdout.split(), done.stderr) == ([code, code], b"")


@pytest.mark.parametrize("line", ["$TM --help", "$TM --list-rules --config config.ini"])
def test_an_output_that_cannot_be_written_is_told(tmp_path, line):
    config = tmp_path / "config.ini"
    config.write_text(CONFIG.format(folder=tmp_path))
    config.chmod(0o600)

    done = shell(f"{line} >/dev/full", tmp_path)

    assert (done.returncode, done.stderr) == (
        1,
        b"torrent-mover: The output cannot be written: No space left on device. [TM-E001]\n  Free some space there: df -h\n",
    )


# -- values ------------------------------------------------------------------------------------------------------------


def test_values_are_not_looked_through_again_and_again_while_many_are_made():
    before, looks = gc.get_threshold(), []

    def note(phase, _found):
        looks.append(phase)

    surroundings.collect_rarely()
    gc.callbacks.append(note)
    try:
        made = [(number, [number]) for number in range(20_000)]
    finally:
        gc.callbacks.remove(note)
        gc.set_threshold(*before)
    assert looks.count("start") <= 1
    assert len(made) == 20_000
