"""What fails under a tier, injected for real: system calls that return errors, clients that answer nonsense, people in between."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.e2e.command import Result
from tests.e2e.rpc_watchman import HANG_UP, RpcWatchman
from tests.e2e.tier_house import MIB, RTorrentEnd, TierHouse
from tests.faults.ledger import SERVERS, each_nth, long_form
from tests.faults.watchman import Answer, Watchman
from tests.servers import eventually
from torrent_mover.domain.errors import ExitCode

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

PATIENCE = 30
WHOLE = long_form() and each_nth() == 1
"""Whether all of it is wanted, on every client."""

# -- system calls ------------------------------------------------------------------------------------------------------

FAILING = {
    "writing the copy: I/O error": ("pwrite64", "EIO", "hdd"),
    "writing the copy: the disk is full": ("pwrite64", "ENOSPC", "hdd"),
    "making the copy: read-only": ("mkdirat", "EROFS", ""),
    "reading the SSD: I/O error": ("preadv,preadv2", "EIO", "ssd"),
    "renaming the copy: I/O error": ("renameat2", "EIO", ""),
    "syncing the copy: I/O error": ("fsync,syncfs", "EIO", "hdd"),
}
SHORT = ("writing the copy: I/O error", "writing the copy: the disk is full", "reading the SSD: I/O error")


def failing(tier: TierHouse, made, fault: tuple[str, str, str], *arguments: str):
    """A `tier` command, each of whose calls of a kind fails: of those on the torrent's file on one disk, or all."""
    calls, error, disk = fault
    staged = tier.hdd / ".torrent-mover" / made.info_hash.upper() / made.name
    place = {"hdd": ("-P", str(staged)), "ssd": ("-P", str(made.content)), "": ()}[disk]
    names = calls.split(",")
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", *place, "-e", f"trace={calls}"]
    strace += ["-e", f"inject={','.join(names)}:error={error}"]
    with tier.start(*arguments, under=tuple(strace)) as command:
        return command.end()


@pytest.mark.fault("tiers", "a system call of a copy fails", SERVERS)
@pytest.mark.parametrize("what", FAILING if WHOLE else SHORT)
def test_a_copy_whose_disk_fails_is_tried_again_then_waits_with_its_reason(tier_at, rtorrent_016, hdd, what):
    tier = tier_at(rtorrent_016, hdd)
    tier.configure("1M", attempts="2")
    tier.run().ended(ExitCode.DONE)
    made = tier.seed("A film", 3 * MIB)
    content = made.content.read_bytes()

    result = failing(tier, made, FAILING[what])

    assert result.code in (ExitCode.SOME_FAILED, ExitCode.PREFLIGHT_REFUSED), result.text
    (waiting,) = tier.journal_rows("queue")
    assert (waiting["torrent"], waiting["tries"]) == (made.info_hash, 1)
    assert waiting["reason"]
    tier.run("--status").says(waiting["reason"])
    assert [name for name in tier.files(tier.hdd) if not name.startswith(".torrent-mover")] == []
    assert made.content.read_bytes() == content
    assert tier.where(made) == tier.ssd
    assert tier.seeds(made)

    tier.run("--now", made.info_hash).ended(ExitCode.DONE)
    assert tier.files(tier.hdd) == {"films/A film": content}
    assert tier.journal_rows("queue") == []


@pytest.mark.fault("tiers", "a system call of an eviction fails", SERVERS)
def test_an_eviction_whose_ssd_fails_loses_nothing_and_is_ended_later(tier_at, rtorrent_016, hdd):
    tier = tier_at(rtorrent_016, hdd)
    tier.configure("1M")
    made = tier.seed("A film", 6 * MIB)
    content = made.content.read_bytes()
    tier.run().ended(ExitCode.DONE).says("1 copied")
    tier.configure("60M")

    result = failing(tier, made, ("renameat2", "EIO", ""))

    assert result.code != ExitCode.DONE, result.text
    assert made.content.read_bytes() == content
    assert tier.files(tier.hdd) == {"films/A film": content}
    eventually(lambda: tier.seeds(made), PATIENCE)
    for _ in range(2):
        tier.run()
    tier.run("--evict", made.info_hash)
    assert tier.where(made) == tier.hdd / "films"
    assert tier.files(tier.ssd) == {}
    eventually(lambda: tier.seeds(made), PATIENCE)


