"""The SFTP client against servers with other manners than OpenSSH's: short and shuffled replies, no extensions, small limits."""

from __future__ import annotations

import random

import pytest

from tests.contracts.filesystem_contract import MIB, path, read_all
from tests.fakes.sftp_server import FakeTransport, Manners
from torrent_mover.adapters.ssh.pool import SessionPool
from torrent_mover.adapters.ssh.sftp import SftpFileSystem
from torrent_mover.adapters.ssh.sftp_protocol import Code, Cursor, Packet, string
from torrent_mover.domain.errors import (
    BadAnswer,
    Collision,
    DiskFull,
    NotWritable,
    ReadOnlyLogin,
    ServerTooOld,
    SourceUnreadable,
)
from torrent_mover.domain.paths import HostPath
from torrent_mover.ports.filesystem import ByteSpan, FileKind

STATVFS = "statvfs@openssh.com"
LIMITS = "limits@openssh.com"
CONTENT = random.Random(1).randbytes(9 * MIB + 77)  # noqa: S311  content for files


class World:
    """One fake server and our file system on it."""

    def __init__(
        self,
        manners: Manners | None = None,
        files: dict[str, bytes] | None = None,
        links: dict[str, str] | None = None,
    ) -> None:
        content = {b"/data/" + name.encode(): bytearray(data) for name, data in (files or {"film": CONTENT}).items()}
        led = {b"/data/" + name.encode(): b"/data/" + to.encode() for name, to in (links or {}).items()}
        self.transport = FakeTransport(content, manners, led)
        self.pool = SessionPool(self.transport)
        self.fs = SftpFileSystem(self.pool, HostPath("/data"), holder="a test")

    @property
    def channel(self):
        return self.transport.channels[-1]

    @property
    def film(self) -> bytes:
        return bytes(self.transport.files[b"/data/film"])


@pytest.mark.parametrize(("extensions", "can"), [(("fsync@openssh.com",), True), ((), False)])
def test_whether_a_server_can_sync_is_told(extensions, can):
    assert World(Manners(extensions=extensions)).fs.can_sync() is can


@pytest.mark.parametrize("extensions", [(LIMITS,), ()])
def test_how_far_a_server_is_shows_from_the_first_connection_on(extensions):
    world = World(Manners(extensions=extensions))
    assert world.fs.round_trip == 0.0
    world.fs.stat(path("film"))
    assert 0.0 < world.fs.round_trip < 10.0


@pytest.mark.parametrize(
    "manners",
    [
        Manners(),
        Manners(dribble=1000),
        Manners(dribble=7919, shuffle=True),
        Manners(shuffle=True, extensions=(LIMITS,)),
        Manners(most_read=10_000),
        Manners(most_read=33_333, shuffle=True),
        Manners(extensions=(LIMITS,), limits=(50_000, 40_001, 40_001, 20)),
        Manners(extensions=(LIMITS,), limits=(0, 0, 0, 0)),
    ],
    ids=lambda manners: " ".join(f"{name}={getattr(manners, name)}" for name in ("dribble", "shuffle", "most_read")),
)
def test_bytes_come_whole_and_in_order_from_any_server(manners):
    small = {f"small {number}": CONTENT[number : 2 * number] for number in range(1, 200)}
    world = World(manners, {"film": CONTENT, **small})
    spans = [ByteSpan(path("film"), at, min(MIB, len(CONTENT) - at)) for at in range(0, len(CONTENT), MIB)]
    spans += [ByteSpan(path(name), 0, len(data)) for name, data in small.items()]
    assert read_all(world.fs, spans) == CONTENT + b"".join(small.values())
    assert world.pool.holders() == {}
    assert world.channel.handles == 0 or manners.dribble  # the last CLOSE may still be on its way


def test_dribbled_bytes_one_by_one_still_make_packets():
    world = World(Manners(dribble=1), {"film": b"some few bytes"})
    assert read_all(world.fs, [ByteSpan(path("film"), 5, 3)]) == b"few"


