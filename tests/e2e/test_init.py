"""init on real servers: asked in a terminal, told by flags, and what it refuses to do."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.conftest import BRISK, program_of
from tests.e2e.command import Command, Result
from tests.e2e.terminal import Terminal
from torrent_mover.bootstrap.configs import load, load_all
from torrent_mover.cli import main
from torrent_mover.demo.process import wait_until
from torrent_mover.demo.qbittorrent_server import QBittorrentServer
from torrent_mover.demo.world import CATEGORY
from torrent_mover.domain.settings.problems import Severity
from torrent_mover.duties.debrid.settings import DebridSettings

pytestmark = [pytest.mark.servers, pytest.mark.logins]


def fingerprint(house) -> str:
    said = subprocess.run(
        ["ssh-keygen", "-l", "-f", house.world.ssh.known_hosts], capture_output=True, text=True, check=True
    )
    return said.stdout.split()[1]


@pytest.fixture
def passwords(house, tmp_path):
    """Files with the passwords of the two clients."""
    files = {}
    for name, server in (("source", house.source), ("destination", house.destination)):
        files[name] = tmp_path / f"{name}.password"
        files[name].write_text(f"{server.password}\n")
    return files


@pytest.fixture
def flags(house, passwords, tmp_path):
    """Every answer as a flag."""
    ssh = house.world.ssh
    return [
        "--source-url", f"http://{house.source.host}:{house.source.port}",
        "--source-user", house.source.username,
        "--source-password-file", passwords["source"],
        "--destination-url", f"http://{house.destination.host}:{house.destination.port}",
        "--destination-user", house.destination.username,
        "--destination-password-file", passwords["destination"],
        "--source-ssh", f"{ssh.user}@{ssh.host}:{ssh.port}",
        "--source-ssh-key", ssh.key_file,
        "--known-hosts", tmp_path / "known_hosts",
        "--destination-path", house.destination.data,
        "--category", CATEGORY,
        "--yes",
    ]  # fmt: skip


@pytest.fixture
def init(house, capsys, monkeypatch):
    """Runs init in this process, with nobody to ask, as in the house's home."""
    monkeypatch.setenv("HOME", str(house.home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    house.home.mkdir(parents=True, exist_ok=True)

    def run(*arguments) -> Result:
        capsys.readouterr()
        code = main(["init", *map(str, arguments)])
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return run


def without(flags: list, name: str) -> list:
    place = flags.index(name)
    return flags[:place] + flags[place + 2 :]


def test_flags_answer_everything_and_the_config_moves_torrents(init, house, flags, tmp_path):
    made = house.seed("Show", 100_000)
    files = made.files()
    config = tmp_path / "new" / "config.ini"

    result = init("--config", config, *flags, "--host-key", fingerprint(house)).ended(0)

    result.says("1 torrent would be moved", "Show", "--test-run")
    assert config.stat().st_mode & 0o777 == 0o600
    assert house.source.password not in config.read_text() + result.text
    settings, problems = load(config)
    assert settings.moving.category_to_move == CATEGORY
    assert [one for one in problems if one.severity.value != "notice"] == []
    assert [one.name for one in config.parent.iterdir()] == ["config.ini"]
    assert not [one for one in house.destination.data.iterdir() if "canary" in one.name]
    with Command("--config", config, "--simple", home=house.home) as command:
        command.end().ended(0)
    house.assert_moved(made, files)


def test_a_host_key_is_never_trusted_without_consent(init, house, flags, tmp_path):
    config = tmp_path / "config.ini"

    refused = init("--config", config, *flags).ended(3)

    refused.says("not known", f"--host-key {fingerprint(house)}")
    init("--config", config, *flags, "--host-key", "SHA256:somethingelse").ended(3)
    assert not config.exists()
    assert not (tmp_path / "known_hosts").exists()


def test_a_config_that_is_there_is_kept(init, house, flags, tmp_path):
    config = tmp_path / "config.ini"
    config.write_text("mine\n")
    # Without --known-hosts: what is remembered in $HOME counts, also where that is not the account's own folder.
    trusted = [*without(flags, "--known-hosts"), "--host-key", fingerprint(house)]

    init("--config", config, *trusted).ended(2).says("There is a config already", "--overwrite")
    assert config.read_text() == "mine\n"

    init("--config", config, *trusted, "--overwrite").ended(0)
    assert (tmp_path / "config.ini.before").read_text() == "mine\n"
    assert (house.home / ".ssh" / "known_hosts").stat().st_size
    load(config)


def test_a_config_of_another_duty_keeps_its_lines_and_gets_the_route(init, house, flags, tmp_path):
    config = tmp_path / "config.ini"
    general = f"[General]\nstate_dir = {tmp_path}/state\nlog_dir = {tmp_path}\n"
    there = f"# mine\n[DEBRID realdebrid]\ntoken = 0123456789abcdef\n\n{general}"
    config.write_text(there)

    init("--config", config, *flags, "--host-key", fingerprint(house)).ended(0).says(f"Added to: {config}", "A dry run")

    assert config.read_text().startswith(there)
    found, problems = load_all(config)
    assert [each for each in problems if each.severity is Severity.ERROR] == []
    assert (len(found.routes), set(found.named(DebridSettings))) == (1, {"realdebrid"})


@pytest.mark.parametrize(
    ("flag", "value", "code", "said"),
    [
        ("--source-url", "http://127.0.0.1:1", 3, "127.0.0.1:1"),
        ("--destination-user", "nobody", 3, "TM-E202"),
        ("--source-ssh", "no-user", 2, "user@"),
        ("--source-ssh-key", "/nowhere/key", 2, "/nowhere/key"),
        ("--destination-path", "/nowhere/at/all", 4, "mkdir -p /nowhere/at/all"),
    ],
)
def test_a_wrong_answer_is_told_with_its_remedy_and_nothing_is_written(
    init, house, flags, tmp_path, flag, value, code, said
):
    config = tmp_path / "config.ini"
    wrong = [*without(flags, flag), flag, value, "--host-key", fingerprint(house)]

    init("--config", config, *wrong).ended(code).says(said)

    assert not config.exists()


def test_what_is_missing_is_named_where_nobody_can_be_asked(init, house, flags, tmp_path):
    config = tmp_path / "config.ini"
    for flag in ("--source-url", "--category", "--source-ssh", "--destination-path"):
        given = [*without(flags, flag), "--host-key", fingerprint(house)]
        init("--config", config, *given).ended(2).says(flag)
    init("--config", config).ended(2)  # no terminal: as with --yes
    assert not config.exists()


def test_passwords_come_from_the_environment_too(init, house, flags, tmp_path, monkeypatch):
    config = tmp_path / "config.ini"
    given = without(without(flags, "--source-password-file"), "--destination-password-file")
    monkeypatch.setenv("TORRENT_MOVER_SOURCE_PASSWORD", house.source.password)
    monkeypatch.setenv("TORRENT_MOVER_DESTINATION_PASSWORD", house.destination.password)

    result = init("--config", config, *given, "--host-key", fingerprint(house))

    assert load(config)[0].source_client.password.reveal() == house.source.password
    assert house.source.password not in result.ended(0).text


def test_a_person_is_asked_and_asked_again_and_no_password_is_shown(house, tmp_path):
    house.seed("Show", 100_000)
    ssh, config, known = house.world.ssh, tmp_path / "config.ini", tmp_path / "known_hosts"
    with Terminal("--config", config, "init", "--known-hosts", known, home=house.home) as person:
        person.answer(r"transfer_mode \[1\]", "sftp")
        person.answer(r"Address of its Web UI \[http://localhost:8080\]", "http://127.0.0.1:1")
        person.answer(r"User name \[admin\]", house.source.username)
        person.answer(r"Password, not shown", "wrong for now")
        person.expect(r"✗ .*127\.0\.0\.1:1")
        person.answer(r"Address of its Web UI \[http://127.0.0.1:1\]", f"http://127.0.0.1:{house.source.port}")
        person.answer(r"User name \[", "")
        person.answer(r"not shown \[as before\]", house.source.password)
        person.expect(r"✓ .*qBittorrent v?\d")
        person.answer(rf"Category to move \[{CATEGORY}\]", "1")
        person.expect(r"1 completed torrent")
        for _ in range(4):
            person.answer(r"SSH login", "without-a-user")
            person.expect(r"names no user")
        person.answer(r"Answer these once more\? .*kept \[Y/n\]", "")
        person.answer(r"SSH login", f"{ssh.user}@{ssh.host}:{ssh.port}")
        person.answer(r"Private key", str(ssh.key_file))
        person.expect(fingerprint(house).replace("+", r"\+"))
        person.answer(r"Trust it from now on\? \[y/N\]", "y")
        person.expect(r"logged in by publickey")
        person.answer(r"Address of its Web UI", f"http://127.0.0.1:{house.destination.port}")
        person.answer(r"User name", house.destination.username)
        person.answer(r"Password, not shown", "a wrong one")
        person.expect(r"Type user name and password again")
        person.answer(r"Address of its Web UI", "")
        person.answer(r"User name", "")
        person.answer(r"Password, not shown", house.destination.password)
        person.answer(r"Folder \[", "/nowhere/at/all")
        person.expect(r"✗ .*does not exist")
        person.answer(r"Folder \[/nowhere/at/all\]", str(house.destination.data))
        person.expect(r"sees it as")
        person.expect(r"Written: .*config\.ini")
        person.expect(r"1 torrent would be moved")
        assert person.end() == 0
    assert config.stat().st_mode & 0o777 == 0o600
    assert known.stat().st_mode & 0o777 == 0o600
    assert house.source.password not in person.shown
    assert house.destination.password not in person.shown
    assert load(config)[0].source_server.known_hosts is not None


@pytest.fixture
def container(tmp_path):
    """A client with a mount namespace of its own: it sees our folder `data` elsewhere, and nothing in its own place."""
    root, view = tmp_path / "container", tmp_path / "seen" / "by-the-client"
    view.mkdir(parents=True)
    program, data = tmp_path / "qbittorrent-in-container", root / "data"
    real = program_of("4.5")
    as_root = "" if os.getuid() == 0 else "--map-root-user"
    inside = f'mount --bind {data} {view} && mount -t tmpfs none {data} && exec {real} "$@"'
    program.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = --version ] && exec {real} --version\n'
        f"exec unshare {as_root} --mount sh -c '{inside}' sh \"$@\"\n"
    )
    program.chmod(0o755)
    settings = BRISK | {"BitTorrent/Session\\DefaultSavePath": str(view)}
    with QBittorrentServer(root, program=program, settings=settings) as server:
        yield server, view