# -- answers -----------------------------------------------------------------------------------------------------------

_XML = b'<?xml version="1.0"?><methodResponse>%s</methodResponse>'
_FAULT = b"<fault><value><struct><member><name>faultCode</name><value><i4>-503</i4></value></member><member>"
_FAULT += b"<name>faultString</name><value><string>Could not find info-hash.</string></value></member></struct></value></fault>"
_NOTHING = b"<params><param><value><array><data></data></array></value></param></params>"
RPC_NONSENSE = {
    "fault": _XML % _FAULT,
    "nothing": _XML % _NOTHING,
    "cut": HANG_UP,
    "html": b"<html>captive portal</html>",
}
WEB_NONSENSE = {
    "404": Answer(404, b"Not Found"),
    "500": Answer(500, b"Internal Server Error"),
    "nothing": Answer(200, b"[]", "application/json"),
    "cut": Answer(200, b'[{"hash": "abc', "application/json"),
    "html": Answer(200, b"<html>captive portal</html>", "text/html"),
}
_NEVER = ("login", "version", "webapiVersion", "system.listMethods", "system.client_version", "system.api_version")


@contextlib.contextmanager
def answering_badly(tier: TierHouse, tmp_path: Path):
    """Has the tier reach its client through a proxy; gives `say(kind, every)`: nonsense in place of each n-th answer."""
    config = tier.home / "tier.ini"
    if isinstance(tier.end, RTorrentEnd):
        proxy = RpcWatchman(tier.server.socket, tmp_path / "proxy.socket")
        url, name_of, nonsense = str(proxy.path), str, RPC_NONSENSE
    else:
        proxy = Watchman(tier.server.port)
        url, name_of, nonsense = f"http://127.0.0.1:{proxy.port}", lambda call: call.name, WEB_NONSENSE
    config.write_text(config.read_text().replace(f"url = {tier.server.url}", f"url = {url}"))
    count = 0

    def say(kind: str, every: int = 1) -> None:
        def answer(call):
            nonlocal count
            count += 1
            return None if name_of(call) in _NEVER or count % every else nonsense[kind]

        proxy.answer = answer

    say.kinds = tuple(nonsense)
    with proxy:
        yield say
        proxy.answer = lambda _call: None


ANSWERING = ["rtorrent_098", "rtorrent_016", "qbittorrent_45", "qbittorrent_51"]


@pytest.mark.fault("tiers", "the client answers with errors, nonsense, half answers, empty lists", SERVERS)
@pytest.mark.parametrize("client", ANSWERING if WHOLE else ["rtorrent_016", "qbittorrent_51"])
def test_nonsense_from_the_client_decides_nothing(request, tier_of, tmp_path, client):
    tier = tier_of(request.getfixturevalue(client))
    made = tier.seed("A film", 6 * MIB)
    content = made.content.read_bytes()
    tier.configure("1M")
    tier.run().ended(ExitCode.DONE).says("1 copied")
    tier.configure("60M")

    with answering_badly(tier, tmp_path) as say:
        for kind in say.kinds:
            say(kind)
            tier.run()
            assert made.content.read_bytes() == content, kind
            assert (tier.where(made), tier.seeds(made)) == (tier.ssd, True), kind
            assert tier.ends(made) == ["copied"], kind
        for kind in say.kinds:
            say(kind, every=5)
            tier.run()
            assert (tier.where(made) / made.name).read_bytes() == content, kind
    tier.configure("60M")
    tier.run()
    if tier.where(made) == tier.ssd:  # it came back from an eviction, and rests
        tier.run("--evict", made.info_hash).ended(ExitCode.DONE)
    tier.run().ended(ExitCode.DONE).says("Nothing to do")
    assert tier.where(made) == tier.hdd / "films"
    assert tier.files(tier.hdd) == {"films/A film": content}
    assert tier.files(tier.ssd) == {}
    eventually(lambda: tier.seeds(made), PATIENCE)