def test_without_limits_requests_are_32_kib():
    world = World()
    read_all(world.fs, [ByteSpan(path("film"), 0, MIB)])
    assert world.channel.served.largest_read == 32 << 10


def test_announced_limits_are_kept():
    world = World(Manners(extensions=(LIMITS,), limits=(99_999, 70_000, 60_000, 9)))
    read_all(world.fs, [ByteSpan(path("film"), 0, MIB)])
    assert world.channel.served.largest_read == 70_000
    lane = world.fs.writer()
    lane.write(path("film"), 0, memoryview(bytes(MIB)))
    lane.flush()
    assert world.channel.served.largest_write == 60_000
    lane.close()


def test_a_request_size_that_was_set_is_kept():
    world = World(Manners(extensions=(LIMITS,)))
    pool = SessionPool(world.transport, request_size=64 << 10)
    assert read_all(SftpFileSystem(pool, HostPath("/data")), [ByteSpan(path("film"), 0, MIB)]) == CONTENT[:MIB]
    assert world.channel.served.largest_read == 64 << 10


def test_openssh_gets_requests_of_255_kib():
    world = World(Manners(extensions=(LIMITS,)))
    read_all(world.fs, [ByteSpan(path("film"), 0, MIB)])
    assert world.channel.served.largest_read == 255 << 10


def test_what_is_asked_for_at_once_is_bounded():
    world = World(Manners(extensions=(LIMITS,)), {f"{number}": CONTENT for number in range(8)})
    spans = [ByteSpan(path(str(number)), 0, len(CONTENT)) for number in range(8)]
    lane = world.fs.reader()
    lane.read(spans, lambda _s, _o, _d: None)
    lane.close()
    assert MIB < world.channel.served.most_asked <= 30 * MIB


def test_handles_open_at_once_are_bounded_and_all_closed():
    files = {f"{number}": b"x" * 100 for number in range(1000)}
    world = World(Manners(extensions=(LIMITS,), limits=(262144, 261120, 261120, 40)), files)
    lane = world.fs.reader()
    lane.read([ByteSpan(path(name), 0, 100) for name in files], lambda _s, _o, _d: None)
    assert world.channel.served.most_handles <= 40
    lane.close()
    assert world.fs.stat(path("1")) is not None
    assert world.channel.handles == 0


def test_after_an_error_the_lane_closes_what_it_had_opened_and_reads_on():
    files = {f"{number}": b"x" * 100 for number in range(100)}
    world = World(files=files)
    lane = world.fs.reader()
    spans = [ByteSpan(path(name), 0, 100) for name in files]
    spans.insert(30, ByteSpan(path("missing"), 0, 1))
    seen = []
    with pytest.raises(SourceUnreadable, match="/data/missing is missing on nas"):
        lane.read(spans, lambda span, _o, _d: seen.append(span))
    assert seen == spans[:30]
    lane.read(spans[31:], lambda span, _o, _d: seen.append(span))
    assert seen == spans[:30] + spans[31:]
    lane.close()
    assert world.fs.stat(path("1")) is not None
    assert world.channel.handles == 0


def test_a_server_that_sends_more_than_was_asked_for_is_not_believed():
    world = World()
    world.fs.stat(path("film"))
    world.channel._read = lambda _cursor: (Packet.DATA, string(b"x" * 100))
    lane = world.fs.reader()
    with pytest.raises(BadAnswer, match="100 bytes"):
        lane.read([ByteSpan(path("film"), 0, 10)], lambda _s, _o, _d: None)
    lane.close()


def test_a_reply_to_nothing_is_not_believed():
    world = World()
    world.fs.stat(path("film"))
    world.channel._out += b"\0\0\0\x09\x65\0\0\x99\x99\0\0\0\0"
    with pytest.raises(BadAnswer):
        world.fs.stat(path("film"))
    assert world.fs.stat(path("film")) is not None  # on a new connection
    assert len(world.transport.channels) == 2