def test_the_path_that_the_client_sees_is_found_out(init, house, flags, container, tmp_path):
    server, view = container
    ours = server.data / "library"
    ours.mkdir()
    config, password = tmp_path / "config.ini", tmp_path / "container.password"
    password.write_text(server.password)
    given = flags
    for name in ("--destination-url", "--destination-password-file", "--destination-path"):
        given = without(given, name)
    given = [
        *given,
        "--destination-url",
        server.url,
        "--destination-password-file",
        password,
        "--destination-path",
        ours,
    ]
    result = init("--config", config, *given, "--host-key", fingerprint(house)).ended(0)

    result.says(f"found out: remote_destination_path = {view}/library")
    assert str(load(config)[0].paths.remote_destination_path) == f"{view}/library"


def test_a_person_goes_back_and_what_is_pasted_too_early_is_never_shown(house, tmp_path):
    config = tmp_path / "config.ini"
    with Terminal("--config", config, "init", home=house.home) as person:
        person.answer(r"transfer_mode \[1\]", "sftp")
        person.answer(r"Address of its Web UI", "http://127.0.0.1")
        person.answer(r"Port of its Web UI \[8080\]", str(house.source.port))
        person.answer(r"User name \[admin\]", f"{house.source.username}\r{house.source.password}")
        person.answer(r"Password, not shown", house.source.password)
        person.expect(r"✓ .*qBittorrent v?\d")
        person.answer(r"Category to move", "<")
        person.answer(r"Address of its Web UI \[http://127.0.0.1\]", "<")
        person.expect(r"transfer_mode \[")
        person.press("\x03")
        person.expect(r"No config was written, and no answer is kept")
        assert person.end() == 130
    assert house.source.password not in person.shown
    assert not config.exists()


def test_a_missing_port_is_named_before_anything_else_is_asked(init, flags, tmp_path):
    flags = without(flags, "--source-url")

    result = init("--config", tmp_path / "config.ini", "--source-url", "http://127.0.0.1", *flags)

    assert "Not given: Port of its Web UI." in result.ended(2).text
    assert "--source-url http://HOST:PORT" in result.text


def test_leaving_with_ctrl_c_writes_nothing(house, tmp_path):
    config = tmp_path / "config.ini"
    with Terminal("--config", config, "init", home=house.home) as person:
        person.expect(r"transfer_mode")
        # Once more where the first came while the line editor was about to begin.
        for _ in range(2):
            person.press("\x03")
            if wait_until(lambda: person.ended, 10):
                break
        assert person.end() == 130
    assert not config.exists()
