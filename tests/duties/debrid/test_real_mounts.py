"""Looks at links that lead into real mounts: gone, half empty, hung, dead. No link is judged or touched for any of them."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.adapters.test_link_library import _DETACH, _LIBC, fuse, mounted
from tests.duties.debrid.debrid_house import HASH, SHOW, DebridHouse
from tests.duties.debrid.fake_account import Known
from tests.faults.ledger import SERVERS
from torrent_mover.adapters.links.library import LocalLinkLibrary
from torrent_mover.domain.debrid.errors import MountDown
from torrent_mover.domain.paths import LocalPath
from torrent_mover.domain.torrent.torrent import InfoHash
from torrent_mover.duties.debrid.kinds import AccountMount
from torrent_mover.duties.debrid.layouts import MountLayout
from torrent_mover.duties.debrid.quarantining import LinkQuarantine
from torrent_mover.duties.debrid.records import LinkState
from torrent_mover.duties.debrid.verdicts import Fault

FOLDER = {MountLayout.ZURG: "__all__", MountLayout.DECYPHARR: "__all__", MountLayout.RCLONE: "torrents"}
OTHERS = 19


class OnDisk:
    """An account of 20 torrents, a mount of its own that shows them, a library of links into it, seen once."""

    def __init__(self, tmp_path, stack, layout=MountLayout.ZURG):
        self.stack, self.mount, self.media = stack, tmp_path / "mount", tmp_path / "media"
        known = [
            Known(f"Film {n}", ((f"Film {n}/f{n}.mkv", 10 + n),), hash=InfoHash(f"{n:02x}ab" * 10))
            for n in range(1, OTHERS + 1)
        ]
        self.house = house = DebridHouse(SHOW, *known)
        house.library = LocalLinkLibrary(patience=0.3)
        house.set(
            media_roots=(LocalPath(str(self.media)),), mounts=(AccountMount(LocalPath(str(self.mount)), layout),)
        )  # fmt: skip
        for each in (SHOW, *known):
            house.account.have(each.hash, selected=(1, 2) if each is SHOW else None)
        stack.enter_context(mounted(self.mount, "tmpfs"))
        if layout.has_sentinel:
            (self.mount / "version.txt").write_text("v")
        self.shown = self.mount / FOLDER[layout]
        self.media.mkdir()
        for each in (SHOW, *known):
            for path, _ in each.files[:2]:
                file = self.shown / each.name / path.rpartition("/")[2]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("x")
                (self.media / file.name).symlink_to(file)
        house.full()
        house.round().walk()
        self.links = self.seen()

    def seen(self):
        return {path.name: str(path.readlink()) for path in self.media.iterdir()}

    def lose(self):
        """The show is gone from the account, and its files from the mount."""
        self.house.account.rows = {k: row for k, row in self.house.account.rows.items() if row.hash != HASH}
        for file in sorted((self.shown / "Show.S01").iterdir()):
            file.unlink()
        (self.shown / "Show.S01").rmdir()
        self.house.full()


@pytest.fixture
def on_disk(tmp_path):
    with ExitStack() as stack:
        yield OnDisk(tmp_path, stack)


def down(at):
    _LIBC.umount2(os.fsencode(at.mount), _DETACH)


def half(at):
    for folder in sorted(at.shown.iterdir())[:4]:
        folder.rename(at.mount / folder.name)


def unsigned(at):
    (at.mount / "version.txt").unlink()


def hung(at):
    at.stack.enter_context(fuse(at.mount))


def dead(at):
    descriptor = at.stack.enter_context(fuse(at.mount))
    os.dup2(os.open("/dev/null", os.O_RDWR), descriptor)


@pytest.mark.fault("debrid", "a real mount is away, half, unsigned, hung or dead before links are looked at", SERVERS)
@pytest.mark.parametrize("trouble", [down, half, unsigned, hung, dead])
def test_a_mount_that_is_not_sound_ends_with_4_and_touches_nothing(on_disk, trouble):
    house, account = on_disk.house, on_disk.house.account
    on_disk.lose()
    trouble(on_disk)
    for _ in range(2):
        calls = len(account.calls)
        with pytest.raises(MountDown) as raised:
            house.round().walk()
        house.pass_time(1900)

    assert raised.value.exit_code == 4
    assert on_disk.seen() == on_disk.links
    assert house.journal.findings() == ()
    assert {name for name, _ in account.calls[calls:]} <= {"standing"}
    assert house.journal.broken_links() == ()


@pytest.mark.fault("debrid", "a real mount goes while links are looked at", SERVERS)
@pytest.mark.parametrize("trouble", [down, dead])
def test_a_mount_that_goes_while_the_links_are_looked_at_voids_the_look(on_disk, trouble):
    on_disk.lose()
    walk = on_disk.house.library.walk
    seen = []

    def walked(root, stopped):
        for link in walk(root, stopped):
            seen.append(link)
            if len(seen) == 3:
                trouble(on_disk)
            yield link

    on_disk.house.library.walk = walked
    with pytest.raises(MountDown):
        on_disk.house.round().walk()

    assert len(seen) >= 3
    assert on_disk.house.journal.findings() == ()
    assert on_disk.seen() == on_disk.links


@pytest.mark.parametrize("layout", MountLayout)
def test_a_sound_mount_of_each_layout_leads_to_the_one_torrent_that_is_gone(tmp_path, layout):
    with ExitStack() as stack:
        at = OnDisk(tmp_path, stack, layout)
        at.lose()
        first = at.house.round().walk()
        at.house.pass_time(1900)
        at.house.round().walk()
        findings = at.house.journal.findings()
        links = at.house.journal.broken_links()

    assert (first.in_scope, first.broken, first.unmapped) == (OTHERS + 2, 2, 0)
    assert [(each.hash, each.fault, each.proven) for each in findings] == [(HASH, Fault.VANISHED, True)]
    assert {each.state for each in links} == {LinkState.BROKEN}
    assert at.seen() == at.links


@pytest.mark.fault("debrid", "a real mount shows other entries than before", SERVERS)
def test_a_mount_without_a_sentinel_is_known_by_what_it_showed_last(tmp_path):
    with ExitStack() as stack:
        at = OnDisk(tmp_path, stack, MountLayout.RCLONE)
        for number, folder in enumerate(sorted(at.shown.iterdir())[:3]):
            folder.rename(at.shown / f"other {number}")  # as many entries as before, and others

        with pytest.raises(MountDown, match="only 17 of 20 entries"):
            at.house.round().walk()


def test_a_link_is_set_aside_on_the_disk_and_put_back(on_disk, tmp_path):
    world = replace(on_disk.house.world(), quarantine=str(tmp_path / "quarantine"))
    work, link = LinkQuarantine(world), on_disk.media / "e1.mkv"
    work.set_aside(LocalPath(str(link)), HASH, "refused")
    (row,) = work.listed()
    aside = os.path.lexists(link), str(Path(row.place).readlink())
    work.restore(row.id)

    assert aside == (False, on_disk.links["e1.mkv"])
    assert on_disk.seen() == on_disk.links


def test_what_was_set_aside_is_kept_90_days(on_disk, tmp_path):
    world = replace(on_disk.house.world(), quarantine=str(tmp_path / "quarantine"))
    work, link = LinkQuarantine(world), on_disk.media / "e1.mkv"
    work.set_aside(LocalPath(str(link)), HASH, "refused")
    (row,) = work.listed()
    purged = []
    for days in (89, 2):
        on_disk.house.pass_time(days * 86_400)
        purged.append((work.purge(), os.path.lexists(row.place)))

    assert purged == [(0, True), (1, False)]
    assert work.listed() == []