@pytest.mark.parametrize(
    ("greeting", "error", "words"),
    [
        (b"Welcome to this machine\r\n", BadAnswer, "login script"),
        (b"\0\0\0\x05\x02\0\0\0\x02", ServerTooOld, "version 3"),
    ],
)
def test_a_greeting_that_is_none_is_told(greeting, error, words):
    world = World(Manners(greeting=greeting))
    with pytest.raises(error, match=words):
        world.fs.stat(path("film"))
    assert world.channel.closed


# Refused writes: OpenSSH says only "Failure" for a full disk, a full quota and a disk error


def refused_write(**manners) -> Exception:
    world = World(Manners(write_code=Code.FAILURE, **manners))
    lane = world.fs.writer()
    with pytest.raises((DiskFull, NotWritable)) as caught:
        lane.write(path("film"), 0, memoryview(bytes(MIB)))
        lane.flush()
    assert lane.accepted() == 0
    lane.close()
    assert world.film == CONTENT
    return caught.value


def test_a_failed_write_on_a_full_disk_says_so():
    error = refused_write(extensions=(STATVFS,), statvfs=(0, 0))
    assert isinstance(error, DiskFull)
    assert "/data/film: 0 bytes" in error.what
    assert "df -h" in error.remedy


def test_a_failed_write_on_a_read_only_disk_says_so():
    assert "read-only" in str(refused_write(extensions=(STATVFS,), statvfs=(10_000, 1)))


def test_a_failed_write_with_room_left_points_to_quota_and_disk():
    assert "quota" in str(refused_write(extensions=(STATVFS,), statvfs=(10_000, 0)))
    assert "quota" in str(refused_write())