# -- people ------------------------------------------------------------------------------------------------------------


def change_a_byte(tier: TierHouse, made) -> Path:
    with made.content.open("r+b") as file:
        file.write(bytes([file.read(1)[0] ^ 1]))
    return tier.ssd


def move_it(tier: TierHouse, made) -> Path:
    """As its user does: to another folder of the SSD, with its data."""
    folder = tier.ssd / "elsewhere"
    folder.mkdir()
    if isinstance(tier.end, RTorrentEnd):
        for command in ("d.stop", "d.close"):
            tier.server.call(command, made.info_hash.upper())
        made.content.rename(folder / made.name)
        tier.server.call("d.directory.set", made.info_hash.upper(), str(folder))
        tier.server.call("d.start", made.info_hash.upper())
    else:
        tier.server.api.post("torrents/setLocation", hashes=made.info_hash, location=str(folder))
    eventually(lambda: (folder / made.name).exists() and tier.where(made) == folder, PATIENCE)
    eventually(lambda: tier.seeds(made), PATIENCE)
    return folder


MEDDLING = {"its file on the SSD changes": change_a_byte, "it is moved": move_it}


@contextlib.contextmanager
def leaving(tier: TierHouse, hold: Path, step: str):
    """A round that stands still at a write of the eviction; afterwards it goes on, and its result is in the list."""
    hold.mkdir()
    ended: list[Result] = []
    with tier.start(module="tests.e2e.fused_tiers", FUSE_STEP=step, FUSE_HOLD=str(hold)) as worker:
        eventually((hold / "held").exists, PATIENCE)
        yield ended
        (hold / "go").touch()
        ended.append(worker.end())


@pytest.mark.fault("tiers", "a person changes the torrent while it leaves", SERVERS)
@pytest.mark.parametrize("client", ANSWERING if WHOLE else ["rtorrent_016"])
@pytest.mark.parametrize("what", MEDDLING)
def test_what_people_do_to_a_torrent_that_leaves_keeps_it_on_the_ssd(request, tier_of, tmp_path, client, what):
    tier = tier_of(request.getfixturevalue(client))
    made = tier.seed("A film", 6 * MIB)
    tier.configure("1M")
    tier.run().ended(ExitCode.DONE).says("1 copied")
    copy = tier.files(tier.hdd)
    tier.configure("60M")

    with leaving(tier, tmp_path / "hold", "after save_eviction chosen") as ended:
        place = MEDDLING[what](tier, made)
        expected = (place / made.name).read_bytes()

    assert ended[0].code != ExitCode.DONE, ended[0].text
    assert "evicted" not in tier.ends(made)
    assert tier.where(made) == place
    assert (place / made.name).read_bytes() == expected
    assert tier.files(tier.hdd) == copy
    eventually(lambda: tier.seeds(made), PATIENCE)


@pytest.mark.fault("tiers", "a person stops the torrent while it leaves", SERVERS)
@pytest.mark.parametrize("client", ANSWERING if WHOLE else ["rtorrent_016"])
def test_a_torrent_that_its_user_stops_while_it_leaves_stays_stopped(request, tier_of, tmp_path, client):
    tier = tier_of(request.getfixturevalue(client))
    made = tier.seed("A film", 6 * MIB)
    content = made.content.read_bytes()
    tier.configure("1M")
    tier.run().ended(ExitCode.DONE).says("1 copied")
    tier.configure("60M")

    with leaving(tier, tmp_path / "hold", "before save_eviction certified"):
        tier.end.stop(made.info_hash)

    for _ in range(2):
        assert (tier.where(made) / made.name).read_bytes() == content
        assert not tier.seeds(made)
        tier.run()
