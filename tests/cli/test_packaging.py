"""What is shipped beside the code: wheel and sdist, completions, man page, units, container."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile

import pytest

from tests.e2e.command import ROOT
from torrent_mover import __version__
from torrent_mover.cli import parser

PACKAGING = ROOT / "packaging"
OPTIONS = sorted({flag for action in parser()._actions for flag in action.option_strings if flag.startswith("--")})
COMMANDS = sorted(next(action for action in parser()._actions if action.dest == "command").choices)


def done(*words, **more):
    """A program's output; fails with it where the program does."""
    result = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize(
    "name", ["completions/torrent-mover.bash", "completions/_torrent-mover", "completions/torrent-mover.fish"]
)
def test_every_option_and_command_is_completed(name):
    text = (PACKAGING / name).read_text()

    for flag in OPTIONS:
        assert re.search(rf"(?:{flag}|-l {flag[2:]})\b", text), flag
    for command in COMMANDS:
        assert command in text


def completed(*words):
    """What bash offers after these words, the last one being typed."""
    program = (
        f"source '{PACKAGING}/completions/torrent-mover.bash'; COMP_WORDS=(torrent-mover \"$@\"); "
        'COMP_CWORD=$#; _torrent_mover; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return done("bash", "-c", program, "bash", *words).split()


def test_bash_completes_options_commands_and_choices():
    assert completed("--dry") == ["--dry-run"]
    assert "status" in completed("sta")
    assert completed("history", "--c") == ["--csv"]
    assert completed("--graph", "b") == ["braille", "block"]
    assert completed("--parallel-jobs", "") == []


def test_the_man_page_has_every_option_and_is_sound(tmp_path):
    page = PACKAGING / "man" / "torrent-mover.1"
    text = page.read_text().replace("\\-", "-")

    for flag in OPTIONS:
        assert f"\\fB{flag}\\fR" in text
    assert f"torrent_mover {__version__}" in text
    if not shutil.which("groff"):
        pytest.fail("groff is not installed: apt-get install groff-base")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    told = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True, env=environ, check=True
    )
    assert told.stderr == ""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The files under version control and new ones, in a folder where building may leave things."""
    target = tmp_path_factory.mktemp("tree")
    names = done("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT).split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "bench/", "docs/")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture(scope="module")
def built(tree, tmp_path_factory):
    """Wheel and sdist, built by the backend that pyproject.toml names, without a network."""
    target = tmp_path_factory.mktemp("dist")
    for kind in ("wheel", "sdist"):
        program = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
        done(sys.executable, "-W", "ignore", "-c", program, target, cwd=tree)
    (wheel,), (sdist,) = target.glob("*.whl"), target.glob("*.tar.gz")
    return wheel, sdist


def test_the_wheel_has_code_styles_man_page_and_completions(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"torrent_mover-{__version__}.dist-info/METADATA").decode()

    assert {"torrent_mover/py.typed", "torrent_mover/tui/shell/mover.tcss", "torrent_mover/cli.py"} <= names
    package = ROOT / "torrent_mover"
    files = [path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert {f"torrent_mover/{path.relative_to(package)}" for path in files} <= names
    assert any(name.endswith("share/man/man1/torrent-mover.1") for name in names)
    assert any(name.endswith("share/bash-completion/completions/torrent-mover.bash") for name in names)
    assert not [name for name in names if name.startswith(("tests", "bench", "scripts"))]
    assert "Requires-Dist: textual" in metadata
    assert re.search(r"Requires-Dist: apprise.*extra == .notify.", metadata)


def test_the_wheel_is_small_and_what_it_needs_is_six_packages(built):
    with zipfile.ZipFile(built[0]) as wheel:
        metadata = wheel.read(f"torrent_mover-{__version__}.dist-info/METADATA").decode()

    assert built[0].stat().st_size < 2 * 1024 * 1024
    needs = re.findall(r"^Requires-Dist: ([\w-]+)(?!.*extra ==)", metadata, re.MULTILINE)
    assert sorted(needs) == ["httpx", "paramiko", "psutil", "qbittorrent-api", "rich", "textual"]


def test_the_sdist_can_be_built_from(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"pyproject.toml", "requirements.txt", "README.md", "LICENSE", "torrent_mover/cli.py"} <= names


def test_the_wheel_installs_into_a_fresh_environment_and_answers(built, tmp_path):
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps")
    done(*pip, "--disable-pip-version-check", built[0])
    command = tmp_path / "venv" / "bin" / "torrent-mover"
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    assert done(command, "--version", env=environ) == f"torrent_mover {__version__}\n"
    assert done(python, "-m", "torrent_mover", "--version", env=environ) == f"torrent_mover {__version__}\n"
    assert "--watch" in done(command, "--help", env=environ)
    assert (tmp_path / "venv" / "share" / "man" / "man1" / "torrent-mover.1").is_file()


def test_the_dependencies_are_bounded():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    for each in (*filter(None, wanted), *project["optional-dependencies"]["notify"]):
        assert re.fullmatch(r"[\w-]+>=[\d.]+,<\d+", each), each


def test_the_units_are_what_systemd_understands(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.fail("systemd-analyze is not installed: apt-get install systemd")
    for unit in (PACKAGING / "systemd").iterdir():
        text = unit.read_text().replace("/usr/local/bin/torrent-mover", "/bin/true")
        (tmp_path / unit.name).write_text(text)

    done("systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir()))


def test_what_units_crontab_and_container_run_is_what_the_parser_knows():
    lines = []
    for path in (*(PACKAGING / "systemd").glob("*.service"), PACKAGING / "crontab.example"):
        lines += [line for line in path.read_text().splitlines() if "torrent-mover -" in line]
    assert len(lines) == 4
    for line in lines:
        words = line.partition("torrent-mover --")[2].split(" ||")[0].split()
        parser().parse_args([f"--{words[0]}", *words[1:]])
    words = re.search(r"^CMD \[(.*)\]$", (PACKAGING / "Containerfile").read_text(), re.MULTILINE)[1]
    assert parser().parse_args(re.findall(r'"([^"]*)"', words)).command == "serve"


def test_the_watch_service_is_the_hardened_one_that_stays():
    once = (PACKAGING / "systemd" / "torrent-mover.service").read_text()
    stays = (PACKAGING / "systemd" / "torrent-mover-watch.service").read_text()
    hardening = once.partition("# chown_user")[2]

    assert hardening.strip()
    assert hardening.strip() in stays
    assert "Type=notify" in stays
    assert "WatchdogSec=" in stays


def entrypoint(*words, as_root=(), **environ):
    clean = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [*as_root, PACKAGING / "container-entrypoint.sh", *words],
        env=clean | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("puid", "said"), [("0", "PUID=0"), ("me", "numbers"), ("1;id", "numbers")])
def test_the_container_never_runs_as_root(puid, said):
    as_root = () if os.getuid() == 0 else ("unshare", "--map-root-user")
    result = entrypoint("true", as_root=as_root, PUID=puid)

    assert result.returncode == 2
    assert said in result.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can run something as somebody without a name")
def test_a_user_of_the_container_without_a_name_is_given_one(open_folder):
    script, library = open_folder / "entrypoint.sh", open_folder / "libnss_wrapper.so"
    shutil.copy(PACKAGING / "container-entrypoint.sh", script)
    library.write_text("the loader says on standard error that this is no library, and goes on\n")
    start = ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", script, "sh", "-c"]
    environ = {"PATH": os.environ["PATH"], "HOME": "/config"}

    names = {**environ, "NSS_WRAPPER_LIBRARY": str(library)}
    show = 'echo "$LD_PRELOAD"; tail -n1 "$NSS_WRAPPER_PASSWD"; rm "$NSS_WRAPPER_PASSWD"'
    line = "mover:x:54321:54321::/config:/usr/sbin/nologin"
    assert done(*start, show, env=names).splitlines() == [str(library), line]
    without = {**environ, "NSS_WRAPPER_LIBRARY": "/no/such/library"}
    assert done(*start, "echo ${LD_PRELOAD-none}", env=without) == "none\n"


def test_the_container_runs_as_the_user_that_it_is_given_or_that_it_was_started_as():
    result = entrypoint("sh", "-c", "id -u; id -g; grep NoNewPrivs /proc/self/status", PUID="4242", PGID="4343")

    if os.getuid() == 0:
        assert result.stdout.split() == ["4242", "4343", "NoNewPrivs:", "1"], result
    else:
        assert result.stdout.split()[:2] == [str(os.getuid()), str(os.getgid())], result