def test_accepted_counts_only_what_was_acknowledged_without_gaps():
    world = World(Manners(shuffle=True))
    lane = world.fs.writer()
    taken = []
    for at in range(0, 4 * MIB, MIB // 4):
        lane.write(path("film"), at, memoryview(CONTENT)[at : at + MIB // 4])
        taken.append(lane.accepted())
    lane.flush()
    assert lane.accepted() == 4 * MIB
    assert taken == sorted(taken)
    lane.close()
    assert world.film == CONTENT


@pytest.mark.parametrize("shuffle", [False, True])
def test_more_files_than_handles_are_written_to_a_server_that_answers_late(shuffle):
    files = {f"{number}": bytes(1000) for number in range(150)}
    world = World(Manners(shuffle=shuffle, late=True, extensions=(LIMITS,)), files)
    lane = world.fs.writer()
    for start in (0, 500):
        for number, name in enumerate(files):
            lane.write(path(name), start, memoryview(CONTENT)[number : number + 500])
    lane.flush()
    lane.close()
    assert lane.accepted() == 150 * 1000
    for number, name in enumerate(files):
        assert bytes(world.transport.files[b"/data/" + name.encode()]) == 2 * CONTENT[number : number + 500]


# Servers without OpenSSH's extensions


def test_a_server_that_would_replace_is_held_back():
    world = World(Manners(replaces=True), {"mine": b"mine", "theirs": b"theirs"})
    with pytest.raises(Collision, match="there already"):
        world.fs.rename(path("mine"), path("theirs"))
    assert bytes(world.transport.files[b"/data/theirs"]) == b"theirs"
    world.fs.rename(path("mine"), path("new"))
    assert bytes(world.transport.files[b"/data/new"]) == b"mine"


def linked(*, follows: bool, shuffle: bool = False, extensions: tuple[str, ...] = ()) -> World:
    """A server with a film, and links to it and to a folder."""
    manners = Manners(follows=follows, shuffle=shuffle, extensions=extensions)
    return World(manners, {"film": CONTENT, "mine": b"mine"}, {"link": "film", "shelf": "elsewhere"})


@pytest.mark.parametrize("follows", [False, True])
def test_links_are_told_from_their_targets_on_a_server_whose_lstat_follows_them(follows):
    """ProFTPD 1.3.8 (mod_sftp): LSTAT of a link tells of its target, READLINK of the link."""
    fs = linked(follows=follows).fs
    kinds = [FileKind.SYMLINK, FileKind.SYMLINK, FileKind.FILE]
    assert [look.kind for look in fs.stats([path("link"), path("shelf"), path("film")])] == kinds
    assert [fs.stat(path(name)).kind for name in ("link", "shelf", "film")] == kinds
    assert fs.stat(path("nothing")) is None


@pytest.mark.parametrize("shuffle", [False, True])
def test_nothing_is_written_through_a_link_there_in_whatever_order_it_answers(shuffle):
    world = linked(follows=True, shuffle=shuffle)
    for make in (True, False):
        lane = world.fs.writer()
        with pytest.raises(Collision, match="symbolic link"):
            if make:
                lane.create(path("link"), 4)
            lane.write(path("link"), 0, memoryview(b"evil"))
            lane.flush()
        lane.close()
    with pytest.raises(Collision, match="symbolic link"):
        world.fs.create(path("shelf/new"), 1)
    assert world.film == CONTENT
    assert b"/data/shelf/new" not in world.transport.files


def test_what_a_link_leads_to_is_neither_moved_nor_removed_there():
    """ProFTPD 1.3.8 (mod_sftp): RENAME of a link moves its target, RMDIR of a link to an empty folder removes that."""
    world = linked(follows=True)
    with pytest.raises(Collision, match="symbolic link"):
        world.fs.rename(path("link"), path("moved"))
    assert not world.fs.remove_folder(path("shelf"))
    assert world.film == CONTENT
    assert b"/data/elsewhere" in world.channel.folders
    world.fs.rename(path("mine"), path("new"))
    assert bytes(world.transport.files[b"/data/new"]) == b"mine"


def test_a_server_that_knows_links_is_asked_once():
    world = linked(follows=False, extensions=("lsetstat@openssh.com",))
    assert world.fs.stat(path("link")).kind is FileKind.SYMLINK
    lane = world.fs.writer()
    lane.write(path("film"), 0, memoryview(CONTENT[:5]))
    lane.flush()
    lane.close()
    assert Packet.READLINK not in world.channel.served.requests


def test_a_login_that_may_only_read_is_told_from_a_folder_that_is_closed():
    """OpenSSH 9.2 (internal-sftp -R) denies every change, so that owner and mode of the folder would be the wrong thing to mend."""
    for manners in (Manners(read_only=True), Manners(denies=True)):
        world = World(manners)
        with pytest.raises(NotWritable) as caught:
            world.fs.create(path("new"), 1)
        assert isinstance(caught.value, ReadOnlyLogin) is manners.read_only
        assert ("setfacl" in caught.value.remedy) is manners.denies
        assert world.channel.folders == {b"/", b"/data"}


def test_a_closed_folder_is_told_to_a_login_that_may_only_read():
    """At a source, where such a login is right: it is the folder's mode that is in the way of a look."""
    world = World(Manners(read_only=True, hides=b"/data/closed"))
    with pytest.raises(NotWritable) as caught:
        world.fs.stat(path("closed/film"))
    assert not isinstance(caught.value, ReadOnlyLogin)
    assert "namei -l" in caught.value.remedy


def test_what_cannot_be_asked_is_not_made_up():
    world = World()
    with pytest.raises(ServerTooOld, match="space"):
        world.fs.space()
    assert not world.fs.link(path("film"), path("second"))
    world.fs.sync([path("film")])
    assert Packet.EXTENDED not in world.channel.served.requests


def test_space_is_in_bytes():
    space = World(Manners(extensions=(STATVFS,), statvfs=(1000, 0))).fs.space()
    assert (space.free, space.total, space.free_inodes) == (4096 * 1000, 4096 * 9999, 50)


@pytest.mark.parametrize("body", [b"", b"\0\0", b"\0\0\0\x09abc"])
def test_a_field_that_is_cut_short_is_not_read_past_its_end(body):
    with pytest.raises(BadAnswer, match="too short"):
        Cursor(body).string()
