"""The throw-away world is what it says it is; libtorrent is the oracle for its torrents."""

from __future__ import annotations

import configparser
import os
import socket
import subprocess
import sys
from pathlib import Path

import libtorrent
import pytest

from tests.servers import eventually, snapshot
from torrent_mover.demo.content import sample, sample_torrents
from torrent_mover.demo.ports import free_port
from torrent_mover.demo.process import ServerProcess
from torrent_mover.demo.programs import find_program
from torrent_mover.demo.ssh_server import PasswordLogin, SshServer
from torrent_mover.demo.torrents import info_hash, make_torrent
from torrent_mover.demo.web_api import WebApi
from torrent_mover.domain.errors import MissingProgram, Unreachable

DRAWS_THE_SAME = """
import secrets, sys
from torrent_mover.demo.ports import free_port
draw, same = secrets.randbelow, [int(sys.argv[1]) - 15_000]
secrets.randbelow = lambda count: same.pop() if same else draw(count)
print(free_port(), same)
"""

SIZES = {"a/one": 100_000, "a/two.bin": 16_384, "a-b": 65_536, "empty": 0, "b/zz": 1, "c": 300_001, "d empty": 0}


def test_no_two_processes_draw_the_same_port_although_no_server_has_bound_it_yet():
    port = free_port()
    other = subprocess.run(
        [sys.executable, "-c", DRAWS_THE_SAME, str(port)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert int(other[0]) != port
    assert other[1] == "[]"


def shape(name):
    return SIZES if name == "folder" else 200_001


def facts(metainfo: bytes) -> libtorrent.torrent_info:
    return libtorrent.torrent_info(libtorrent.bdecode(metainfo))


@pytest.mark.parametrize("content", ["folder", "single file"])
@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_libtorrent_reads_the_same_files_and_hash(tmp_path, version, content):
    made = sample(tmp_path, "Some Content", shape(content), version=version)

    told = facts(made.metainfo)

    hashes = told.info_hashes()
    assert (hashes.has_v1(), hashes.has_v2()) == (version != "v2", version != "v1")
    assert str(hashes.v2)[:40] == made.info_hash if version != "v1" else str(hashes.v1) == made.info_hash
    files = told.layout()
    padding = libtorrent.file_flags_t.flag_pad_file
    listed = {
        files.file_path(index): files.file_size(index)
        for index in range(files.num_files())
        if not files.file_flags(index) & padding
    }
    assert listed == {name: len(data) for name, data in made.files().items()}


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_hashes_and_file_order_are_those_that_libtorrent_makes(tmp_path, version):
    # Without a name like `a-b` beside a folder `a`: there libtorrent 2.1 writes hybrids that it then refuses to read.
    sizes = {name: size for name, size in SIZES.items() if name != "a-b"}
    made = sample(tmp_path, "Some Content", sizes, version=version, piece_length=32 * 1024)
    flag = {
        "v1": libtorrent.create_torrent.v1_only,
        "v2": libtorrent.create_torrent.v2_only,
        "hybrid": libtorrent.create_torrent.canonical_files_no_tail_padding,
    }[version]

    entries = [
        libtorrent.create_file_entry(name, len(data)) for name, data in sorted(made.files().items(), key=by_parts)
    ]
    other = libtorrent.create_torrent(entries, 32 * 1024, flag)
    libtorrent.set_piece_hashes(other, str(tmp_path))

    theirs, ours = other.generate(), libtorrent.bdecode(made.metainfo)
    assert ours.get(b"piece layers") == theirs.get(b"piece layers")
    assert ours[b"info"].get(b"file tree") == theirs[b"info"].get(b"file tree")
    assert ours[b"info"].get(b"pieces") == theirs[b"info"].get(b"pieces")
    assert list_of_files(ours) == list_of_files(theirs)


def by_parts(item):
    return Path(item[0]).parts


def list_of_files(document):
    return [(file[b"path"], file[b"length"], file.get(b"attr", b"")) for file in document[b"info"].get(b"files", [])]


def test_tracker_private_flag_and_source_are_in_the_metainfo(tmp_path):
    made = sample(tmp_path, "x", 10)

    metainfo = make_torrent(
        made.content, trackers=("http://a.example/x", "udp://b.example:1"), private=True, source="S", name="y"
    )

    told = facts(metainfo)
    assert libtorrent.load_torrent_buffer(metainfo).trackers == ["http://a.example/x", "udp://b.example:1"]
    assert told.priv()
    assert told.name() == "y"
    assert info_hash(metainfo) != made.info_hash


def test_content_depends_on_the_seed_alone(tmp_path):
    one, two = sample(tmp_path / "1", "x", SIZES, seed=7), sample(tmp_path / "2", "x", SIZES, seed=7)

    assert one.metainfo == two.metainfo
    assert sample(tmp_path / "3", "x", SIZES, seed=8).metainfo != one.metainfo


@pytest.mark.servers
def test_every_sample_is_complete_in_the_client_after_a_recheck(qbittorrent):
    samples = sample_torrents(qbittorrent.data, scale=0.1)
    for one in samples:
        qbittorrent.add(one.metainfo, category=one.category, stopped=True)

    for one in samples:
        qbittorrent.recheck(one.info_hash)

    for one in samples:
        told = qbittorrent.wait_for(one.info_hash, {"pausedUP", "stoppedUP"})
        assert (told["progress"], told["amount_left"]) == (1, 0)
        assert (told["category"], told["name"]) == (one.category, one.name)


@pytest.mark.servers
def test_a_wrong_byte_is_found_by_the_client(qbittorrent):
    made = sample(qbittorrent.data, "Hybrid", SIZES, version="hybrid")
    damaged = made.content / "c"
    damaged.write_bytes(b"\0" + damaged.read_bytes()[1:])

    torrent = qbittorrent.add(made.metainfo, stopped=True)
    qbittorrent.recheck(torrent)

    told = eventually(
        lambda: (found := qbittorrent.torrent(torrent))["progress"] > 0 and found["state"][-2:] == "DL" and found, 60
    )
    assert told["amount_left"] == 64 * 1024


@pytest.mark.servers
def test_the_web_login_is_real_and_the_password_needed(qbittorrent):
    assert qbittorrent.api.login()
    assert not WebApi(qbittorrent.host, qbittorrent.port, qbittorrent.username, "wrong").login()


@pytest.mark.servers
def test_torrents_survive_a_restart_and_the_login_is_renewed(qbittorrent_51):
    made = sample(qbittorrent_51.data, "Stays", 100_000)
    torrent = qbittorrent_51.add(made.metainfo)
    qbittorrent_51.wait_for(torrent)
    before = qbittorrent_51.pid

    qbittorrent_51.restart()

    assert qbittorrent_51.pid != before
    assert eventually(lambda: qbittorrent_51.torrent(torrent))["name"] == "Stays"


@pytest.mark.servers
def test_start_and_stop_work_on_both_versions(qbittorrent):
    made = sample(qbittorrent.data, "Moves", 100_000)
    torrent = qbittorrent.add(made.metainfo)
    qbittorrent.wait_for(torrent)

    qbittorrent.stop_torrents(torrent)
    qbittorrent.wait_for(torrent, {"pausedUP", "stoppedUP"})
    qbittorrent.start_torrents(torrent)
    qbittorrent.wait_for(torrent)


def sftp_version(server: SshServer) -> bytes:
    """The answer to SSH_FXP_INIT (draft-ietf-secsh-filexfer-02, section 4), without its extensions."""
    command = [find_program("ssh"), *server.ssh_options(), "-s", server.host, "sftp"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as ssh:
        ssh.stdin.write(bytes.fromhex("00000005 01 00000003"))
        ssh.stdin.flush()
        return ssh.stdout.read(9)[4:]


@pytest.mark.servers
@pytest.mark.parametrize("subsystem", ["internal-sftp", "external"])
def test_sftp_answers_to_the_key(tmp_path, subsystem):
    with SshServer(tmp_path, subsystem=subsystem) as server:
        assert sftp_version(server) == bytes.fromhex("02 00000003")


@pytest.mark.servers
def test_commands_run_on_the_same_paths_as_outside(ssh_server, tmp_path):
    (tmp_path / "here").write_text("seen")

    said = run_ssh(ssh_server, f"cat {tmp_path}/here")

    assert (said.returncode, said.stdout) == (0, "seen")


def test_what_somebody_runs_in_their_bashrc_has_no_part_in_it(ssh_server):
    """A bash that sshd starts reads ~/.bashrc where it is the first one: `pyenv init` there waits a minute for a lock."""
    said = run_ssh(ssh_server, "bash -c 'echo $SHLVL'")
    assert int(said.stdout) >= 2


def run_ssh(server: SshServer, command: str) -> subprocess.CompletedProcess:
    words = [find_program("ssh"), *server.ssh_options(), server.host, command]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.servers
def test_a_forced_command_replaces_what_was_asked_for(tmp_path):
    with SshServer(tmp_path, force_command="echo only this", lines=["Banner none"]) as server:
        assert run_ssh(server, "id").stdout == "only this\n"


@pytest.mark.servers
def test_another_host_key_is_refused_by_ssh(tmp_path):
    with SshServer(tmp_path) as server:
        known = server.known_hosts.read_text()
        server.change_host_key()

        said = run_ssh(server, "true")

        assert said.returncode == 255
        assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in said.stderr
        assert server.host_key_line != known == server.known_hosts.read_text()


def by_password(server: SshServer, password: str, command: str) -> subprocess.CompletedProcess:
    options = [
        "-F",
        "none",
        "-o",
        f"UserKnownHostsFile={server.known_hosts}",
        "-o",
        "PubkeyAuthentication=no",
        "-p",
        str(server.port),
    ]
    words = [find_program("sshpass"), "-e", "ssh", *options, f"{server.user}@{server.host}", command]
    return subprocess.run(words, env=os.environ | {"SSHPASS": password}, capture_output=True, text=True, check=False)


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="sshd checks passwords only as root")


@needs_root
@pytest.mark.servers
@pytest.mark.parametrize("uid", [0, 54_321])
def test_a_throw_away_account_logs_in_by_password_and_by_key(open_folder, uid):
    accounts = Path("/etc/passwd").read_bytes()
    with SshServer(open_folder / f"sshd-{uid}", password_login=PasswordLogin(uid=uid, gid=uid)) as server:
        assert by_password(server, server.password, "id -u").stdout == f"{uid}\n"
        assert run_ssh(server, "id -u; pwd").stdout == f"{uid}\n{server.root}/home\n"
        assert by_password(server, "wrong", "id -u").returncode == 5
        assert Path("/etc/passwd").read_bytes() == accounts


@pytest.mark.servers
def test_stopping_sshd_ends_its_sessions(tmp_path):
    server = SshServer(tmp_path).start()
    command = [find_program("ssh"), *server.ssh_options(), server.host, "echo ready; exec sleep 1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as session:
        assert session.stdout.readline() == b"ready\n"
        family = server.children()
        assert len(family) >= 2

        server.stop()

        assert session.wait(60) == 255
    assert not any(is_alive(pid) for pid in family)
    assert not server.running


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_server_dies_with_the_process_that_started_it(tmp_path):
    program = (
        "import os; from pathlib import Path; from torrent_mover.demo.process import ServerProcess\n"
        f"server = ServerProcess('sleep', Path({str(tmp_path / 'log')!r}))\n"
        "sleeps = lambda: Path(f'/proc/{server.pid}/comm').read_text() == 'sleep\\n'\n"
        "server.start(['sleep', '100'], os.environ, sleeps, 5); print(server.pid, flush=True); os._exit(9)\n"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert said.returncode == 9, said.stderr
    eventually(lambda: not is_alive(int(said.stdout)))


def test_a_server_that_ends_at_once_is_reported_with_its_log(tmp_path):
    server = ServerProcess("the server", tmp_path / "log")

    with pytest.raises(Unreachable) as caught:
        server.start(["sh", "-c", "echo no such luck; exit 3"], os.environ, lambda: False, 5)

    assert "no such luck" in caught.value.remedy
    assert not server.running


def test_a_missing_program_names_the_command_that_installs_it():
    with pytest.raises(MissingProgram, match="sudo apt-get install no-such-program"):
        find_program("no-such-program")


@pytest.mark.servers
def test_the_world_seeds_its_samples_at_the_source_only(world):
    samples = world.seed_samples(scale=0.05)

    states = world.states()

    assert states == {one.info_hash: ("stalledUP", "") for one in samples}
    assert world.seeding() == {}


@pytest.mark.servers
def test_the_world_is_clean_for_the_next_test(world):
    made = sample(world.source.data, "Some Content", SIZES)
    world.seed(made.metainfo, made.content)
    world.clear()

    assert world.states() == {}
    assert snapshot(world.source.data) == {}


@pytest.mark.servers
@pytest.mark.logins
def test_the_config_names_the_worlds_servers_and_is_private(world, tmp_path):
    path = world.write_config(tmp_path / "config.ini", SETTINGS={"transfer_mode": "rsync"})

    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert parser["SETTINGS"]["transfer_mode"] == "rsync"
    client = WebApi(*(parser["SOURCE_CLIENT"][key] for key in ("host", "port", "username", "password")))
    assert client.login()
    with socket.create_connection(
        (parser["SOURCE_SERVER"]["host"], parser.getint("SOURCE_SERVER", "port"))
    ) as connection:
        assert connection.recv(4) == b"SSH-"
